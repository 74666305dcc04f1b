"""The health check on the screen: how it is asked for, followed, shown and compared."""
