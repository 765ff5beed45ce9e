"""inquiries about customers' messages, their shadow conversations, and notes for agents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0110"
down_revision = "0109"
branch_labels = None
depends_on = None

_RASA = sa.text("'rasa'")


def upgrade() -> None:
    op.add_column("assignments", sa.Column("bot_note", sa.Text(), nullable=True))
    op.add_column(
        "messages", sa.Column("via", sa.String(length=12), server_default=_RASA, nullable=False)
    )
    op.add_column("rasa_updates", sa.Column("shadow", sa.String(length=64), nullable=True))
    op.create_index("rasa_updates_shadow", "rasa_updates", ["shadow"], unique=False)


def downgrade() -> None:
    op.drop_index("rasa_updates_shadow", table_name="rasa_updates")
    for table, column in (
        ("rasa_updates", "shadow"),
        ("messages", "via"),
        ("assignments", "bot_note"),
    ):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_column(column)
