"""The tables and their indexes. Tables are STRICT on SQLite."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    UniqueConstraint,
    text,
)

from postsched.store.columns import Instant, Json, Span, Whole, Words

FREE = "next_at IS NOT NULL AND paused = 0 AND claim IS NULL"
"""What a worker may take up: the condition of the index `queue`, which queries must repeat to the
letter, or the index is not used."""
WAITING = f"{FREE} AND grace_until IS NOT NULL AND status <> 'confirming'"
"""What is missed at the end of its grace: the condition of the index `graces`."""
UNPREPARED = "prepare_at IS NOT NULL AND paused = 0 AND claim IS NULL"
"""What is still to be prepared: the condition of the index `preparing`."""
CLAIMED = "claim IS NOT NULL"
"""What a worker holds: the condition of the index `claims`."""
SENT = "finished_at IS NOT NULL"
"""What has come to an end, by account: the condition of the index `sent`."""
LEADING = "leads = 1"
"""What plans the next of its series once it is taken up: the condition of the index `leading`."""
RECURRING = "kind <> 'once' AND kind <> 'slot'"
"""What names more than one occurrence: the condition of the index `series`."""
IN_SLOTS = "kind = 'slot'"
"""What goes out by slots: the condition of the index `in_slots`."""
DRAFTS = "draft = 1"
"""What is a draft: the condition of the index `drafts`.

