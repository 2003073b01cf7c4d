"""X, by its API version 2.

`adapter` speaks the engine's language, `media` uploads, `lookup` finds a post whose answer was
lost; `api` makes the calls, signed by `credentials`, and `refusals` knows what the answers mean.
"""

from __future__ import annotations

from postsched.platforms.x.adapter import X

__all__ = ["X"]
