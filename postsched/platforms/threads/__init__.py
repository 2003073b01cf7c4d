"""Threads, by its API for publishing: texts, images, films and carousels, threads of replies.

`adapter` speaks the engine's language, `ability` says what an account can do, `content` makes the
containers of a post, `publishing` makes them visible and settles what its answers leave open,
`lookup` finds a post that is out among the account's own.
"""

from __future__ import annotations

from postsched.platforms.threads.adapter import Threads

__all__ = ["Threads"]
