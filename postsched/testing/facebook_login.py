"""Facebook Login on loopback: a person, their Pages, and the tokens of both (fact sheet, section
2)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from postsched.testing.graph import (
    APP_ID,
    APP_SECRET,
    DAY,
    SECOND,
    TOKEN,
    Refusal,
    invalid,
    known,
    token_in,
)
from postsched.testing.wire import Answer, Request

PERSON, PERSON_TOKEN = "10150000000000001", "EAAplantedpersontoken0001"
SCOPES = ["pages_show_list", "pages_read_engagement", "pages_manage_posts"]
ALL_TASKS = ("ADVERTISE", "ANALYZE", "CREATE_CONTENT", "MESSAGING", "MODERATE", "MANAGE")


@dataclass(frozen=True, slots=True)
class PageRow:
    """A Page of the person's; `account` is the Instagram account that belongs to it."""

    id: str
    name: str
    tasks: tuple[str, ...] = ALL_TASKS
    account: tuple[str, str] | None = None

    def row(self, fields: set[str], token: str) -> dict[str, Any]:
        """The Page, as it is shown to the person."""
        linked = {"id": self.account[0], "username": self.account[1]} if self.account else None
        whole = {
            "id": self.id, "name": self.name, "access_token": token, "tasks": list(self.tasks),
            "instagram_business_account": linked,
        }  # fmt: skip
        return {name: whole[name] for name in whole if name in fields and whole[name] is not None}


class FacebookLogin:
    """The tokens. TOKEN is that of the first page; `live` maps a token to whose it is. `in_header`
    says whether tokens are taken from the header, `per_page` how many Pages a list has, `scopes`
    what the app says that every token may do."""

    def __init__(self, clock: Callable[[], int], *pages: PageRow, in_header: bool = True) -> None:
        self.pages = list(pages)
        self.live = {TOKEN: self.pages[0].id, PERSON_TOKEN: PERSON}
        self.in_header = in_header
        self.per_page = 100
        self.scopes = list(SCOPES)
        self.data_access_ends = clock() + 90 * DAY
        self._clock = clock
        self._codes: dict[str, str] = {}
        self._short: set[str] = set()
        self._url = ""

    def require(self, request: Request, given: Mapping[str, str]) -> str:
        """The token of a request that may be made; `given` are its parameters."""
        token = token_in(request, given, in_header=self.in_header)
        if token not in self.live:
            raise Refusal(190, 463, "Error validating access token: Session has expired", 401)
        return token

    def page(self, token: str) -> PageRow:
        """The Page of a token; refused for that of a person."""
        for page in self.pages:
            if page.id == self.live.get(token):
                return page
        raise Refusal(200, None, "(#200) The user hasn't authorized the application to perform "
                      "this action", 403)  # fmt: skip

    def authorize(self, query: Mapping[str, str]) -> Answer:
        """Consent at once, and send back with a code."""
        known(query, {"client_id", "redirect_uri", "state", "scope", "response_type"})
        uri = query.get("redirect_uri", "")
        if not uri.startswith("https://") or query.get("client_id") != APP_ID:
            raise Refusal(1349187, None, "Insecure login blocked, or unknown app")
        if " " in query.get("scope", " "):
            raise Refusal(1349048, None, "Invalid scopes: they are parted by commas")
        code = self._new("code")
        self._codes[code] = uri
        back = urlencode({"code": code, "state": query.get("state", "")})
        return Answer(302, b"", {"Location": f"{uri}?{back}#_=_"})

    def token(self, query: Mapping[str, str]) -> Answer:
        """A code for a token of an hour, or that for one of 60 days."""
        if query.get("client_id") != APP_ID or query.get("client_secret") != APP_SECRET:
            raise Refusal(101, None, "Error validating client secret.")
        if query.get("grant_type") == "fb_exchange_token":
            known(query, {"grant_type", "client_id", "client_secret", "fb_exchange_token"})
            if query.get("fb_exchange_token") not in self._short:
                raise Refusal(190, None, "Invalid OAuth access token.")
            return self._given(self._new("long"), 60 * DAY)
        known(query, {"client_id", "client_secret", "redirect_uri", "code"})
        if self._codes.pop(query.get("code", ""), None) != query.get("redirect_uri"):
            raise Refusal(100, 36009, "This authorization code has been used.")
        token = self._new("short")
        self._short.add(token)
        return self._given(token, 2 * 3600 * SECOND)

    def accounts(self, query: Mapping[str, str], url: str) -> Answer:
        """The Pages of the person, a few at a time; `url` is where the list is."""
        known(query, {"fields", "limit", "after", "access_token"})
        token = query["access_token"]
        if self.live[token] != PERSON:
            raise Refusal(100, None, "(#100) Tried accessing nonexisting field (accounts) on node "
                          "type (Page)")  # fmt: skip
        if token in self._short:
            raise invalid("a Page token of a person's token of an hour ends with it")
        fields, first = _names(query.get("fields", "id,name")), int(query.get("after") or 0)
        size = min(self.per_page, int(query.get("limit", "25")))
        rows = [page.row(fields, self._of(page)) for page in self.pages[first : first + size]]
        body: dict[str, Any] = {"data": rows}
        if first + size < len(self.pages):
            after = {**query, "after": str(first + size)}
            body["paging"] = {"cursors": {"after": after["after"]},
                              "next": f"{url}?{urlencode(after)}"}  # fmt: skip
        return Answer(200, body)

    def me(self, query: Mapping[str, str]) -> Answer:
        """Whose token it is."""
        known(query, {"fields", "access_token"})
        fields, token = _names(query.get("fields", "id,name")), query["access_token"]
        if self.live[token] == PERSON:
            if lacking := fields - {"id", "name"}:
                raise Refusal(100, None, f"(#100) Tried accessing nonexisting field {lacking} on "
                              "node type (User)")  # fmt: skip
            return Answer(200, {"id": PERSON, "name": "Petra Person"})
        return Answer(200, self.page(token).row(fields, token))

    def about(self, query: Mapping[str, str]) -> Answer:
        """What the app is told of a token."""
        known(query, {"input_token", "access_token"})
        if query.get("access_token") != f"{APP_ID}|{APP_SECRET}":
            raise Refusal(190, None, "Invalid OAuth access token signature.", 401)
        data = {
            "is_valid": query.get("input_token") in self.live, "expires_at": 0,
            "data_access_expires_at": self.data_access_ends // SECOND, "scopes": self.scopes,
        }  # fmt: skip
        return Answer(200, {"data": data})

    def _of(self, page: PageRow) -> str:
        """The token of a Page, a new one each time."""
        token = self._new(f"page-{page.id}")
        self.live[token] = page.id
        return token

    def _given(self, token: str, life: int) -> Answer:
        self.live[token] = PERSON
        body = {"access_token": token, "token_type": "bearer", "expires_in": life // SECOND}
        return Answer(200, body)

    def _new(self, kind: str) -> str:
        """A name nobody can guess, which a search for leaked secrets finds."""
        seed = f"{kind} {len(self.live)} {len(self._codes)} {id(self)}"
        return f"graph-{kind}-{hashlib.sha256(seed.encode()).hexdigest()[:32]}"


def _names(fields: str) -> set[str]:
    """The fields that are asked for, without those of what they lead to."""
    depth, name, found = 0, "", set()
    for char in f"{fields},":
        depth += (char == "{") - (char == "}")
        if char == "," and depth == 0:
            found.add(name.partition("{")[0])
            name = ""
        else:
            name += char
    return found
