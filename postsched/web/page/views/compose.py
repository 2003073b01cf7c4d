"""The composer: a post written, or one that is there changed; shown as each network would."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePath

from starlette.datastructures import UploadFile
from starlette.responses import Response
from starlette.routing import Route

from postsched.domain.draft import Draft
from postsched.domain.errors import InvalidInput, NotAllowed, PostschedError
from postsched.domain.post import Media
from postsched.domain.scope import Scope
from postsched.domain.when import describe
from postsched.service import editing, posts, proposing, uploads
from postsched.service.compose import Composed
from postsched.service.drafts import fingerprint, with_media
from postsched.service.previewing import Preview, preview
from postsched.store import accounts as account_rows
from postsched.web.page import composing
from postsched.web.page.composing import Attached, Fields
from postsched.web.page.visit import Visit, view
from postsched.web.postings import expect_draft

BLOCK = 1 << 20
MORNING = "09:00"


@view(Scope.DRAFT)
def form(visit: Visit) -> Response:
    """An empty form, or that of a post."""
    before, known = _before(visit, visit.asked("post"))
    fields = composing.fields_of(before) if before else Fields()
    if not before and (day := visit.asked("day")):
        fields = replace(fields, at=f"{day[:10]} {MORNING}")
    try:
        found = _looked_at(visit, fields, before, known)
    except PostschedError as error:
        return _page(visit, fields, before, fault=error)
    return _page(visit, fields, before, found)


@view(Scope.DRAFT)
def compose(visit: Visit) -> Response:
    """What a person wants of the form: files taken in, a part more, a look, or the post written."""
    before, known = _before(visit, visit.text("post"))
    fields = composing.fields_from(visit)
    try:
        fields = replace(fields, media=(*fields.media, *_uploaded(visit)))
        do = visit.text("do")
        if do == "part":
            return _page(visit, replace(fields, parts=(*fields.parts, "")), before)
        if do in ("draft", "schedule", "save"):
            return _write(visit, fields, before, known)
        return _page(visit, fields, before, _looked_at(visit, fields, before, known))
    except PostschedError as error:
        return _faulty(visit, fields, before, known, error)


@view(Scope.DRAFT)
def look(visit: Visit) -> Response:
    """What each network would show, while a person writes."""
    before, known = _before(visit, visit.text("post"))
    fields = composing.fields_from(visit)
    try:
        found = _looked_at(visit, fields, before, known)
    except PostschedError as error:
        return visit.page("look.html", look=None, trouble=error, waits=False)
    return visit.page("look.html", look=found, trouble=None, waits=False)


def _faulty(
    visit: Visit, fields: Fields, before: Draft | None, known: Sequence[Media], why: PostschedError
) -> Response:
    """The form again, with what is wrong; and what the networks would show, as far as that can be
    told."""
    try:
        found = _looked_at(visit, fields, before, known)
    except PostschedError:
        found = None
    return _page(visit, fields, before, found, why, 422)


def _looked_at(
    visit: Visit, fields: Fields, before: Draft | None, known: Sequence[Media]
) -> Preview | None:
    if not fields.to:
        return None
    draft = composing.draft_of(fields, before)
    return preview(visit.desk, uploads.as_kept(visit.desk, draft, known))


def _write(visit: Visit, fields: Fields, before: Draft | None, known: Sequence[Media]) -> Response:
    """Write the post. Raises PostschedError for what can't be taken."""
    do = visit.text("do")
    draft = uploads.as_kept(visit.desk, composing.draft_of(fields, before), known)
    if do != "save":
        draft = replace(draft, draft=do == "draft")
    expect_draft(visit.who, draft=draft.draft and (before is None or before.draft))
    if not draft.to:
        raise InvalidInput("it isn't said where it goes", "Choose an account")
    if before is None:
        added = posts.add(visit.desk, draft, author=visit.who.author)
        assert added.id is not None
        return visit.go(f"/posts/{added.id}", _sentence(visit, added.id, added.composed))
    if fields.seen != fingerprint(before):
        raise NotAllowed("the post was changed by somebody else meanwhile", "Open it anew")
    post_id = visit.number("post")
    done = editing.edit(visit.desk, post_id, before, draft) if draft != before else None
    return visit.go(f"/posts/{post_id}", _sentence(visit, post_id, done))


def _sentence(visit: Visit, post_id: int, done: Composed | None) -> str:
    if done is None:
        return "Nothing was changed"
    first = done.occurrence or done.schedule.first()
    said = f": {describe(first, visit.desk.now(), visit.desk.zone)}" if first else ""
    word = "is a draft" if done.draft else "is scheduled"
    return " ".join((f"Post {post_id} {word}{said}.", *done.notes))


def _before(visit: Visit, named: str) -> tuple[Draft | None, Sequence[Media]]:
    """The post that the form is of, as a draft, and its media; none for a new one. Raises
    Forbidden where it is none of theirs."""
    if not named:
        return None, ()
    if not named.isascii() or not named.isdigit() or len(named) > 18:
        raise InvalidInput(f"{named[:40]!r} is no post", "Open it from a list")
    with visit.desk.database.read() as connection:
        before, known = with_media(connection, int(named))
        if visit.who.author is not None:
            proposing.expect_own(connection, int(named), before, visit.who.author)
    return before, known


def _uploaded(visit: Visit) -> Sequence[Attached]:
    """The files that came with the form, kept; each with the alt text that is still to come."""
    found = []
    for one in visit.form.getlist("file"):
        if not isinstance(one, UploadFile) or not one.filename:
            continue
        name = PurePath(one.filename.replace("\\", "/")).name
        with uploads.incoming(visit.desk) as file:
            with file.open("wb") as written:
                while block := one.file.read(BLOCK):
                    written.write(block)
            kept = uploads.keep(visit.desk, file, name)
        found.append(Attached(kept.path or name, ""))
    return found


def _page(
    visit: Visit,
    fields: Fields,
    before: Draft | None,
    found: Preview | None = None,
    fault: PostschedError | None = None,
    status: int = 200,
) -> Response:
    with visit.desk.database.read() as connection:
        accounts = account_rows.every(connection)
        groups = account_rows.all_groups(connection)
    post_id = visit.text("post") or visit.asked("post")
    return visit.page(
        "compose.html", status, fields=fields, accounts=accounts, groups=groups, before=before,
        post_id=post_id if before else "", look=found, fault=fault, repeats=composing.REPEATS,
        stale=before is not None and isinstance(fault, NotAllowed),
    )  # fmt: skip


ROUTES = [
    Route("/compose", form, methods=["GET"]),
    Route("/compose", compose, methods=["POST"]),
    Route("/compose/look", look, methods=["POST"]),
]
