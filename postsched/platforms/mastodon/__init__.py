"""Mastodon and the servers that speak its API: GoToSocial, Pleroma, Akkoma, Pixelfed and others.

`adapter` speaks the engine's language, `server` knows what kind of server it is and what it can
do, `lookup` finds a post whose answer was lost, `plaintext` reads rendered posts, `api` makes the
calls and judges refusals.
"""

from __future__ import annotations

from postsched.platforms.mastodon.adapter import Mastodon

__all__ = ["Mastodon"]
