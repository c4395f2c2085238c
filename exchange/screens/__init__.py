"""The door for screens: market data by WebSocket, in a process beside the venue.

    gateway.py   a session of the venue: reads feeds, repairs them, comes back
    market.py    what is known of one instrument
    book.py      prices put together by multiples of the tick
    views.py     what screens see: book, trades, ticker, as snapshot and updates
    protocol.py  the messages, in JSON
    hub.py       who gets what when
    server.py    WebSocket and the page
    cli.py       `seamark screens`; running.py has it run by its settings
    page/        what a browser gets

A view is computed and encoded once, whoever and how many look at it. All but the gateway and the
server are pure.
"""
