"""The door for screens."""
