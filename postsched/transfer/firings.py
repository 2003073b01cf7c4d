"""Firings as JSON documents."""

from __future__ import annotations

from typing import Any

from postsched.domain.firing import Firing
from postsched.transfer.documents import rfc3339


def firing_document(firing: Firing) -> dict[str, Any]:
    """One firing; `change` is what a clock change made of its local time."""
    return {
        "due_at": rfc3339(firing.due_at),
        "occurrence": rfc3339(firing.occurrence),
        "post_id": firing.post_id,
        "account": firing.account,
        "platform": firing.platform,
        "text": firing.text,
        "number": firing.number,
        "delivery_id": firing.delivery_id,
        "status": firing.status.value,
        "paused": firing.paused,
        "moved": firing.moved,
        "own_text": firing.reworded,
        "change": firing.change.value if firing.change else None,
        "published_at": rfc3339(firing.published_at),
        "url": firing.url,
    }
