"""Market data, as its readers see it."""