PostgreSQL is told these conditions when it is opened, for naming its dialect here would load it:
a tenth of the time that a command takes."""

metadata = MetaData()
STRICT: dict[str, Any] = {"sqlite_strict": True}


def _id() -> Column[int]:
    return Column("id", Whole, primary_key=True)


def _ref(name: str, target: str, **options: Any) -> Column[int]:
    return Column(
        name, Whole, ForeignKey(f"{target}.id", ondelete="CASCADE"), nullable=False, **options
    )


meta = Table(
    "meta",
    metadata,
    Column("name", Words, primary_key=True),
    Column("value", Words, nullable=False),
    **STRICT,
)

accounts = Table(
    "accounts",
    metadata,
    _id(),
    Column("uid", Words, nullable=False, unique=True),
    Column("name", Words, nullable=False, unique=True),
    Column("platform", Words, nullable=False),
    Column("url", Words),
    Column("user_name", Words),
    Column("settings", Json),
    Column("facts", Json),
    Column("facts_at", Instant),
    Column("state", Words, nullable=False),
    Column("state_message", Words),
    Column("token_expires_at", Instant),
    Column("paused", Integer, nullable=False, default=0),
    Column("created_at", Instant, nullable=False),
    **STRICT,
)

groups = Table(
    "groups",
    metadata,
    _id(),
    Column("name", Words, nullable=False, unique=True),
    **STRICT,
)

group_members = Table(
    "group_members",
    metadata,
    _ref("group_id", "groups", primary_key=True),
    _ref("account_id", "accounts", primary_key=True),
    **STRICT,
)

posts = Table(
    "posts",
    metadata,
    _id(),
    Column("uid", Words, nullable=False, unique=True),
    Column("text", Words, nullable=False),
    Column("then", Json),
    Column("comment", Words),
    Column("link", Words),
    Column("title", Words),
    Column("variants", Json),
    Column("visibility", Words),
    Column("warning", Words),
    Column("lang", Words),
    Column("tags", Json),
    Column("missed", Words, nullable=False),
    Column("grace", Span, nullable=False),
    Column("catch_up", Words, nullable=False),
    Column("priority", Integer, nullable=False, default=0),
    Column("key", Words, unique=True),
    Column("digest", Words),
    Column("draft", Integer, nullable=False, default=0),
    Column("paused", Integer, nullable=False, default=0),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("texts", Json),
    Column("vars", Json),
    Column("spread", Span),
    Column("jitter", Span),
    Column("callback", Words),
    Index("drafts", "created_at", sqlite_where=text(DRAFTS)),
    **STRICT,
)

targets = Table(
    "targets",
    metadata,
    _ref("post_id", "posts", primary_key=True),
    _ref("account_id", "accounts", primary_key=True, index=True),
    Column("position", Integer, nullable=False),
    Column("stopped", Integer, nullable=False, default=0, server_default="0"),
    **STRICT,
)

media = Table(
    "media",
    metadata,
    _id(),
    _ref("post_id", "posts", index=True),
    Column("part", Integer, nullable=False),
    Column("position", Integer, nullable=False),
    Column("path", Words),
    Column("url", Words),
    Column("alt", Words),
    Column("type", Words),
    Column("bytes", Whole),
    Column("sha256", Words),
    Column("width", Integer),
    Column("height", Integer),
    **STRICT,
)

schedules = Table(
    "schedules",
    metadata,
    Column("post_id", Whole, ForeignKey("posts.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", Words, nullable=False),
    Column("at", Words),
    Column("tz", Words, nullable=False),
    Column("rule", Json),
    Index("series", "post_id", sqlite_where=text(RECURRING)),
    Index("in_slots", "post_id", sqlite_where=text(IN_SLOTS)),
    **STRICT,
)

workers = Table(
    "workers",
    metadata,
    _id(),
    Column("host", Words, nullable=False),
    Column("boot", Words, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("kind", Words, nullable=False),
    Column("mark", Words, nullable=False, unique=True),
    Column("since", Instant, nullable=False),
    Column("seen_at", Instant),
    sqlite_autoincrement=True,  # claims name workers: a number must never mean another one
    **STRICT,
)

deliveries = Table(
    "deliveries",
    metadata,
    _id(),
    _ref("post_id", "posts"),
    _ref("account_id", "accounts"),
    Column("occurrence", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("next_at", Instant),
    Column("prepare_at", Instant),
    Column("status", Words, nullable=False),
    Column("came_from", Words),
    Column("priority", Integer, nullable=False, default=0),
    Column("paused", Integer, nullable=False, default=0),
    Column("attempts", Integer, nullable=False, default=0),
    Column("revision", Integer, nullable=False, default=0),
    Column("asked", Integer, nullable=False, default=0),
    Column("not_there", Integer, nullable=False, default=0),
    Column("grace_until", Instant),
    Column("claim", Words),
    Column("claim_worker", Whole),
    Column("claimed_at", Instant),
    Column("claim_until", Instant),
    Column("sent_at", Instant),
    Column("steps", Json),
    Column("started_at", Instant),
    Column("lateness", Span),
    Column("published_at", Instant),
    Column("finished_at", Instant),
    Column("error_kind", Words),
    Column("error_message", Words),
    Column("error_status", Integer),
    Column("error_hint", Words),
    Column("number", Integer),
    Column("leads", Integer, nullable=False, default=0, server_default="0"),
    Column("wording", Json),
    UniqueConstraint("post_id", "account_id", "occurrence"),
    Index(
        "queue",
        "account_id",
        text("priority DESC"),
        "next_at",
        sqlite_where=text(FREE),
    ),
    Index(
        "preparing",
        "account_id",
        "prepare_at",
        sqlite_where=text(UNPREPARED),
    ),
    Index("graces", "account_id", "grace_until", sqlite_where=text(WAITING)),
    Index(
        "claims",
        "claim_until",
        sqlite_where=text(CLAIMED),
    ),
    Index("leading", "post_id", "account_id", unique=True, sqlite_where=text(LEADING)),
    Index("upcoming", "status", "due_at"),
    Index("finished", "finished_at"),
    Index("sent", "account_id", "finished_at", sqlite_where=text(SENT)),
    **STRICT,
)

attempts = Table(
    "attempts",
    metadata,
    _id(),
    _ref("delivery_id", "deliveries", index=True),
    Column("n", Integer, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("finished_at", Instant, nullable=False),
    Column("action", Words, nullable=False),
    Column("step", Words, nullable=False),
    Column("outcome", Words, nullable=False),
    Column("error_kind", Words),
    Column("error_message", Words),
    Column("error_status", Integer),
    Column("error_hint", Words),
    Column("evidence", Words),
    **STRICT,
)

hosted = Table(
    "hosted",
    metadata,
    _id(),
    Column("name", Words, nullable=False, unique=True),
    Column("place", Words, nullable=False),
    Column("delivery_id", Whole, ForeignKey("deliveries.id", ondelete="SET NULL"), index=True),
    Column("digest", Words, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("busy_until", Instant),
    Column("stored_at", Instant),
    Column("remove_at", Instant),
    Column("tries", Integer, nullable=False, default=0),
    Column("problem", Words),
    **STRICT,
)

leases = Table(
    "leases",
    metadata,
    Column("name", Words, primary_key=True),
    Column("holder", Words, nullable=False),
    Column("until", Instant, nullable=False),
    **STRICT,
)
