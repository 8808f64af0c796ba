"""Many hosts at once: what is wrong with each, and where they differ."""
