"""A network of which only the login matters: its refresh tokens work once, as the sheet of X says
(section 2). The token endpoint takes exactly what it should be sent, and rotates as soon as it has
read a request, whether or not its answer arrives.
"""

from __future__ import annotations

import threading
from typing import Any, ClassVar

from postsched.testing.loopback import Loopback
from postsched.testing.network import Seen
from postsched.testing.wire import Answer, Request

CLIENT = "app-of-ours"
FORM = {"grant_type", "refresh_token", "client_id"}


class TokenServer(Loopback):
    """See the module. `rotations` counts the refreshes; `access` are the tokens that live."""

    publishing: ClassVar[tuple[str, str]] = ("POST", "/token")

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.rotations = 0
        self.access: set[str] = set()
        self.refresh = ""
        self.lock = threading.Lock()
        self._number = 0

    def answer(self, request: Request) -> Answer:
        with self.lock:
            if (request.method, request.path) == ("POST", "/token"):
                return self._token(request)
            if (request.method, request.path) == ("GET", "/me"):
                return self._me(request)
        return Answer(404, {"error": "not found"})

    def posts(self) -> list[Seen]:
        return []

    def log_in(self) -> dict[str, str]:
        """A pair for a person who has logged in."""
        with self.lock:
            return self._pair()

    def end_access(self) -> None:
        """Let two hours pass."""
        with self.lock:
            self.access.clear()

    def _token(self, request: Request) -> Answer:
        form = {name: value.decode() for name, (_, value) in request.form.items()}
        if set(form) != FORM or form["client_id"] != CLIENT:
            return Answer(400, {"error": "invalid_request"})
        if form["grant_type"] != "refresh_token" or form["refresh_token"] != self.refresh:
            said = {"error": "invalid_request",
                    "error_description": "Value passed for the token was invalid."}  # fmt: skip
            return Answer(400, said)
        self.rotations += 1
        return Answer(
            200, {"token_type": "bearer", "expires_in": 7200, "scope": "all", **self._pair()}
        )

    def _pair(self) -> dict[str, str]:
        self._number += 1
        access, self.refresh = f"access-{self._number}-secret", f"refresh-{self._number}-secret"
        self.access.add(access)
        return {"access_token": access, "refresh_token": self.refresh}

    def _me(self, request: Request) -> Answer:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind != "Bearer" or token not in self.access:
            return Answer(401, {"error": "Unauthorized"})
        return Answer(200, {"name": "me"})
