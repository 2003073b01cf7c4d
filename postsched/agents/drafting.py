"""Tools that propose: drafts, which go out only when a person approves them."""

from __future__ import annotations

from postsched.agents import drafts
from postsched.agents.bench import Answer, Arguments, Bench, Tool
from postsched.agents.shapes import A_POST, CHANGES, ID, NEW
from postsched.domain.draft import Draft
from postsched.domain.post import Media
from postsched.domain.scope import Scope
from postsched.service import editing, posts, proposing, shown, unwritten
from postsched.service.desk import Desk, posts_named
from postsched.service.drafts import draft_of


def added(bench: Bench, draft: Draft) -> Answer:
    """Write a post, unless its key is there already: the post, and what to know of it."""
    done = posts.add(bench.desk, draft, author=drafts.AUTHOR if draft.draft else None)
    assert done.id is not None  # it is no dry run
    there = ["It was there already."]
    said = unwritten.notes(bench.desk, done.composed) if done.composed else there
    return Answer(document(bench.desk, done.id), said)


def edited(bench: Bench, given: Arguments, *, drafts_only: bool) -> Answer:
    """Change a post: as it is then."""
    changes = {name: value for name, value in given.items() if name != "id"}
    before = draft_of(bench.desk, given["id"])
    if drafts_only:
        with bench.desk.database.read() as connection:
            proposing.expect_own(connection, given["id"], before, drafts.AUTHOR)
    known = media_of(bench.desk, given["id"])
    after = drafts.changed(bench, before, changes, known, draft=drafts_only)
    composed = editing.edit(bench.desk, given["id"], before, after)
    return Answer(document(bench.desk, given["id"]), unwritten.notes(bench.desk, composed))


def document(desk: Desk, post_id: int) -> dict[str, object]:
    """A post as it is now."""
    with desk.database.read() as connection:
        (found,) = shown.documents(connection, [post_id])
    return shown.discreet(found)


def media_of(desk: Desk, post_id: int) -> list[Media]:
    """All media of a post."""
    with desk.database.read() as connection:
        (post,) = posts_named(connection, [post_id])
    return [one for part in post.content.parts() for one in part.media]


def _create_draft(bench: Bench, given: Arguments) -> Answer:
    return added(bench, drafts.new(bench, given, draft=True))


def _edit_draft(bench: Bench, given: Arguments) -> Answer:
    return edited(bench, given, drafts_only=True)


def _discard_draft(bench: Bench, given: Arguments) -> Answer:
    proposing.discard(bench.desk, given["id"], drafts.AUTHOR)
    return Answer(document(bench.desk, given["id"]))


TOOLS = (
    Tool("create_draft", "Propose a post",
         "Writes a draft, with the time at which it should go out. It does not go out before a "
         "person approves it (postsched approve ID). Say in key what makes the call unique: "
         "the same key again adds nothing.",
         Scope.DRAFT, _create_draft, A_POST, NEW, ("to",), repeatable=False),
    Tool("edit_draft", "Change a draft",
         "Changes members of a draft that an agent made and nobody has approved; null takes one "
         "away. It stays a draft.",
         Scope.DRAFT, _edit_draft, A_POST, {"id": ID, **CHANGES}, ("id",)),
    Tool("discard_draft", "Discard a draft",
         "Takes back a draft that an agent made and nobody has approved: it is cancelled, and "
         "never goes out.",
         Scope.DRAFT, _discard_draft, A_POST, {"id": ID}, ("id",), lasting=True),
)  # fmt: skip
