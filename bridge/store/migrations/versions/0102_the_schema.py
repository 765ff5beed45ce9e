"""the schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0102"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:

    op.create_table(
        "assignments",
        sa.Column("sender_id", sa.String(length=512), nullable=False),
        sa.Column("call_id", sa.String(length=64), nullable=False),
        sa.Column("agent_id", sa.String(length=6), nullable=False),
        sa.Column("user_id", sa.String(length=512), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("channel_config_id", sa.String(length=128), nullable=True),
        sa.Column("agent_nickname", sa.String(length=256), nullable=True),
        sa.Column("agent_avatar", sa.String(length=512), nullable=True),
        sa.Column("owner", sa.String(length=8), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("given_at", sa.Float(), nullable=False),
        sa.Column("handed_off_at", sa.Float(), nullable=True),
        sa.Column("handed_back_at", sa.Float(), nullable=True),
        sa.Column("ended_at", sa.Float(), nullable=True),
        sa.Column("card", sa.Text(), nullable=True),
        sa.Column("untold", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("erased_at", sa.Float(), nullable=True),
        sa.Column("command_key", sa.String(length=36), nullable=True),
        sa.PrimaryKeyConstraint("sender_id", "call_id"),
    )
    with op.batch_alter_table("assignments", schema=None) as batch_op:
        batch_op.create_index(
            "assignments_agent", ["agent_id", "given_at", "call_id"], unique=False
        )
        batch_op.create_index(
            "assignments_agent_open",
            ["agent_id", "given_at", "call_id"],
            unique=False,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )
        batch_op.create_index("assignments_call", ["call_id"], unique=False)
        batch_op.create_index("assignments_given", ["given_at", "call_id"], unique=False)
        batch_op.create_index(
            "assignments_open",
            ["given_at", "call_id"],
            unique=False,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )
        batch_op.create_index("assignments_sender", ["sender_id", "given_at"], unique=False)
        batch_op.create_index("assignments_user", ["user_id"], unique=False)

    op.create_table(
        "deliveries",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("message_code", sa.String(length=36), nullable=False),
        sa.Column("sender_id", sa.String(length=512), nullable=False),
        sa.Column("call_id", sa.String(length=64), nullable=False),
        sa.Column("agent_id", sa.String(length=6), nullable=False),
        sa.Column("user_id", sa.String(length=512), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("channel_config_id", sa.String(length=128), nullable=False),
        sa.Column("nickname", sa.String(length=256), nullable=False),
        sa.Column("avatar", sa.String(length=512), nullable=False),
        sa.Column("media_type", sa.String(length=16), nullable=False),
        sa.Column("media_file_type", sa.String(length=16), nullable=True),
        sa.Column("content_type", sa.String(length=4), nullable=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("origin", sa.String(length=16), nullable=False),
        sa.Column("turn_key", sa.String(length=36), nullable=True),
        sa.Column("suggestion_id", sa.String(length=36), nullable=True),
        sa.Column("reply_key", sa.String(length=36), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.Column("due_at", sa.Float(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("unknowns", sa.Integer(), server_default="0", nullable=False),
        sa.Column("connected", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("lease", sa.String(length=128), nullable=True),
        sa.Column("lease_until", sa.Float(), nullable=True),
        sa.Column("error_code", sa.String(length=64), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("settled_at", sa.Float(), nullable=True),
        sa.Column("approved_by", sa.String(length=64), nullable=True),
        sa.Column("command_key", sa.String(length=36), nullable=True),
        sa.Column("erased_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("message_code"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.create_index("deliveries_agent", ["agent_id", "seq"], unique=False)
        batch_op.create_index("deliveries_call", ["call_id", "seq"], unique=False)
        batch_op.create_index(
            "deliveries_due",
            ["due_at", "seq"],
            unique=False,
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        )
        batch_op.create_index(
            "deliveries_failed",
            ["state", "seq"],
            unique=False,
            sqlite_where=sa.text("state IN ('failed', 'expired', 'uncertain')"),
            postgresql_where=sa.text("state IN ('failed', 'expired', 'uncertain')"),
        )
        batch_op.create_index(
            "deliveries_open",
            ["call_id", "seq", "state"],
            unique=False,
            sqlite_where=sa.text("state IN ('waiting', 'sending')"),
            postgresql_where=sa.text("state IN ('waiting', 'sending')"),
        )
        batch_op.create_index(
            "deliveries_sending",
            ["call_id"],
            unique=True,
            sqlite_where=sa.text("state = 'sending'"),
            postgresql_where=sa.text("state = 'sending'"),
        )
        batch_op.create_index("deliveries_user", ["user_id", "sender_id"], unique=False)
        batch_op.create_index(
            "deliveries_waiting_agent",
            ["agent_id", "error_code"],
            unique=False,
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        )

    op.create_table(
        "events",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("agent_id", sa.String(length=6), nullable=False),
        sa.Column("event_type", sa.String(length=128), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("received_at", sa.Float(), nullable=False),
        sa.Column("handled_at", sa.Float(), nullable=True),
        sa.Column("erased_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("seq"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("events", schema=None) as batch_op:
        batch_op.create_index(
            "events_open",
            ["seq"],
            unique=False,
            sqlite_where=sa.text("handled_at IS NULL"),
            postgresql_where=sa.text("handled_at IS NULL"),
        )

    op.create_table(
        "leaders",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("holder", sa.String(length=64), nullable=True),
        sa.Column("held_until", sa.Float(), nullable=True),
        sa.Column("done_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "rasa_updates",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("sender_id", sa.String(length=512), nullable=False),
        sa.Column("call_id", sa.String(length=64), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("due_at", sa.Float(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease", sa.String(length=128), nullable=True),
        sa.Column("lease_until", sa.Float(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("settled_at", sa.Float(), nullable=True),
        sa.Column("erased_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("id"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("rasa_updates", schema=None) as batch_op:
        batch_op.create_index("rasa_updates_call", ["call_id"], unique=False)
        batch_op.create_index(
            "rasa_updates_failed",
            ["seq"],
            unique=False,
            sqlite_where=sa.text("state = 'failed'"),
            postgresql_where=sa.text("state = 'failed'"),
        )
        batch_op.create_index(
            "rasa_updates_open",
            ["sender_id", "seq"],
            unique=False,
            sqlite_where=sa.text("state IN ('waiting', 'sending')"),
            postgresql_where=sa.text("state IN ('waiting', 'sending')"),
        )
        batch_op.create_index("rasa_updates_sender", ["sender_id", "seq"], unique=False)

    op.create_table(
        "revocations",
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("revoked_at", sa.Float(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("subject"),
    )
    op.create_table(
        "sessions",
        sa.Column("agent_id", sa.String(length=6), nullable=False),
        sa.Column("guid", sa.String(length=128), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("ours", sa.Boolean(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("error_code", sa.String(length=64), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("renewed_at", sa.Float(), nullable=False),
        sa.Column("signing_in", sa.String(length=64), nullable=True),
        sa.Column("signing_in_until", sa.Float(), nullable=True),
        sa.Column("poller", sa.String(length=64), nullable=True),
        sa.Column("poller_until", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("agent_id"),
    )
    op.create_table(
        "suggestions",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("candidates", sa.String(length=36), nullable=False),
        sa.Column("sender_id", sa.String(length=512), nullable=False),
        sa.Column("agent_id", sa.String(length=6), nullable=False),
        sa.Column("call_id", sa.String(length=64), nullable=False),
        sa.Column("message_id", sa.String(length=512), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("question", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("drafts", sa.Text(), nullable=False),
        sa.Column("kept", sa.Text(), nullable=False),
        sa.Column("edited_text", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("displayed_at", sa.Float(), nullable=True),
        sa.Column("settled_at", sa.Float(), nullable=True),
        sa.Column("settled_by", sa.String(length=64), nullable=True),
        sa.Column("command_key", sa.String(length=36), nullable=True),
        sa.Column("erased_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("id"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("suggestions", schema=None) as batch_op:
        batch_op.create_index("suggestions_agent", ["agent_id", "seq"], unique=False)
        batch_op.create_index("suggestions_call", ["call_id", "seq"], unique=False)
        batch_op.create_index("suggestions_candidates", ["candidates"], unique=False)
        batch_op.create_index(
            "suggestions_offered",
            ["sender_id", "expires_at"],
            unique=False,
            sqlite_where=sa.text("state = 'offered'"),
            postgresql_where=sa.text("state = 'offered'"),
        )
        batch_op.create_index("suggestions_sender", ["sender_id"], unique=False)

    op.create_table(
        "messages",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("sender_id", sa.String(length=512), nullable=False),
        sa.Column("call_id", sa.String(length=64), nullable=False),
        sa.Column("message_id", sa.String(length=512), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("written_at", sa.Float(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("erased_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("id"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.create_index("messages_call", ["call_id", "created_at"], unique=False)
        batch_op.create_index("messages_sender", ["sender_id"], unique=False)

    op.create_table(
        "switches",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.String(length=64), nullable=True),
        sa.Column("changed_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "turns",
        sa.Column("key", sa.String(length=36), nullable=False),
        sa.Column("sender_id", sa.String(length=512), nullable=False),
        sa.Column("call_id", sa.String(length=64), nullable=True),
        sa.Column("made_at", sa.Float(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("unavailable", sa.Text(), nullable=True),
        sa.Column("pushable", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    with op.batch_alter_table("turns", schema=None) as batch_op:
        batch_op.create_index("turns_sender", ["sender_id", "made_at"], unique=False)


def downgrade() -> None:

    with op.batch_alter_table("turns", schema=None) as batch_op:
        batch_op.drop_index("turns_sender")

    op.drop_table("turns")
    op.drop_table("switches")
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.drop_index("messages_sender")
        batch_op.drop_index("messages_call")

    op.drop_table("messages")
    with op.batch_alter_table("suggestions", schema=None) as batch_op:
        batch_op.drop_index("suggestions_sender")
        batch_op.drop_index(
            "suggestions_offered",
            sqlite_where=sa.text("state = 'offered'"),
            postgresql_where=sa.text("state = 'offered'"),
        )
        batch_op.drop_index("suggestions_candidates")
        batch_op.drop_index("suggestions_call")
        batch_op.drop_index("suggestions_agent")

    op.drop_table("suggestions")
    op.drop_table("sessions")
    op.drop_table("revocations")
    with op.batch_alter_table("rasa_updates", schema=None) as batch_op:
        batch_op.drop_index("rasa_updates_sender")
        batch_op.drop_index(
            "rasa_updates_open",
            sqlite_where=sa.text("state IN ('waiting', 'sending')"),
            postgresql_where=sa.text("state IN ('waiting', 'sending')"),
        )
        batch_op.drop_index(
            "rasa_updates_failed",
            sqlite_where=sa.text("state = 'failed'"),
            postgresql_where=sa.text("state = 'failed'"),
        )
        batch_op.drop_index("rasa_updates_call")

    op.drop_table("rasa_updates")
    op.drop_table("leaders")
    with op.batch_alter_table("events", schema=None) as batch_op:
        batch_op.drop_index(
            "events_open",
            sqlite_where=sa.text("handled_at IS NULL"),
            postgresql_where=sa.text("handled_at IS NULL"),
        )

    op.drop_table("events")
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.drop_index(
            "deliveries_waiting_agent",
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        )
        batch_op.drop_index("deliveries_user")
        batch_op.drop_index(
            "deliveries_sending",
            sqlite_where=sa.text("state = 'sending'"),
            postgresql_where=sa.text("state = 'sending'"),
        )
        batch_op.drop_index(
            "deliveries_open",
            sqlite_where=sa.text("state IN ('waiting', 'sending')"),
            postgresql_where=sa.text("state IN ('waiting', 'sending')"),
        )
        batch_op.drop_index(
            "deliveries_failed",
            sqlite_where=sa.text("state IN ('failed', 'expired', 'uncertain')"),
            postgresql_where=sa.text("state IN ('failed', 'expired', 'uncertain')"),
        )
        batch_op.drop_index(
            "deliveries_due",
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        )
        batch_op.drop_index("deliveries_call")
        batch_op.drop_index("deliveries_agent")

    op.drop_table("deliveries")
    with op.batch_alter_table("assignments", schema=None) as batch_op:
        batch_op.drop_index("assignments_user")
        batch_op.drop_index("assignments_sender")
        batch_op.drop_index(
            "assignments_open",
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )
        batch_op.drop_index("assignments_given")
        batch_op.drop_index("assignments_call")
        batch_op.drop_index(
            "assignments_agent_open",
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )
        batch_op.drop_index("assignments_agent")

    op.drop_table("assignments")
