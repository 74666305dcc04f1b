"""One job in one sealed container."""
