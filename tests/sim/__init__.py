"""The simulator of sessions: two machines, a bad link, a seed; see world.py."""
