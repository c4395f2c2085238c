"""The venue: a deterministic state machine of orders and sessions around the matching engine.

`venue` dispatches commands, `state` is what they work on; each of the other modules is one kind of
request or one protection. `lifecycle` turns what the market did into reports.
"""

from exchange.venue.venue import Venue

__all__ = ["Venue"]
