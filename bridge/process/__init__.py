"""The core in a separate process: the channel over a Unix socket, and process supervision.

``supervisor`` runs in the server's main process and ``main`` in the core's; ``client`` is the
edge's end of the channel, ``channel`` the core's. No decisions and no storage belong here. Read
``client`` first, then ``channel``.
"""
