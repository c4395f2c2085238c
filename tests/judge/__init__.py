"""Judges of the whole venue: what clients see, what must always hold, replays, a second venue."""
