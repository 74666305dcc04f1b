"""Cards as Linux shows them in /sys: the PCI list, AMD's and Intel's drivers. Nothing here is loaded elsewhere."""
