"""The market: integer-only books and order matching, pure and deterministic."""
