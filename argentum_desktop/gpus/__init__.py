"""Which cards there are and what they report."""
