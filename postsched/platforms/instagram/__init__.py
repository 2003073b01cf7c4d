"""Instagram, by Meta's API for publishing: images, carousels and reels of a professional account.

`adapter` speaks the engine's language, `profile` knows which account it is and how it logs in,
`content` makes the containers of a post; all else it has in common with Threads and Facebook, in
`platforms/graph`.
"""

from __future__ import annotations

from postsched.platforms.instagram.adapter import Instagram

__all__ = ["Instagram"]
