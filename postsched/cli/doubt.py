"""A delivery of which nobody can tell whether it went out, laid out for the person who decides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from postsched.domain.when import describe

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from postsched.cli.screen import Screen
    from postsched.domain.delivery import Delivery
    from postsched.domain.post import Content

LONGEST = 120
"""Characters of a text that are shown, for it to be recognised."""


def doubt_lines(
    delivery: Delivery, content: Content, now: datetime, zone: ZoneInfo, screen: Screen
) -> Iterator[str]:
    """What to look for on the network, and what comes of each answer."""
    index = delivery.next_step or 0
    texts = [part.text for part in content.parts(delivery.account)]
    is_comment = index >= len(texts)
    name = "the comment" if is_comment else f"part {index + 1}"
    text = " ".join(((content.comment or "") if is_comment else texts[index]).split())
    shown = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    since = f" since {describe(delivery.sent_at, now, zone)}" if delivery.sent_at else ""
    yield screen.paint(f"  {name} may be out{since}: {shown}", "yellow")
    yield f"  Look at the account, then: postsched resolve {delivery.post_id} published|absent"
    rest = len(delivery.steps) - index - 1
    follows = f"the {rest} that come after it are sent" if rest > 1 else "nothing more is sent"
    follows = "what comes after it is sent" if rest == 1 else follows
    yield screen.paint(f"  published: {follows}; absent: it is sent again", "dim")
