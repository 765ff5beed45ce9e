"""handoffs that nobody takes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0106"
down_revision = "0105"
branch_labels = None
depends_on = None

_DUE = sa.text("alert_at IS NOT NULL")
_ADDED = ("alert_at", "alerted_at", "alert_attempts")


def upgrade() -> None:
    op.add_column("assignments", sa.Column("alert_at", sa.Float(), nullable=True))
    op.add_column("assignments", sa.Column("alerted_at", sa.Float(), nullable=True))
    op.add_column(
        "assignments",
        sa.Column("alert_attempts", sa.Integer(), server_default="0", nullable=False),
    )
    op.create_index(
        "assignments_alert", "assignments", ["alert_at"], sqlite_where=_DUE, postgresql_where=_DUE
    )


def downgrade() -> None:
    op.drop_index("assignments_alert", table_name="assignments")
    with op.batch_alter_table("assignments", schema=None) as batch_op:
        for column in reversed(_ADDED):
            batch_op.drop_column(column)
