"""Pages from templates: everything in them that is not ours is escaped."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache, partial
from pathlib import PurePath
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from postsched import __version__, platforms
from postsched.domain.duration import distance
from postsched.domain.errors import PostschedError
from postsched.domain.post import Media
from postsched.service.desk import Desk
from postsched.service.drafts import fingerprint
from postsched.web.page.static import address

SHOWN = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp", "image/avif"})
"""The pictures that browsers show."""
OPENING = re.compile(
    r"(it|there|the|that|this|no|none|not|post|draft|nothing|what|a|an|by|some|every|times)\b"
)
"""How messages begin that begin with no name."""
KEPT = re.compile(r"\b[0-9a-f]{64}/")
"""What stands before the name of a file that was uploaded."""
FAR = timedelta(days=100)
"""How far off something may be, for that to be worth a word beside its date."""


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The templates, each read once."""
    made = Environment(
        loader=PackageLoader("postsched.web.page"),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["version"] = __version__
    made.globals["file"] = address
    made.filters["link"] = link
    made.filters["late"] = late
    made.filters["server"] = server
    made.filters["who"] = who
    made.filters["network"] = network
    made.filters["sentence"] = sentence
    made.filters["file_name"] = file_name
    made.filters["picture"] = is_picture
    made.filters["fingerprint"] = fingerprint
    return made


def render(name: str, desk: Desk, context: Mapping[str, Any]) -> str:
    """A page. Its times are in the person's zone, and tell how far off they are."""
    now, zone = desk.now(), desk.zone
    return (
        environment()
        .get_template(name)
        .render(
            now=now,
            zone=zone,
            when=partial(when, now, zone),
            clock=lambda instant: instant.astimezone(zone).strftime("%H:%M"),
            **context,
        )
    )


def when(now: datetime, zone: ZoneInfo, instant: datetime | None) -> Markup:
    """An instant as an element: the day and time in the person's zone, and how far off it is."""
    if instant is None:
        return Markup("")
    local, today = instant.astimezone(zone), now.astimezone(zone)
    words = f"{local:%a} {local.day} {local:%b}"
    if local.year != today.year:
        words += f" {local.year}"
    shown = Markup('<time datetime="{}" title="{:%Y-%m-%d %H:%M:%S} {}">{} {:%H:%M}</time>').format(
        local.isoformat(), local, local.tzname(), words, local
    )
    if abs(instant - now) > FAR:
        return shown
    return shown + Markup(" <small>{}</small>").format(distance(instant - now))


def link(address: str | None) -> str | None:
    """An address that may be followed: of the web; None for any other, such as javascript:."""
    if not address or urlsplit(address).scheme not in ("http", "https"):
        return None
    return address


def server(address: str | None) -> str | None:
    """The server of an address: what follows it may be long, and a secret."""
    return str(urlsplit(address).netloc) or None if link(address) else None


@lru_cache
def network(platform: str) -> str:
    """A platform as people call it; its own name where what knows it is not installed."""
    try:
        return platforms.get(platform).title
    except PostschedError:
        return platform


def sentence(message: str) -> str:
    """A message as a page says it, by itself: it begins as sentences do, unless with a name."""
    words = KEPT.sub("", message.replace("graphemes", "characters"))
    return words[:1].upper() + words[1:] if OPENING.match(words) else words


def who(name: str) -> str:
    """Whoever signed in, as people call them: by the name of their token."""
    return name.removeprefix("token:")


def file_name(one: Media) -> str:
    """What a person calls a medium: the name of its file, or its address."""
    return one.url or PurePath(one.path or "file").name


def is_picture(one: Media) -> bool:
    """Whether browsers show it."""
    return one.sha256 is not None and one.type in SHOWN


def late(length: timedelta) -> str:
    """How late something was, in few digits."""
    seconds = length.total_seconds()
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else distance(length).removeprefix("in ")
