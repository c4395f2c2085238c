"""Real FIX engines as clients of a running venue: `make interop`.

One module for each engine says how to build and to start its program; the program lies in the
folder of the same name. The rest is common: the venue, the proxies that cut connections, the day
that is played (script/), and the table at the end. See engine.py for what a program has to do.

What the programs are built with, as far as Debian has it, ./install installs.
"""
