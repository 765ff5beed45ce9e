"""SQLAlchemy definitions of the tables. A test keeps them and the migrations consistent.

Times are in seconds since the epoch. The partial indexes are in ``indexes.py``. Nothing here runs a
statement.

Columns with personal data are marked: ``words`` (what customers and agents wrote, erased after
``retention.content``) or ``PERSON`` (whose data it is). All others record what was done. Retention
and erasure rely on these marks; a test checks every column.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    text,
)

metadata = MetaData()

# SQLite auto-increments only a column declared INTEGER PRIMARY KEY.
_Sequence = BigInteger().with_variant(Integer, "sqlite")

PERSON = {"kind": "person"}  # ID of a customer, a conversation or a call


def words(erased: str | None) -> dict[str, Any]:
    """Return the mark of a column with content; ``erased`` is its value after the erasure."""
    return {"kind": "words", "erased": erased}


assignments = Table(
    "assignments",
    metadata,
    Column("sender_id", String(512), primary_key=True, info=PERSON),
    Column("call_id", String(64), primary_key=True, info=PERSON),
    Column("agent_id", String(6), nullable=False),
    Column("user_id", String(512), nullable=False, info=PERSON),
    Column("channel", String(16), nullable=False),
    Column("channel_config_id", String(128)),
    Column("agent_nickname", String(256)),
    Column("agent_avatar", String(512)),
    Column("owner", String(8), nullable=False),  # bot or agent
    Column("source", String(16), nullable=False),  # http, token, metadata, reader
    Column("given_at", Float, nullable=False),  # a conversation's newest is current
    Column("handed_off_at", Float),
    Column("handed_back_at", Float),
    Column("ended_at", Float),  # the call ended or was reassigned
    Column("card", Text, info=words(None)),  # JSON of the handoff card
    Column("untold", Boolean, nullable=False, server_default=text("false")),  # see AssignmentRecord
    Column("erased_at", Float),  # when the card was erased
    Column("command_key", String(36)),  # the last command that changed the call
    Column("assist_hidden", Boolean, nullable=False, server_default=text("false")),
    Column("typing_at", Float),  # when somebody last typed
    Column("desktop_at", Float),  # when the agent's panel or desktop was last heard of
    Column("moved_to", String(6)),  # the agent who got the conversation, with another call
    Column("alert_at", Float),  # when to check whether it was taken, or to report the alert
    Column("alerted_at", Float),  # when it was found that nobody took the handoff
    Column("alert_attempts", Integer, nullable=False, server_default="0"),  # to report it
    Column("bot_note", Text),  # JSON: what the agent should know about the bot; see BotNote
    Index("assignments_call", "call_id"),
    Index("assignments_sender", "sender_id", "given_at"),
    Index("assignments_user", "user_id"),
    Index("assignments_agent", "agent_id", "given_at", "call_id"),
    Index("assignments_given", "given_at", "call_id"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("agent_id", String(6), primary_key=True),
    Column("guid", String(128)),  # a secret
    Column("state", String(16), nullable=False),  # the values of SessionState
    Column("ours", Boolean, nullable=False),  # the bridge signed this session in
    Column("generation", Integer, nullable=False),  # see SessionRecord
    Column("error_code", String(64)),
    Column("error_message", Text),
    Column("renewed_at", Float, nullable=False),
    Column("signing_in", String(64)),  # the process that is signing the agent in
    Column("signing_in_until", Float),
    Column("poller", String(64)),  # the process that polls for events
    Column("poller_until", Float),
    Column("service_token", String(64)),  # a secret
    Column("next_service_token", String(64)),  # a secret
    Column("chosen_state", String(16)),
    Column("agent_state", String(16)),
    Column("sign_in_failures", Integer, nullable=False, server_default="0"),
    Column("pushed_digest", String(64)),
    Column("pushed_at", Float),
    Column("chats", Integer),
)

presences = Table(  # of agents whose panel is open
    "presences",
    metadata,
    Column("agent_id", String(6), primary_key=True),
    Column("present_at", Float, nullable=False),  # when the panel was last heard of
)

events = Table(
    "events",
    metadata,
    Column("seq", _Sequence, primary_key=True, autoincrement=True),
    Column("agent_id", String(6), nullable=False),
    Column("event_type", String(128), nullable=False),
    Column("content", Text, nullable=False, info=words("null")),  # JSON as received
    Column("received_at", Float, nullable=False),
    Column("handled_at", Float),
    Column("erased_at", Float),  # when the content was erased
    Column("generated_at", Float),  # as the gateway says
    sqlite_autoincrement=True,
)

turns = Table(
    "turns",
    metadata,
    Column("key", String(36), primary_key=True),  # derived from the webhook's content
    Column("sender_id", String(512), nullable=False, info=PERSON),
    Column("call_id", String(64), info=PERSON),
    Column("made_at", Float, nullable=False),
    Column("answer", Text),  # JSON of the action's answer; null while it waits
    Column("unavailable", Text),  # JSON of the answer if the handoff fails
    Column("pushable", Boolean, nullable=False, server_default=text("true")),  # see TurnRecord
    Index("turns_sender", "sender_id", "made_at"),
)

suggestions = Table(
    "suggestions",
    metadata,
    Column("seq", _Sequence, primary_key=True, autoincrement=True),
    Column("id", String(36), nullable=False, unique=True),
    Column("candidates", String(36), nullable=False),  # of one action call
    Column("sender_id", String(512), nullable=False, info=PERSON),
    Column("agent_id", String(6), nullable=False),
    Column("call_id", String(64), nullable=False, info=PERSON),
    Column("message_id", String(512), info=PERSON),
    Column("state", String(12), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("source", Text, nullable=False),  # JSON
    Column("question", Text, info=words(None)),  # what the customer wrote
    Column("text", Text, nullable=False, info=words("")),
    Column("drafts", Text, nullable=False, info=words("[]")),  # JSON
    # JSON: the drafts that are kept when the text is edited
    Column("kept", Text, nullable=False, info=words("[]")),
    Column("edited_text", Text, info=words(None)),
    Column("reason", Text, info=words(None)),
    Column("displayed_at", Float),
    Column("settled_at", Float),
    Column("settled_by", String(64)),
    Column("command_key", String(36)),  # the command of the decision
    Column("erased_at", Float),  # when the content was erased
    Column("asked_at", Float),  # when the customer wrote what it answers
    Column("edit_distance", Float),  # see ``Suggestion``
    Column("configuration", String(16)),  # version of the designer's configuration
    Index("suggestions_call", "call_id", "seq"),
    Index("suggestions_sender", "sender_id"),
    Index("suggestions_agent", "agent_id", "seq"),
    Index("suggestions_candidates", "candidates"),
    sqlite_autoincrement=True,
)

messages = Table(  # what customers wrote while an agent was the owner, and agents elsewhere
    "messages",
    metadata,
    Column("seq", _Sequence, primary_key=True, autoincrement=True),
    Column("id", String(36), nullable=False, unique=True),  # derived from call and message ID
    Column("sender_id", String(512), nullable=False, info=PERSON),
    Column("call_id", String(64), nullable=False, info=PERSON),
    Column("message_id", String(512), nullable=False, info=PERSON),
    Column("text", Text, nullable=False, info=words("")),
    Column("written_at", Float, nullable=False),  # as Rasa says
    Column("created_at", Float, nullable=False),
    Column("erased_at", Float),  # when the content was erased
    Column("author", String(8), nullable=False, server_default=text("'customer'")),  # or agent
    Column("attachment", Text, info=words(None)),  # JSON of a file or a location
    Column("via", String(12), nullable=False, server_default=text("'rasa'")),  # values of Via
    Index("messages_call", "call_id", "created_at"),
    Index("messages_sender", "sender_id"),
    sqlite_autoincrement=True,
)

rasa_updates = Table(
    "rasa_updates",
    metadata,
    Column("seq", _Sequence, primary_key=True, autoincrement=True),
    Column("id", String(36), nullable=False, unique=True),
    Column("sender_id", String(512), nullable=False, info=PERSON),
    Column("call_id", String(64), info=PERSON),
    Column("kind", String(16), nullable=False),  # the values of UpdateKind
    Column("body", Text, nullable=False, info=words("{}")),  # JSON of the update
    Column("state", String(12), nullable=False),  # the values of UpdateState
    Column("created_at", Float, nullable=False),
    Column("due_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("lease", String(128)),
    Column("lease_until", Float),
    Column("error", Text),
    Column("settled_at", Float),
    Column("erased_at", Float),  # when the content was erased
    Column("shadow", String(64), info=PERSON),  # the conversation in which it may run actions
    Index("rasa_updates_shadow", "shadow"),
    Index("rasa_updates_sender", "sender_id", "seq"),
    Index("rasa_updates_call", "call_id"),
    sqlite_autoincrement=True,
)

calls = Table(  # of agents whose events the bridge reads; see ``CallRecord``
    "calls",
    metadata,
    Column("call_id", String(64), primary_key=True, info=PERSON),
    Column("agent_id", String(6), primary_key=True),
    Column("state", String(12), nullable=False),  # the values of CallState
    Column("begun_at", Float, nullable=False),
    Column("answered_at", Float),
    Column("ended_at", Float),
    Column("event_at", Float),  # when the gateway made the last event that changed the state
    Column("caller", String(512), nullable=False, info=PERSON),
    Column("called", String(512), nullable=False),
    Column("media", String(8), nullable=False),
    Column("internal", Boolean, nullable=False),
    Column("nickname", String(256), nullable=False, info=PERSON),
    Column("skill_id", String(64), nullable=False),
    Column("sender_id", String(512), info=PERSON),  # the conversation that it was assigned to
    Column("problem", Text),  # what could not be found out
    Column("held", Text, nullable=False, info=words("[]")),  # JSON: messages before the assignment
    Column("transfer_to", String(64)),
    Column("transferred_at", Float),
    Column("transfers", Integer, nullable=False),
    Column("erased_at", Float),  # when the content was erased
    Column("apology", Text, info=words(None)),  # JSON: what is said if the transfer fails
    Index("calls_caller", "caller"),
)

call_requests = Table(  # what the gateway is asked to do with calls
    "call_requests",
    metadata,
    Column("seq", _Sequence, primary_key=True, autoincrement=True),
    Column("id", String(36), nullable=False, unique=True),
    Column("line", String(80), nullable=False, info=PERSON),  # one at a time, in order
    Column("call_id", String(64), nullable=False, info=PERSON),
    Column("agent_id", String(6), nullable=False),
    Column("kind", String(12), nullable=False),  # the values of RequestKind
    Column("body", Text, nullable=False),  # JSON: the target of a transfer
    Column("state", String(12), nullable=False),  # the values of UpdateState
    Column("created_at", Float, nullable=False),
    Column("due_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("lease", String(128)),
    Column("lease_until", Float),
    Column("error_code", String(64)),
    Column("error", Text),
    Column("settled_at", Float),
    Index("call_requests_call", "call_id"),
    sqlite_autoincrement=True,
)

changes = Table(  # what the event stream tells its readers; see ``changes.py``
    "changes",
    metadata,
    Column("seq", _Sequence, primary_key=True, autoincrement=True),
    Column("kind", String(12), nullable=False),  # the values of ChangeKind
    Column("item", String(64), nullable=False, info=PERSON),  # a call's ID, or another row's
    Column("sender_id", String(512), nullable=False, info=PERSON),
    Column("call_id", String(64), nullable=False, info=PERSON),
    Column("agent_id", String(6), nullable=False),
    Column("at", Float, nullable=False),
    Index("changes_call", "call_id"),  # for the erasure
    sqlite_autoincrement=True,  # a number is never used twice
)

switches = Table(
    "switches",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", String(64)),
    Column("changed_at", Float, nullable=False),
)

leaders = Table(  # tasks that one process at a time does for all
    "leaders",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("holder", String(64)),
    Column("held_until", Float),
    Column("done_at", Float),  # when it was last completed
)

revocations = Table(
    "revocations",
    metadata,
    Column("subject", String(64), primary_key=True),  # a token's jti, or agent:ID for all of them
    Column("revoked_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),  # when the last such token expires
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("seq", _Sequence, primary_key=True, autoincrement=True),
    Column("message_code", String(36), nullable=False, unique=True),
    Column("sender_id", String(512), nullable=False, info=PERSON),
    Column("call_id", String(64), nullable=False, info=PERSON),
    Column("agent_id", String(6), nullable=False),
    Column("user_id", String(512), nullable=False, info=PERSON),
    Column("channel", String(16), nullable=False),
    Column("channel_config_id", String(128), nullable=False),
    Column("nickname", String(256), nullable=False),
    Column("avatar", String(512), nullable=False),
    Column("media_type", String(16), nullable=False),
    Column("media_file_type", String(16)),
    Column("content_type", String(4)),
    Column("content", Text, nullable=False, info=words("")),
    Column("origin", String(16), nullable=False),
    Column("turn_key", String(36)),
    Column("suggestion_id", String(36)),
    Column("reply_key", String(36), nullable=False),
    Column("part", Integer, nullable=False),
    Column("state", String(12), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("due_at", Float, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("unknowns", Integer, nullable=False, server_default="0"),
    Column("connected", Boolean, nullable=False, server_default=text("false")),
    Column("lease", String(128)),
    Column("lease_until", Float),
    Column("error_code", String(64)),
    Column("error_message", Text),
    Column("settled_at", Float),
    Column("approved_by", String(64)),  # who approved it, if anybody
    Column("command_key", String(36)),  # the last command that changed it
    Column("erased_at", Float),  # when the content was erased
    Index("deliveries_call", "call_id", "seq"),
    Index("deliveries_user", "user_id", "sender_id"),
    Index("deliveries_agent", "agent_id", "seq"),
    sqlite_autoincrement=True,  # never reuse an ID, even of an erased row
)
