"""The core: one thread that takes commands, plans them, commits, and does what follows.

It knows when to do what, and nothing of what follows from what: that is the planners' part. No
other code writes to the store. Read ``core`` first: its loop is the way of every message.
"""

from bridge.core.asking import ask
from bridge.core.channel import Channel, FullError
from bridge.core.clock import Clock
from bridge.core.core import Core, Senders

__all__ = ["Channel", "Clock", "Core", "FullError", "Senders", "ask"]
