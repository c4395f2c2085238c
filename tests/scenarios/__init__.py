"""Session rules as scripts: specs/scenarios, in process and over TCP."""
