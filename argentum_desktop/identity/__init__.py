"""Who this device is, and what it signs."""
