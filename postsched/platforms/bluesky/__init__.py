"""Bluesky and other servers of the AT Protocol.

`adapter` speaks the engine's language, `record` builds and names what is posted, `embeds` are the
pictures and the link card in it, `richtext` its links, mentions and tags; `session` keeps the
login alive, `xrpc` makes the calls.
"""

from __future__ import annotations

from postsched.platforms.bluesky.adapter import Bluesky

__all__ = ["Bluesky"]
