"""The core: one thread that takes commands, plans them, commits, and does what follows.

It knows when to do what, and nothing of what follows from what: that is the planners' part. No
other code writes to the store. Read ``core`` first: its loop is the way of every message. ``port``
is what the edge knows of it; nothing is imported here, so that the edge loads no more than that.
"""
