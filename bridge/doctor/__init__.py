"""Examines an installation: the gateway, the database, Rasa and the action server.

Reads only, so that it is safe in production; ``signing_in`` and ``probing`` alone change something,
and run on request only. Each module examines one system and yields ``Diagnosis`` values. Read
``examination`` first.
"""
