"""FIX requests to commands: pure parsing, which needs the list of instruments and nothing else."""

from exchange.requests.parser import RequestParser

__all__ = ["RequestParser"]
