"""Small exchanges on other FIX engines, measured beside ours: `python -m bench.peers`."""
