"""May this run, now, here, for this? Pure functions."""
