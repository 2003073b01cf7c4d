"""LinkedIn, by its versioned Posts API: the profile of a person, or the page of an organization.

`adapter` speaks the engine's language, `author` knows in whose name it posts, `ability` what the
account can do and how text is written, `content` is what a post shows below its text, `upload`
brings the files there, `comment` is the first comment; `duplicate` and `lookup` settle a lost
answer; `introspection` asks when a token ends; `urn` reads LinkedIn's names, `api` makes the calls
and `refusal` judges the answers.
"""

from __future__ import annotations

from postsched.platforms.linkedin.adapter import LinkedIn

__all__ = ["LinkedIn"]
