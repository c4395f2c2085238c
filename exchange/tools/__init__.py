"""Tools that read a journal, also while a venue writes it: verify, info, cat, export, log, book."""
