"""Is the card sound: the load, the checks, the grade and the passport."""
