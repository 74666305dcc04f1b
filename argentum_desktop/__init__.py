"""Argentum Desktop: rent out your idle GPUs on your own terms."""

__version__ = "0.1.0"
