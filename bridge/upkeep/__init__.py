"""Retention of old data, and erasure of a person's data on demand.

Scans the store in windows while the server runs, and puts commands of a few rows each to the core,
at low priority. The schedule and the age limits are decided here; SQL belongs to ``store.pruning``
and ``store.erasure``. Read ``retention`` first.
"""
