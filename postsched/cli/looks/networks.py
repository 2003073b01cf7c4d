"""The looks of the networks, by the names of their platforms; a plug-in's has a plain one."""

from __future__ import annotations

from postsched.cli.looks.look import Look
from postsched.platforms.wording import Kind

PLAIN = Look("cyan")
LOOKS: dict[str, Look] = {
    "outbox": Look(
        "#b58900",
        avatar="[{}]",
        head="|{account}|  {handle}",
        plain=frozenset({Kind.MENTION, Kind.TAG}),
        card="a link on the page",
    ),
    "mastodon": Look(
        "#6364ff",
        avatar="[{}]",
        head="|{name}| {handle} · now",
        foot="↩ Reply   ⇄ Boost   ☆ Favourite   ⚑ Bookmark",
        warning="CW: {}  [Show more]",
        readers={
            "public": "Public",
            "unlisted": "Quiet public",
            "followers": "Followers",
            "direct": "Private mention",
        },
    ),
    "bluesky": Look(
        "#1185fe",
        head="|{short}| @{name} · now",
        foot="◌ 0   ⇄ 0   ♡ 0   ⋯",
        warning="ⓘ {}  [Show]",
    ),
    "x": Look(
        "#1d9bf0",
        head="|{name}| {handle} · now",
        foot="◌ 0   ⇄ 0   ♡ 0   ılı 0   ⚑   ⇪",
    ),
    "linkedin": Look(
        "#0a66c2",
        head="|{name}| · You · now · {readers}",
        foot="Like   Comment   Repost   Send",
        mark="bold #0a66c2",
        thread=False,
        readers={"": "Anyone", "public": "Anyone", "followers": "Connections only"},
    ),
    "telegram": Look(
        "#2aabee",
        head="|{handle}|",
        foot="◉ 1   now",
        thread=False,
    ),
    "discord": Look(
        "#5865f2",
        head="|{handle}| [APP] Today",
        mark="#00a8fc",
        plain=frozenset({Kind.TAG}),
        thread=False,
    ),
    "threads": Look(
        "#888888",
        head="|{name}| now",
        foot="♡   ◌   ⇄   ➢",
        mark="#0095f6",
    ),
    "instagram": Look(
        "#e1306c",
        head="|{name}|",
        foot="♡   ◌   ➢            ⚑",
        mark="#6d9eeb",
        plain=frozenset({Kind.LINK}),
        thread=False,
        media_first=True,
    ),
    "facebook": Look(
        "#1877f2",
        head="|{handle}|  Just now · Public",
        foot="Like   Comment   Share",
        thread=False,
    ),
}


def look_of(platform: str) -> Look:
    """The look of a platform's posts."""
    return LOOKS.get(platform, PLAIN)
