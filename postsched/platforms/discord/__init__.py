"""Discord: messages to one channel, by a webhook or by a bot (API v10).

`adapter` speaks the engine's language, `access` reads the secret, which is an address, `api` makes
the calls, `refusals` knows what the answers mean, `content` what a message is made of; `lookup`
finds a message whose answer was lost.
"""

from __future__ import annotations

from postsched.platforms.discord.adapter import Discord

__all__ = ["Discord"]
