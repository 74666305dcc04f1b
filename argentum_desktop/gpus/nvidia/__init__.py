"""NVIDIA's cards, through NVML: the only package that knows `pynvml`."""
