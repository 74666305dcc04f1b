"""The composition root: the only rooms that build every part and connect them."""
