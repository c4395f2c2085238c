"""What was reported, asked for again: drop copies by ExecID, trades by account, Symbol and time."""

from exchange.history.desk import HistoryDesk

__all__ = ["HistoryDesk"]
