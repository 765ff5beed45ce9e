"""what is open, by its index alone; an agent's calls.

With the state in the index of what is open, whether a call has something on its way is seen without
a look at the rows; and SQLite prefers it to the index of all of a call's deliveries.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_OPEN = sa.text("state IN ('waiting', 'sending')")


def upgrade() -> None:
    _index_what_is_open("call_id", "seq", "state")
    op.create_index("assignments_agent", "assignments", ["agent_id", "given_at"])


def downgrade() -> None:
    op.drop_index("assignments_agent", table_name="assignments")
    _index_what_is_open("call_id", "seq")


def _index_what_is_open(*columns: str) -> None:
    op.drop_index("deliveries_open", table_name="deliveries")
    op.create_index(
        "deliveries_open",
        "deliveries",
        list(columns),
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
