"""The FIX protocol running: acceptor, connections, journal, registry."""
