"""The owner's choices: declared once, kept in one file."""
