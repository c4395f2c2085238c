"""Settings models and the commented example configuration."""
