"""The core in a process of its own: the channel over a socket, and who starts and ends what.

``supervisor`` is the server's main process's, ``main`` is the core's process, ``client`` the edge's
end of the channel and ``channel`` the core's. Nothing is decided and nothing is stored here. Read
``client`` first, then ``channel``.
"""
