"""Lists: the best items by score, the rules laid over them, and those of all users."""
