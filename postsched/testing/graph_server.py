"""What loopback servers in Meta's Graph style do alike: requests to what answers them, ids, tokens
of Instagram's and Threads' logins, and the publishing of containers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from postsched.domain.secret import Secret
from postsched.platforms.base import Login
from postsched.testing.facebook_login import FacebookLogin
from postsched.testing.graph import DAY, TOKEN, Container, Refusal, Tokens
from postsched.testing.loopback import Loopback
from postsched.testing.wire import Answer, Request

Act = Callable[..., Answer]
Route = tuple[str, str, bool, Act]
"""Method, path (a regular expression), whether it needs a token, and what answers it: from the
parameters, `access_token` among them, and the groups of the path."""


class GraphServer(Loopback):
    """A server with `routes`, and one account. Its ids count up from `first_id`."""

    routes: ClassVar[tuple[Route, ...]]
    first_id: ClassVar[int]
    tokens: Tokens | FacebookLogin

    request: Request
    """The one that is being answered, and the files in it."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.files: dict[str, bytes] = {}
        self._ids = self.first_id

    def login(self, account: str = "me") -> Login:
        """A login to the server's one account."""
        return Login(account, self.url, Secret(TOKEN))

    def answer(self, request: Request) -> Answer:
        """What the network answers."""
        given = dict(request.query)
        self.files, self.request = {}, request
        if request.method == "POST" and "form" in request.headers.get("content-type", ""):
            fields = request.form
            self.files = {n: content for n, (file, content) in fields.items() if file is not None}
            given |= {n: v.decode() for n, (file, v) in fields.items() if file is None}
        try:
            for method, path, needs_token, act in self.routes:
                match = re.fullmatch(path, request.path)
                if match and method == request.method:
                    if needs_token:
                        given["access_token"] = self.tokens.require(request, given)
                    return act(self, given, *match.groups())
            raise Refusal(2500, None, f"Unknown path components: {request.path}")
        except Refusal as refusal:
            return refusal.answer

    def new_id(self) -> str:
        """The next id."""
        self._ids += 1
        return str(self._ids)


class ContainerServer(GraphServer):
    """One with containers. `quota` is the posts of a day; `polls` how often the state of media is
    asked before they are ready; `lag` the seconds for which a published one is still FINISHED."""

    def __init__(
        self, *, quota: int | str, polls: int | str = 0, lag: float | str = 0, **more: Any
    ) -> None:
        super().__init__(**more)
        self.quota, self.polls, self.lag = int(quota), int(polls), float(lag)
        self.containers: dict[str, Container] = {}

    def expire(self) -> None:
        """Let a day pass for the containers."""
        for container in self.containers.values():
            container.at -= DAY

    def shown(self, container: Container, published_at: int | None) -> str:
        """The state of a container as it is shown, asked for now."""
        state = container.look(self.clock())
        if published_at is not None and self.clock() - published_at < self.lag * 10**9:
            return "FINISHED"
        return state

    def publishable(self, given: Mapping[str, str]) -> Container:
        """The container that is to be published. Raises Refusal where it can't be."""
        container = self.containers.get(given.get("creation_id", ""))
        gone = Refusal(24, 2207006, "The media with the given id could not be found")
        if container is None or container.form.get("is_carousel_item"):
            raise gone
        refusals = {
            "IN_PROGRESS": Refusal(9007, 2207027, "Media ID is not available"),
            "EXPIRED": Refusal(-2, 2207020, "The media you are trying to access has expired"),
            "ERROR": Refusal(-1, 2207032, "Create media fail, please try to re-create media"),
            "PUBLISHED": gone,
        }
        if refusal := refusals.get(container.look(self.clock())):
            raise refusal
        return container

    def authorize(self, given: Mapping[str, str]) -> Answer:
        """Consent."""
        return self._own_tokens().authorize(given)

    def token(self, given: Mapping[str, str]) -> Answer:
        """A code for a token."""
        return self._own_tokens().first(given)

    def exchange(self, given: Mapping[str, str]) -> Answer:
        """A token of an hour for one of 60 days."""
        return self._own_tokens().exchange(given)

    def refresh(self, given: Mapping[str, str]) -> Answer:
        """60 days more."""
        return self._own_tokens().refresh(given)

    def _own_tokens(self) -> Tokens:
        if not isinstance(self.tokens, Tokens):
            raise Refusal(2500, None, "Unknown path components")
        return self.tokens


LOGIN_ROUTES: tuple[Route, ...] = (
    ("GET", "/oauth/authorize", False, ContainerServer.authorize),
    ("POST", "/oauth/access_token", False, ContainerServer.token),
    ("GET", "/access_token", False, ContainerServer.exchange),
    ("GET", "/refresh_access_token", False, ContainerServer.refresh),
)
"""The logins of Instagram and Threads."""


def iso(at: int) -> str:
    """A time in nanoseconds since the epoch, as Graph writes it."""
    return datetime.fromtimestamp(at // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
