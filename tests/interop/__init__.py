"""Real FIX engines as clients of a running venue: `make interop`.

One module for each engine says how to build and to start its program; the program lies in the
folder of the same name. The runner is common: the venue, the proxies that cut connections, the
summary. See engine.py for what an engine's program has to do.
"""
