"""What the navigation leads to, one page a module."""
