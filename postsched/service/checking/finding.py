"""What is wrong with a delivery that is still to go out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from postsched.transfer.documents import rfc3339


class Check(StrEnum):
    """What was looked at. A promise: scripts choose by these words."""

    PLATFORM = "platform"
    """The platform is installed, and says what it can do."""
    LOGIN = "login"
    """The login is taken, and will not have ended."""
    SECRET = "secret"  # noqa: S105 - the word, not one of them
    """There is one, as far as that can be told without a keyring."""
    PAUSED = "paused"
    """The account is not held."""
    LIMITS = "limits"
    """Text and wishes are what the account can take."""
    MEDIA = "media"
    """The kept files are whole, and the account can take them."""
    ALT_TEXT = "alt_text"
    QUOTA = "quota"
    """There is room for it at its time."""
    SPACING = "spacing"
    """It is not so close to another post that it has to wait (min_spacing)."""
    EQUAL_TEXT = "equal_text"
    """A network that refuses what was said before gets something new."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: a sentence that names the account, what to do about it, and the
    member of the post that is at fault, where it is one."""

    check: Check
    message: str
    hint: str
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault of a delivery. A draft has none: its `delivery_id` is None, and `due_at` (UTC) too
    where no time is set."""

    post_id: int
    delivery_id: int | None
    account: str
    platform: str
    due_at: datetime | None
    fault: Fault


def finding_document(finding: Finding) -> dict[str, Any]:
    return {
        "post_id": finding.post_id,
        "delivery_id": finding.delivery_id,
        "account": finding.account,
        "platform": finding.platform,
        "due_at": rfc3339(finding.due_at),
        "check": finding.fault.check.value,
        "field": finding.fault.field,
        "message": finding.fault.message,
        "hint": finding.fault.hint or None,
    }
