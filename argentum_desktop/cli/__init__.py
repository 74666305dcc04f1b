"""The command argentum-desktop."""
