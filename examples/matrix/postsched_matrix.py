"""Matrix as a platform of postsched: a post is a message in a room.

Source: Matrix Client-Server API v1.11 (https://spec.matrix.org/v1.11/client-server-api/).

It shows all that a plug-in has to do: say what the network can do, and write the happy path of four
calls. What goes wrong is judged by postsched: httpx's errors pass through, and `_checked` raises
what the server refuses. That it keeps the contract is shown by test_postsched_matrix.py.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from postsched.domain.capabilities import Capabilities, Guarantee, TextRules, Unit
from postsched.domain.outcome import ErrorKind, Published
from postsched.domain.post import Visibility
from postsched.platforms.base import Login, Message, Platform, PlatformError, Prepared
from postsched.platforms.judging import raise_for_answer

if TYPE_CHECKING:  # httpx takes a tenth of a second, and `postsched list` needs none of it
    import httpx

LIMIT = 16_000
"""An event has 65,536 bytes at the most, and a character up to 4."""
MARK = "org.postsched.key"
"""The field of our events that has the post's key: by it one whose answer was lost is found."""
LONGEST_LOOK = 20
"""Pages of a hundred events that are looked through for it."""
SLACK = timedelta(minutes=10)
"""How far the server's clock may be from ours."""


class Matrix(Platform):
    """Plain text messages, parts of a thread as replies, in one room."""

    name = "matrix"
    title = "Matrix"
    login_hint = "an access token (in Element: All settings, Help & About, Access Token)"
    needs_user = "the id of the room, such as !AbCdEf:example.org"

    async def inspect(self, login: Login, http: httpx.AsyncClient) -> dict[str, Any]:
        """Ask who that is, and whether they are in the room."""
        me = await _call(login, http, "GET", "account/whoami")
        rooms = await _call(login, http, "GET", "joined_rooms")
        if login.user not in rooms["joined_rooms"]:
            raise PlatformError(
                ErrorKind.INVALID,
                f"{me['user_id']} is not in the room {login.user}",
                hint="Join it first; its id is in the room's settings, under Advanced",
            )
        return {"user": me["user_id"]}

    def capabilities(self, facts: Mapping[str, Any]) -> Capabilities:
        """Text only. That a server remembers transaction ids is not promised for any time, so a
        lost answer is settled by looking for the post."""
        return Capabilities(
            text=TextRules(LIMIT, Unit.CODE_POINTS),
            guarantee=Guarantee(can_look_up=True, prepares_alike=True),
            thread=True,
            visibilities=frozenset({Visibility.PUBLIC}),
            delete=True,
            notes=("Whoever is in the room can read it.",),
        )

    async def prepare(
        self, message: Message, login: Login, http: httpx.AsyncClient
    ) -> dict[str, Any]:
        """Freeze the event; nobody is asked."""
        text = self.wording(message, login.facts).text  # with the link, where there is one
        return {"event": {"msgtype": "m.text", "body": text, MARK: message.key}}

    async def publish(
        self, prepared: Prepared, key: str, login: Login, http: httpx.AsyncClient
    ) -> Published:
        """Send it, as a reply to the part before. The key is the transaction id: the same within
        the server's memory is the same event."""
        event = dict(prepared.data["event"])
        if prepared.parent:
            event["m.relates_to"] = {"m.in_reply_to": {"event_id": prepared.parent.remote_id}}
        path = f"{_room(login)}/send/m.room.message/{key}"
        return _published(login, await _call(login, http, "PUT", path, json=event))

    async def find(
        self,
        prepared: Prepared,
        key: str,
        login: Login,
        http: httpx.AsyncClient,
        since: datetime,
    ) -> Published | None:
        """Go back through the room to when it may have been sent, and look for our mark."""
        earliest = (since - SLACK).timestamp() * 1000
        async for event in _events(login, http):
            if event["content"].get(MARK) == key:
                return _published(login, event)
            if event["origin_server_ts"] < earliest:
                return None
        return None

    async def delete(self, published: Published, login: Login, http: httpx.AsyncClient) -> None:
        """Redact the event, which may be done again."""
        event = published.remote_id
        again = sha256(event.encode()).hexdigest()  # the same transaction each time
        path = f"{_room(login)}/redact/{quote(event, safe='')}/{again}"
        await _call(login, http, "PUT", path, json={})


async def _events(login: Login, http: httpx.AsyncClient) -> AsyncIterator[dict[str, Any]]:
    """The room's events, newest first."""
    params = {"dir": "b", "limit": "100"}
    for _ in range(LONGEST_LOOK):
        page = await _call(login, http, "GET", f"{_room(login)}/messages", params=params)
        for event in page["chunk"]:
            yield event
        if "end" not in page:  # that was the room's beginning
            return
        params["from"] = page["end"]
    # Asking again is of no use: a person decides.
    raise PlatformError(
        ErrorKind.UNCONFIRMED, "more happened in the room than can be looked through"
    )


async def _call(
    login: Login, http: httpx.AsyncClient, method: str, path: str, **more: Any
) -> dict[str, Any]:
    """The JSON object that the server answers with."""
    headers = {"Authorization": f"Bearer {_token(login)}"}
    url = f"{login.url}/_matrix/client/v3/{path}"
    response = await http.request(method, url, headers=headers, **more)
    _check(response)
    document: dict[str, Any] = response.json()
    return document


def _check(response: httpx.Response) -> None:
    """Raise what a refusal means. postsched knows what HTTP says; Matrix tells of its own how long
    to wait (section "Rate limiting"), and what is wrong in words."""
    if response.is_success:
        return
    try:
        document = response.json()
        words, wait = str(document["error"]), document.get("retry_after_ms")
    except (ValueError, KeyError, TypeError):  # a proxy's page
        words, wait = None, None
    if response.status_code == 429 and "retry-after" not in response.headers and wait is not None:
        raise PlatformError(
            ErrorKind.RATE_LIMIT, words or "too many", http_status=429, after=wait / 1000
        )
    raise_for_answer(response, words)


def _token(login: Login) -> str:
    """The secret, which must not break the request: the error would show it."""
    token = login.secret.text if login.secret else ""
    if not re.fullmatch(r"[\x21-\x7e]+", token):
        raise PlatformError(ErrorKind.AUTH, "the secret is no access token of Matrix")
    return token


def _room(login: Login) -> str:
    return f"rooms/{quote(login.user or '', safe='')}"


def _published(login: Login, event: Mapping[str, Any]) -> Published:
    number = str(event["event_id"])
    return Published(number, f"https://matrix.to/#/{login.user}/{quote(number, safe='$')}")
