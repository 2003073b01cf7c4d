"""One request of a browser: who looks, the form that came, and the page that goes back."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from postsched.domain.errors import InvalidInput
from postsched.domain.scope import Scope
from postsched.service.desk import Desk
from postsched.web.auth import Principal
from postsched.web.page.session import session_of, viewer
from postsched.web.page.templates import render

SAID = "postsched_said"
"""The cookie with what the next page is to say."""
WORD = "word"
"""The field of a form that says that it is ours."""
MOST_FIELDS = 500
LARGEST_FIELD = 1_000_000
PLAIN_MEGABYTES = 4
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "media-src 'self' blob:; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True)
class Visit:
    """A request. `form` has what came with it; empty where nothing did."""

    request: Request
    desk: Desk
    who: Principal
    form: FormData = field(default_factory=FormData)

    @property
    def address(self) -> str:
        """What was asked for, as a path here."""
        query = self.request.url.query
        return f"{self.request.url.path}?{query}" if query else self.request.url.path

    @property
    def may_write(self) -> bool:
        """Whether more than drafts can be written."""
        return self.who.scope.allows(Scope.WRITE)

    @property
    def may_draft(self) -> bool:
        """Whether drafts can be written."""
        return self.who.scope.allows(Scope.DRAFT)

    def may_change(self, author: str | None) -> bool:
        """Whether a draft can be changed that `author` has proposed (None: nobody had to)."""
        return self.may_write or (author is not None and author == self.who.author)

    def text(self, name: str) -> str:
        """A field of the form, empty where it is missing or a file."""
        found = self.form.get(name)
        return found.replace("\r\n", "\n") if isinstance(found, str) else ""

    def number(self, name: str) -> int:
        """A field of the form that is the id of something. Raises InvalidInput."""
        return _id(self.text(name), name)

    def numbers(self, name: str) -> list[int]:
        """All fields of that name, each the id of something. Raises InvalidInput."""
        return [_id(one, name) for one in self.form.getlist(name)]

    def asked(self, name: str) -> str:
        """A parameter of the address."""
        return self.request.query_params.get(name, "")

    def page(self, name: str, status: int = 200, **context: Any) -> Response:
        """A page made of a template."""
        shown = {
            "visit": self,
            "path": self.request.url.path,
            "word": self.request.app.state.forms.word(session_of(self.request)),
            "said": _said(self.request),
            **context,
        }
        answer = HTMLResponse(render(name, self.desk, shown), status)
        answer.headers["Content-Security-Policy"] = CONTENT_POLICY
        if SAID in self.request.cookies:
            answer.delete_cookie(SAID, path="/", httponly=True, samesite="strict")
        return answer

    def go(self, to: str, said: str | None = None) -> Response:
        """On to another page of ours, which says what was done."""
        answer = RedirectResponse(to if is_ours(to) else "/", 303)
        if said:
            value = base64.urlsafe_b64encode(json.dumps(said[:1000]).encode()).decode()
            answer.set_cookie(SAID, value, max_age=60, path="/", httponly=True, samesite="strict")
        return answer

    def back(self, said: str | None = None) -> Response:
        """Back to where the form was, or to the beginning."""
        return self.go(self.text("back") or "/", said)


View = Callable[[Visit], Response]
Endpoint = Callable[[Request], Awaitable[Response]]


def view(needed: Scope = Scope.READ) -> Callable[[View], Endpoint]:
    """A page as an endpoint: who looks is found first, then a form is read, then the page is made
    in a thread, where it may block."""

    def made(show: View) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            who = await viewer(request)
            if not who.scope.allows(needed):
                why = f"{who.name.partition(':')[2] or who.name} may only {who.scope}"
                raise HTTPException(403, f"{why}, and this needs the scope {needed}")
            desk = request.app.state.desk()
            if request.method in ("GET", "HEAD"):
                return await run_in_threadpool(show, Visit(request, desk, who))
            expect_bounded(request, desk.settings.web.upload_mb)
            async with request.form(
                max_files=10, max_fields=MOST_FIELDS, max_part_size=LARGEST_FIELD
            ) as form:
                _expect_ours(request, form)
                return await run_in_threadpool(show, Visit(request, desk, who, form))

        return endpoint

    return made


def is_ours(to: str) -> bool:
    """Whether an address is a path here: no browser takes it for another host."""
    return to.startswith("/") and not to.startswith(("//", "/\\")) and to.isprintable()


def sign_in_address(request: Request) -> str:
    """Where to sign in, to come back to what was asked for."""
    wanted = request.url.path if request.method == "GET" else "/"
    if request.method == "GET" and request.url.query:
        wanted += f"?{request.url.query}"
    return f"/login?next={quote(wanted, safe='')}"


def expect_bounded(request: Request, megabytes: int) -> None:
    """Raise HTTPException for a form of which it isn't said how large it is, or that is too large.
    Files are written to the disk as they come, all else is held in memory."""
    length = request.headers.get("content-length", "")
    if not length.isdigit():
        raise HTTPException(411, "it isn't said how large the form is")
    files = request.headers.get("content-type", "").startswith("multipart/")
    most = (megabytes if files else PLAIN_MEGABYTES) * 1_000_000
    if int(length[:20]) > most:
        raise HTTPException(413, f"that is more than {most:,} bytes: send less at once")


def _id(written: object, name: str) -> int:
    text = written if isinstance(written, str) else ""
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise InvalidInput(f"{text[:40]!r} is no number", f"Give the id as {name}")
    return int(text)


def _expect_ours(request: Request, form: FormData) -> None:
    word = form.get(WORD)
    ours = request.app.state.forms
    if not isinstance(word, str) or not ours.is_ours(session_of(request), word):
        raise HTTPException(403, "this form is old, or not of this page: load it anew")


def _said(request: Request) -> str | None:
    try:
        said = json.loads(base64.urlsafe_b64decode(request.cookies.get(SAID, "")))
    except (ValueError, binascii.Error):
        return None
    return said if isinstance(said, str) else None
