"""The outbox, the platform that needs no network: a folder of Markdown files, a feed and a page.

`adapter` speaks the engine's language, `folder` owns the files and their durability, `document`
one post as Markdown with front matter, `page` and `feed` what is made of them for people.
"""

from __future__ import annotations

from postsched.platforms.outbox.adapter import Outbox

__all__ = ["Outbox"]
