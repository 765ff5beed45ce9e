"""A CC-Gateway to run against: strict, scriptable, in a process of its own.

It is written from what is published of the gateway and shares nothing with ``bridge.gateway``:
every field name stands here a second time, so that a misspelling in the client is caught. One
module, one purpose: ``contract`` the published tables, ``checks`` holds a request against them,
``state`` agents, sessions and calls, ``operations`` what each path does, ``faults`` what was
scripted to go wrong, ``recorder`` what happened, ``app`` and ``control`` the two HTTP faces,
``server`` the listening socket.
"""
