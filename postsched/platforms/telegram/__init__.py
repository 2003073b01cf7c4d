"""Telegram: a bot that posts to a channel, a group or a chat, by the Bot API.

`adapter` speaks the engine's language, `api` makes the calls, `refusals` knows what the answers
mean, `facts` what bot and chat are, `files` how each kind of file is sent, `messages` what is said
to be out; `probe` finds a post whose answer was lost.
"""

from __future__ import annotations

from postsched.platforms.telegram.adapter import Telegram

__all__ = ["Telegram"]
