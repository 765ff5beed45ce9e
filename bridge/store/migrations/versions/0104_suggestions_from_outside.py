"""suggestions from outside, forwarded messages, figures of suggestions, and hidden assistance."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0104"
down_revision = "0103"
branch_labels = None
depends_on = None

_FALSE = sa.text("false")
_CUSTOMER = sa.text("'customer'")
_ADDED = {
    "assignments": ("assist_hidden", "typing_at", "desktop_at"),
    "suggestions": ("asked_at", "edit_distance", "configuration"),
    "messages": ("author",),
}


def upgrade() -> None:
    op.add_column(
        "assignments",
        sa.Column("assist_hidden", sa.Boolean(), server_default=_FALSE, nullable=False),
    )
    op.add_column("assignments", sa.Column("typing_at", sa.Float(), nullable=True))
    op.add_column("assignments", sa.Column("desktop_at", sa.Float(), nullable=True))
    op.add_column("suggestions", sa.Column("asked_at", sa.Float(), nullable=True))
    op.add_column("suggestions", sa.Column("edit_distance", sa.Float(), nullable=True))
    op.add_column("suggestions", sa.Column("configuration", sa.String(length=16), nullable=True))
    op.add_column(
        "messages",
        sa.Column("author", sa.String(length=8), server_default=_CUSTOMER, nullable=False),
    )


def downgrade() -> None:
    for table, columns in _ADDED.items():
        with op.batch_alter_table(table, schema=None) as batch_op:
            for column in reversed(columns):
                batch_op.drop_column(column)
