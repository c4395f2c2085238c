"""Reference data: what is traded, on which terms, what the market takes, and until when."""

from exchange.reference.desk import ReferenceDesk

__all__ = ["ReferenceDesk"]
