"""A command of the user's, started with what happened: JSON on standard input, and variables.

It gets `{type, timestamp, data: {account, count, deliveries[] | login}, title, text}`, and
POSTSCHED_EVENT_TYPE, _ACCOUNT, _COUNT, _POST (where it is one), _TITLE and _TEXT.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from postsched.domain.notice import Event, Message, Told
from postsched.domain.telling import text, title
from postsched.notify.child import run

PATIENCE = 30.0
"""Seconds it may take."""
MOST = 20
"""How many deliveries it gets with their documents; `count` is how many there are."""
SAID = 300
"""Characters of what it said when it failed."""


async def tell(command: Sequence[str], message: Message, environ: Mapping[str, str]) -> Told:
    """Start the command once; told if it ends with 0. `environ` must be without secrets of ours."""
    given = json.dumps(document(message), ensure_ascii=False)
    name = command[0]
    try:
        ended = await run(words(command), given, {**environ, **variables(message)}, PATIENCE)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "its words can't be passed on"
        return Told(f"the command {name} can't be started: {why}")
    if ended.code is None:
        return Told(f"the command {name} was ended: it took longer than {PATIENCE:g} s")
    if ended.code:
        said = " ".join(ended.err.split())[-SAID:]
        return Told(f"the command {name} ended with {ended.code}" + (f": {said}" if said else ""))
    return Told()


def words(command: Sequence[str]) -> Sequence[str]:
    """The command as it is started: `~` is the home folder, as nobody but a shell knows."""
    return (os.path.expanduser(command[0]), *command[1:])


def document(message: Message) -> dict[str, Any]:
    """What it gets on standard input."""
    return {
        "type": message.event.value,
        "timestamp": message.at.isoformat().replace("+00:00", "Z"),
        "data": _data(message),
        "title": title(message),
        "text": text(message),
    }


def _data(message: Message) -> dict[str, Any]:
    items = list(message.items[:MOST])
    if message.event is Event.TEST:
        return dict(items[0])
    if message.event in (Event.LOGIN_EXPIRED, Event.LOGIN_EXPIRING):
        return {"account": message.account, "count": 1, "login": items[0]}
    return {"account": message.account, "count": len(message.items), "deliveries": items}


def variables(message: Message) -> dict[str, str]:
    """The same in the environment, as far as a short script wants it."""
    posts = {str(item.get("post_id", "")) for item in message.items}
    found = {
        "TYPE": message.event.value,
        "ACCOUNT": message.account,
        "COUNT": str(len(message.items)),
        "POST": posts.pop() if len(posts) == 1 else "",
        "TITLE": title(message),
        "TEXT": text(message),
    }
    return {f"POSTSCHED_EVENT_{name}": value.replace("\0", "") for name, value in found.items()}
