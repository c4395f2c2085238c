"""Fuzzing: whatever arrives, the venue stands; see `python -m tests.fuzz --help`."""
