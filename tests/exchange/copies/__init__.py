"""Drop copies, and history: what they say, to whom, and what they cost others."""
