"""calls of agents whose events are read, requests about them, and what customers attach."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0109"
down_revision = "0108"
branch_labels = None
depends_on = None

_SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_LIVE = sa.text("state <> 'ended'")
_OPEN = sa.text("state IN ('waiting', 'sending')")


def upgrade() -> None:
    op.add_column("messages", sa.Column("attachment", sa.Text(), nullable=True))
    op.create_table(
        "calls",
        sa.Column("call_id", sa.String(length=64), nullable=False),
        sa.Column("agent_id", sa.String(length=6), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("begun_at", sa.Float(), nullable=False),
        sa.Column("answered_at", sa.Float(), nullable=True),
        sa.Column("ended_at", sa.Float(), nullable=True),
        sa.Column("event_at", sa.Float(), nullable=True),
        sa.Column("caller", sa.String(length=512), nullable=False),
        sa.Column("called", sa.String(length=512), nullable=False),
        sa.Column("media", sa.String(length=8), nullable=False),
        sa.Column("internal", sa.Boolean(), nullable=False),
        sa.Column("nickname", sa.String(length=256), nullable=False),
        sa.Column("skill_id", sa.String(length=64), nullable=False),
        sa.Column("sender_id", sa.String(length=512), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("held", sa.Text(), nullable=False),
        sa.Column("transfer_to", sa.String(length=64), nullable=True),
        sa.Column("transferred_at", sa.Float(), nullable=True),
        sa.Column("transfers", sa.Integer(), nullable=False),
        sa.Column("erased_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("call_id", "agent_id"),
    )
    op.create_index("calls_caller", "calls", ["caller"])
    op.create_index(
        "calls_live",
        "calls",
        ["agent_id", "begun_at"],
        sqlite_where=_LIVE,
        postgresql_where=_LIVE,
    )
    op.create_table(
        "call_requests",
        sa.Column("seq", _SEQUENCE, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("line", sa.String(length=80), nullable=False),
        sa.Column("call_id", sa.String(length=64), nullable=False),
        sa.Column("agent_id", sa.String(length=6), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("due_at", sa.Float(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease", sa.String(length=128), nullable=True),
        sa.Column("lease_until", sa.Float(), nullable=True),
        sa.Column("error_code", sa.String(length=64), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("settled_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("call_requests_call", "call_requests", ["call_id"])
    op.create_index(
        "call_requests_open",
        "call_requests",
        ["line", "seq"],
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )


def downgrade() -> None:
    op.drop_table("call_requests")
    op.drop_table("calls")
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.drop_column("attachment")
