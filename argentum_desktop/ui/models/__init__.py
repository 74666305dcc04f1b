"""Tables of values for Qt's views."""
