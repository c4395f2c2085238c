"""FIX 4.4 in pure Python: codec, dictionary, validation and the session machine."""
