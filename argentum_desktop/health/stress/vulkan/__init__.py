"""Which devices Vulkan offers and where they are plugged in; what the library that computes on them does not tell."""
