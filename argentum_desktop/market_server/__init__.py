"""The market itself."""
