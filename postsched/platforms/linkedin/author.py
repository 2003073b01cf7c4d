"""In whose name an account posts: the person whose token it is, or an organization.

`--user` names an organization by its number or URN (`12345`, `urn:li:organization:12345`). Anything
else but a URN is the person's own name, which says nothing here.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any

from postsched.domain.outcome import ErrorKind
from postsched.platforms.base import Login, PlatformError
from postsched.platforms.linkedin.api import Api
from postsched.platforms.linkedin.refusal import json_object, judge, read, unreadable
from postsched.platforms.linkedin.urn import in_path

ORGANIZATION = re.compile(r"(?:(?:urn:li:)?organization:)?([0-9]{1,19})")
PERSON = re.compile(r"urn:li:person:[A-Za-z0-9_-]+")
SUBJECT = re.compile(r"[A-Za-z0-9_-]+")
NEW_TOKEN = 65601
"""What a token that was made just now can be refused with, for some seconds."""
PATIENCE = 5.0
"""Seconds before such a token is tried once more."""


def organization(login: Login) -> str | None:
    """The URN of the organization that the account posts for, None for a person's own.

    Raises PlatformError(INVALID) for a URN of anything else.
    """
    user = (login.user or "").strip()
    if found := ORGANIZATION.fullmatch(user):
        return f"urn:li:organization:{found[1]}"
    if re.match("urn:|organization:", user) and not PERSON.fullmatch(user):
        raise PlatformError(
            ErrorKind.INVALID,
            f"{user!r} names neither an organization nor a person",
            hint="Give --user urn:li:organization:NUMBER or the number alone; nobody for yourself",
        )
    return None


async def author(login: Login, api: Api) -> str:
    """The URN in whose name to post: known from the facts, else LinkedIn is asked."""
    if named := organization(login):
        return named
    known = login.facts.get("author")
    if isinstance(known, str) and PERSON.fullmatch(known):
        return known
    return str((await _person(login, api))["author"])


async def inspect(login: Login, api: Api) -> dict[str, Any]:
    """The account's facts: `user`, `author` (a URN), `kind` (person or organization), and for an
    organization `look_up`, whether its posts can be read."""
    named = organization(login)
    if named is None:
        return await _person(login, api)
    response = await api.get(posts_of(named), "FINDER")
    if response.status_code != 403:
        judge(response, api.now)
    return {
        "user": named, "author": named, "kind": "organization", "look_up": response.is_success,
    }  # fmt: skip


def posts_of(author: str, count: int = 20) -> str:
    """Where the newest posts of an author are listed."""
    return f"posts?author={in_path(author)}&q=author&count={count}&sortBy=CREATED"


async def _person(login: Login, api: Api) -> dict[str, Any]:
    response = await api.who()
    if response.status_code == 401 and read(response).service_code == NEW_TOKEN:
        await asyncio.sleep(PATIENCE)
        response = await api.who()
    judge(response, api.now)
    body = json_object(response)
    subject = body.get("sub")
    if not isinstance(subject, str) or not SUBJECT.fullmatch(subject):
        raise unreadable(response, "whose token it is")
    urn = f"urn:li:person:{subject}"
    if PERSON.fullmatch(login.user or "") and login.user != urn:
        raise PlatformError(
            ErrorKind.INVALID, f"the token is that of {urn}, not of {login.user}",
            hint="Leave --user out to post as yourself",
        )  # fmt: skip
    return {"user": _name(body.get("name"), urn), "author": urn, "kind": "person"}


def _name(name: object, urn: str) -> str:
    """The person's name, unless it could be taken for an organization: it is kept as the user."""
    text = " ".join(name.split()) if isinstance(name, str) else ""
    return urn if not text or ORGANIZATION.fullmatch(text) or ":" in text else text
