"""Files that clients and tests read: the dictionary and the specifications."""
