"""The application's databases: the only SQL outside the market server."""
