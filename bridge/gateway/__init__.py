"""The CC-Gateway's wire format and HTTP client.

Nothing here decides what to send, retries, or reads and writes the store. ``wire`` is pure; read it
first, then ``client``. ``process`` is the main program of the sender process.
"""
