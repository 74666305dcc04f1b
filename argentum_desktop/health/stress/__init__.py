"""A load on one card, in a process of its own."""
