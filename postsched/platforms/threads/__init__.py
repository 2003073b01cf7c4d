"""Threads, by its API for publishing: texts, images, films and carousels, threads of replies.

`adapter` speaks the engine's language, `ability` says what an account can do, `content` makes the
containers of a post; all else it has in common with its siblings, in `platforms/graph`.
"""

from __future__ import annotations

from postsched.platforms.threads.adapter import Threads

__all__ = ["Threads"]
