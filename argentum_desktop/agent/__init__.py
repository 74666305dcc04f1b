"""The loop that holds the stages together: offer, decision, container, settlement."""
