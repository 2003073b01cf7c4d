"""A person with an account on every network, none of which is ever asked."""

from __future__ import annotations

import json
from typing import Any

from postsched import platforms
from tests.cli.posting import Posting

FACTS: dict[str, dict[str, Any]] = {
    "outbox": {"user": "/home/maria/blog"},
    "mastodon": {"user": "@maria@mastodon.example", "software": "mastodon"},
    "bluesky": {"user": "maria.bsky.social", "did": "did:plc:maria"},
    "x": {"user": "@maria", "premium": False},
    "linkedin": {"user": "Maria Okafor", "kind": "person"},
    "telegram": {"user": "@mychannel"},
    "discord": {"user": "News", "kind": "webhook"},
    "threads": {"user": "@maria"},
    "instagram": {"user": "@maria"},
    "facebook": {"user": "Maria's Bakery"},
}
"""What each network said of the account."""


COLOURS = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
"""A terminal with all colours. It is the same in every test: rich remembers of a style how it was
written first, for whatever terminal."""


def ours() -> list[str]:
    """The networks that are installed, without plug-ins."""
    return [
        name
        for name in platforms.names()
        if type(platforms.get(name)).__module__.startswith("postsched.")
    ]


def move_in(cli: Posting) -> None:
    """Have an account on every network, called like it."""
    with cli.database() as base:
        found = base.execute("SELECT * FROM accounts")
        names = [column[0] for column in found.description]
        account = dict(zip(names, found.fetchone(), strict=True))
        for n, name in enumerate(ours(), 100):
            facts = json.dumps(FACTS.get(name, {"user": "@maria"}))
            more = {"id": n, "uid": f"{n:032x}", "name": name, "platform": name, "facts": facts}
            row = {**account, **more, "settings": "{}"}
            marks = ", ".join("?" * len(row))
            base.execute(f"INSERT INTO accounts ({', '.join(row)}) VALUES ({marks})",
                         list(row.values()))  # fmt: skip
