"""Market data: what the market sees, derived from what the venue did.

    request.py     MarketDataRequest (V), or why not (Y)
    changes.py     what one input has changed in each book
    depth.py       the best prices of a side, and how they change
    orders.py      order by order
    figures.py     trades and the day's statistics
    feed.py        one view of one book: its count, its entries, its messages
    picture.py     everything in it at one moment, made into messages over many turns
    messages.py    W, X and Y
    publisher.py   who gets which message when
    desk.py        the questions

A feed is made once, whoever and how many are reading it: its entries are computed, counted and
encoded once, and a subscriber's message is that with a header. Nothing here is an input of the
venue, and nothing costs anything while nobody reads.
"""

from exchange.market_data.desk import MarketDataDesk

__all__ = ["MarketDataDesk"]
