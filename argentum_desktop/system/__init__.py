"""The computer around us, one topic a file."""
