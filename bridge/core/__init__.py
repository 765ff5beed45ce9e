"""The core: one thread that takes commands, plans them, commits the plans and runs the effects.

It schedules work and is the only code that writes to the store; decisions belong in ``planners``,
not here. Read ``core`` first: every message passes through its loop. ``port`` is the interface for
the edge; this module imports nothing, so that the edge loads only ``port``.
"""
