"""A simulated CC-Gateway for tests and demos: strict, scriptable, in a process of its own.

It is written from the published API reference and must not import ``bridge.gateway``: every field
name is repeated here, so that a misspelling in the client is caught. Read ``contract`` first, the
published tables, then ``checks``, which validates requests against them, and ``app``, which serves
them.

``state`` holds agents, sessions and calls; ``operations`` maps operations to functions; ``faults``
is the fault script; ``recorder`` records requests and messages; ``control`` is the control API;
``server`` owns the listening socket.
"""
