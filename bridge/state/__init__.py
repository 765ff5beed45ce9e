"""State as values: what is stored, what changes it, what was loaded, and what is to be written.

Pure: no clock, no SQL, no threads, no HTTP. ``records`` and ``commands`` come first; ``snapshot``
is what a planner is given, ``plan`` what it gives back. How rows are read and written is the
store's business; what follows from a command is decided in ``bridge.planners``.
"""
