"""Alembic's door to the schema: runs the versions on the connection that ``migrate.py`` gives."""

from __future__ import annotations

from alembic import context

from bridge.store import indexes  # noqa: F401 - completes the metadata
from bridge.store.schema import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
