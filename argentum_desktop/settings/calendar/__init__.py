"""The owner's windows as a calendar (iCalendar, RFC 5545), and somebody's calendar as windows."""
