"""agents' states, pushed events, and when the gateway made an event."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0108"
down_revision = "0107"
branch_labels = None
depends_on = None

_ADDED = {
    "sessions": (
        "service_token",
        "next_service_token",
        "chosen_state",
        "agent_state",
        "sign_in_failures",
        "pushed_digest",
        "pushed_at",
    ),
    "events": ("generated_at",),
}


def upgrade() -> None:
    for name in ("service_token", "next_service_token"):
        op.add_column("sessions", sa.Column(name, sa.String(length=64), nullable=True))
    for name in ("chosen_state", "agent_state"):
        op.add_column("sessions", sa.Column(name, sa.String(length=16), nullable=True))
    op.add_column(
        "sessions", sa.Column("sign_in_failures", sa.Integer(), server_default="0", nullable=False)
    )
    op.add_column("sessions", sa.Column("pushed_digest", sa.String(length=64), nullable=True))
    op.add_column("sessions", sa.Column("pushed_at", sa.Float(), nullable=True))
    op.add_column("events", sa.Column("generated_at", sa.Float(), nullable=True))


def downgrade() -> None:
    for table, columns in _ADDED.items():
        with op.batch_alter_table(table, schema=None) as batch_op:
            for column in reversed(columns):
                batch_op.drop_column(column)
