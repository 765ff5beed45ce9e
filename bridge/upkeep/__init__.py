"""Looks after what is kept: retention, and erasing people's data on demand.

Reads in windows beside a working server, and puts what is to be pruned or erased to the core as
commands of a few rows each, behind all others. When something is too old is decided here.
"""
