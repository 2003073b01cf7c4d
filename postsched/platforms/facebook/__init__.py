"""Facebook, by Meta's Graph API: the posts of a Page. Profiles of persons take none.

`adapter` speaks the engine's language, `ability` says what a Page can do, `page` which one it is,
`content` what a post is made of, `film` brings films there, `lookup` finds a post whose answer was
lost; all else it has in common with its siblings, in `platforms/graph`.
"""

from __future__ import annotations

from postsched.platforms.facebook.adapter import Facebook

__all__ = ["Facebook"]
