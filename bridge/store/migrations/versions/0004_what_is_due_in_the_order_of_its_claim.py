"""what is due, in the order in which it is claimed.

After an outage thousands of deliveries are due at the same moment. PostgreSQL sorted all of them
for each claim.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_WAITING = sa.text("state = 'waiting'")


def upgrade() -> None:
    _index_what_is_due("due_at", "seq")


def downgrade() -> None:
    _index_what_is_due("due_at")


def _index_what_is_due(*columns: str) -> None:
    op.drop_index("deliveries_due", table_name="deliveries")
    op.create_index(
        "deliveries_due",
        "deliveries",
        list(columns),
        sqlite_where=_WAITING,
        postgresql_where=_WAITING,
    )
