"""What loopback servers in Meta's Graph style have in common: errors, tokens, containers.

Whatever the fact sheets say is refused is refused, with its code and subcode.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from postsched.testing.wire import Answer, Request

SECOND = 10**9
DAY = 86400 * SECOND
TOKEN = "THAAplantedlonglivedtoken0001"  # noqa: S105 - of a server on loopback
APP_ID, APP_SECRET = "1234567890", "meta-app-secret-0001"


class Refusal(Exception):
    """An error: HTTP status, code, subcode and words."""

    def __init__(
        self, code: int, subcode: int | None, words: str, status: int = 400, **more: Any
    ) -> None:
        super().__init__(code)
        error = {"message": words, "type": "OAuthException", "code": code, "fbtrace_id": "A6Lx"}
        if subcode is not None:
            error["error_subcode"] = subcode
        self.answer = Answer(status, {"error": {**error, **more}})


def invalid(words: str) -> Refusal:
    """A parameter is wrong."""
    return Refusal(100, None, f"Invalid parameter: {words}")


@dataclass(slots=True)
class Container:
    """A draft. `polls` is how often its state is asked for before it is finished; `fails` what its
    end is then instead (a reason); times are nanoseconds since the epoch."""

    id: str
    at: int
    form: Mapping[str, str]
    polls: int = 0
    fails: str = ""
    state: str = "IN_PROGRESS"
    children: list[Container] = field(default_factory=list)

    def look(self, now: int) -> str:
        """Its state, asked for now."""
        if self.state == "IN_PROGRESS" and self.polls <= 0:
            self.state = "ERROR" if self.fails else "FINISHED"
        self.polls -= 1
        if self.state in ("IN_PROGRESS", "FINISHED") and now - self.at >= DAY:
            self.state = "EXPIRED"
        return self.state


def token_in(request: Request, given: Mapping[str, str], *, in_header: bool) -> str:
    """The token of a request, from its parameters or, where that is taken, its header."""
    header = request.headers.get("authorization", "")
    token = given.get("access_token")
    if token is None and in_header and header.startswith("Bearer "):
        token = header.removeprefix("Bearer ")
    if token is None:
        raise Refusal(2500, None, "An active access token must be used to query information "
                      "about the current user.")  # fmt: skip
    return token


class Tokens:
    """The tokens of one account, and the app by which one logs in. `live` maps a token to when it
    was given and when it ends; `in_header` says whether tokens are taken from the header."""

    def __init__(self, clock: Callable[[], int], prefix: str, *, in_header: bool) -> None:
        now = clock()
        self.live: dict[str, tuple[int, int]] = {TOKEN: (now - 2 * DAY, now + 58 * DAY)}
        self.in_header = in_header
        self.prefix = prefix
        self.short: set[str] = set()
        self._codes: dict[str, str] = {}
        self._clock = clock
        self._count = 0

    def require(self, request: Request, given: Mapping[str, str]) -> str:
        """The token of a request that may be made; `given` are its parameters."""
        token = token_in(request, given, in_header=self.in_header)
        if self.live.get(token, (0, 0))[1] <= self._clock():
            raise Refusal(190, 463, "Error validating access token: Session has expired", 401)
        return token

    def authorize(self, query: Mapping[str, str]) -> Answer:
        """Consent at once, and send back with a code."""
        uri = query.get("redirect_uri", "")
        if not uri.startswith("https://") or query.get("client_id") != APP_ID:
            raise Refusal(1349187, None, "Insecure login blocked, or unknown app")
        if query.get("response_type") != "code" or " " in query.get("scope", " "):
            raise Refusal(1349048, None, "Invalid scopes: they are parted by commas")
        code = self._new("code")
        self._codes[code] = uri
        back = urlencode({"code": code, "state": query.get("state", "")})
        return Answer(302, b"", {"Location": f"{uri}?{back}#_"})

    def first(self, form: Mapping[str, str]) -> Answer:
        """A code for a token of an hour."""
        wanted = {"client_id", "client_secret", "code", "grant_type", "redirect_uri"}
        right = form.get("client_id") == APP_ID and form.get("client_secret") == APP_SECRET
        if set(form) != wanted or not right or form["grant_type"] != "authorization_code":
            return _login_refused("Invalid client or parameters")
        if self._codes.pop(form["code"], None) != form["redirect_uri"]:
            return _login_refused("Invalid authorization code")
        token = self._give(3600 * SECOND)
        self.short.add(token)
        return Answer(200, {"access_token": token, "user_id": 17})

    def exchange(self, query: Mapping[str, str]) -> Answer:
        """A token of an hour for one of 60 days."""
        token = query.get("access_token", "")
        right = query.get("client_secret") == APP_SECRET
        if query.get("grant_type") != f"{self.prefix}_exchange_token" or not right:
            raise invalid("grant_type or client_secret")
        if token not in self.short:
            raise Refusal(452, None, "Session key invalid. This could be because the session key "
                          "has an incorrect format")  # fmt: skip
        self.short.discard(token)
        return self._lasting()

    def refresh(self, query: Mapping[str, str]) -> Answer:
        """60 days more for a token that is at least a day old."""
        given, end = self.live.get(query.get("access_token", ""), (0, 0))
        if set(query) != {"grant_type", "access_token"}:
            raise invalid("unknown parameters")
        if query["grant_type"] != f"{self.prefix}_refresh_token" or end <= self._clock():
            raise Refusal(190, 463, "Error validating access token", 400)
        if self._clock() - given < DAY:
            raise invalid("the access token is less than 24 hours old")
        return self._lasting()

    def about(self, token: str) -> Answer:
        """What debug_token says."""
        if token not in self.live:
            raise Refusal(190, None, "Invalid token", 400)
        given, end = self.live[token]
        data = {"is_valid": True, "issued_at": given // SECOND, "expires_at": end // SECOND,
                "scopes": ["threads_basic"]}  # fmt: skip
        return Answer(200, {"data": data})

    def _lasting(self) -> Answer:
        token = self._give(60 * DAY)
        return Answer(
            200, {"access_token": token, "token_type": "bearer", "expires_in": 60 * 86400}
        )

    def _give(self, life: int) -> str:
        token, now = self._new("token"), self._clock()
        self.live[token] = (now, now + life)
        return token

    def _new(self, kind: str) -> str:
        """A name nobody can guess, which a search for leaked secrets finds."""
        self._count += 1
        digest = hashlib.sha256(f"{kind} {self._count} {id(self)}".encode()).hexdigest()
        return f"graph-{kind}-{digest[:32]}"


def _login_refused(words: str) -> Answer:
    error = {"error_type": "OAuthException", "code": 400, "error_message": words}
    return Answer(400, error)


def known(given: Mapping[str, str], names: set[str]) -> None:
    """Refuse parameters that nobody knows."""
    for name in set(given) - names:
        raise invalid(f"{name} is not a known parameter")
