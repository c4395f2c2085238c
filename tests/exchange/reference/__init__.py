"""Reference data, through the venue's own sessions, its journal, and a socket."""
