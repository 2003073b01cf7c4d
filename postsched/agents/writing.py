"""Tools by which posts go out, wait, or don't: for agents that may do what the person may.

Settling what is in doubt, removing what is out, accounts and secrets are left to people.
"""

from __future__ import annotations

from collections.abc import Sequence

from postsched.agents import drafts
from postsched.agents.bench import Answer, Arguments, Bench, Tool
from postsched.agents.drafting import added, edited
from postsched.agents.shapes import (
    A_POST,
    ACCOUNTS,
    CHANGES,
    ID,
    IDS,
    NEW,
    answering,
    flag,
    one_of,
    whole,
    word,
)
from postsched.domain.bounds import instant
from postsched.domain.delivery import Delivery
from postsched.domain.errors import InvalidInput
from postsched.domain.scope import Scope
from postsched.service import deliveries, pausing, queue, shown
from postsched.service.deliveries import Which
from postsched.service.desk import LARGEST_ID, accounts_named
from postsched.transfer.documents import delivery_document


def _schedule_post(bench: Bench, given: Arguments) -> Answer:
    return added(bench, drafts.new(bench, given))


def _edit_post(bench: Bench, given: Arguments) -> Answer:
    return edited(bench, given, drafts_only=False)


def _cancel_posts(bench: Bench, given: Arguments) -> Answer:
    done = deliveries.cancel(bench.desk, given["ids"], _which(bench, given))
    return _posts(bench, given["ids"], done.refused)


def _retry_posts(bench: Bench, given: Arguments) -> Answer:
    done = deliveries.retry(bench.desk, given["ids"], _which(bench, given))
    return _posts(bench, given["ids"], done.refused)


def _which(bench: Bench, given: Arguments) -> Which:
    desk, names, when = bench.desk, given.get("account"), given.get("occurrence")
    accounts = None
    if names is not None:
        with desk.database.read() as connection:
            accounts = frozenset(one.name for one in accounts_named(connection, names))
    occurrence = None if when is None else instant(when, desk.now(), desk.zone)
    return Which(accounts, occurrence, given.get("delivery"))


def _posts(bench: Bench, ids: Sequence[int], refused: Sequence[str]) -> Answer:
    """The posts as they are now, and what could not be done."""
    with bench.desk.database.read() as connection:
        posts = [shown.discreet(one) for one in shown.documents(connection, ids)]
    return Answer({"posts": posts, "refused": list(refused)})


def _pause(bench: Bench, given: Arguments) -> Answer:
    return _hold(bench, given, paused=True)


def _resume(bench: Bench, given: Arguments) -> Answer:
    return _hold(bench, given, paused=False)


def _hold(bench: Bench, given: Arguments, *, paused: bool) -> Answer:
    chosen = [name for name in ("ids", "account", "everything") if given.get(name)]
    if len(chosen) != 1:
        raise InvalidInput(
            "it isn't said what to hold or release", "Give ids, account, or everything"
        )
    missed: Sequence[Delivery]
    if "ids" in chosen:
        missed = (pausing.pause if paused else pausing.resume)(bench.desk, given["ids"])
    elif "account" in chosen:
        missed = pausing.pause_accounts(bench.desk, given["account"], paused=paused)
    else:
        missed = pausing.pause_all(bench.desk, paused=paused)
    held = {name: given[name] for name in chosen}
    return Answer({"paused": paused, **held, "missed": [delivery_document(d) for d in missed]})


def _move_in_queue(bench: Bench, given: Arguments) -> Answer:
    by = -1 if given["direction"] == "up" else 1
    return _queue(bench, queue.step(bench.desk, given["id"], given.get("account"), by))


def _swap_in_queue(bench: Bench, given: Arguments) -> Answer:
    touched = queue.swap(bench.desk, given["id"], given["other_id"], given.get("account"))
    return _queue(bench, touched)


def _shuffle_queue(bench: Bench, given: Arguments) -> Answer:
    queue.shuffle(bench.desk, given.get("account"), bench.rng)
    return _queue(bench, given.get("account"))


def _queue(bench: Bench, accounts: Sequence[str] | None) -> Answer:
    with bench.desk.database.read() as connection:
        found = queue.places(connection, bench.desk.now(), accounts)
    return Answer({"places": [queue.place_document(place) for place in found]})


SOME = {
    "ids": IDS,
    "account": ACCOUNTS,
    "occurrence": word("Only this occurrence of a series: its time."),
    "delivery": whole("Only this delivery.", 1, LARGEST_ID),
}
HELD = {"ids": IDS, "account": ACCOUNTS, "everything": flag("All there is.")}
CHANGED = answering(posts="array", refused="array")
PLACES = answering(places="array")
TOOLS = (
    Tool("schedule_post", "Schedule a post",
         "Writes a post that goes out at its time by itself, to the public. It needs at, slot or a "
         "series. Say in key what makes the call unique: the same key again adds nothing.",
         Scope.WRITE, _schedule_post, A_POST, NEW, ("to",), lasting=True, repeatable=False),
    Tool("edit_post", "Change a post",
         "Changes members of a post of which nothing is out; null takes one away. A time makes a "
         "post of a draft, which then goes out.",
         Scope.WRITE, _edit_post, A_POST, {"id": ID, **CHANGES}, ("id",), lasting=True),
    Tool("cancel_posts", "Cancel posts",
         "Cancels what has not gone out; with occurrence, one of a series. What can't be cancelled "
         "is named in refused.",
         Scope.WRITE, _cancel_posts, CHANGED, SOME, ("ids",), lasting=True),
    Tool("pause", "Pause", "Holds posts, accounts, or everything: nothing of them goes out.",
         Scope.WRITE, _pause, answering(paused="boolean", missed="array"), HELD),
    Tool("resume", "Resume",
         "Releases what was held. What is past its grace is missed, and named.",
         Scope.WRITE, _resume, answering(paused="boolean", missed="array"), HELD, lasting=True),
    Tool("retry_posts", "Send again",
         "Sends failed, missed or cancelled deliveries again, now. What can't be is named in "
         "refused.",
         Scope.WRITE, _retry_posts, CHANGED, SOME, ("ids",), lasting=True, repeatable=False),
    Tool("move_in_queue", "Move in the queue",
         "Exchanges a post in the slots with the one before it (up) or behind it (down).",
         Scope.WRITE, _move_in_queue, PLACES,
         {"id": ID, "direction": one_of("Where to.", "up", "down"), "account": ACCOUNTS},
         ("id", "direction"), repeatable=False),
    Tool("swap_in_queue", "Exchange two posts", "Exchanges two posts in the slots.",
         Scope.WRITE, _swap_in_queue, PLACES, {"id": ID, "other_id": ID, "account": ACCOUNTS},
         ("id", "other_id"), repeatable=False),
    Tool("shuffle_queue", "Shuffle the queue",
         "Puts the posts in the slots into another order, by chance.",
         Scope.WRITE, _shuffle_queue, PLACES, {"account": ACCOUNTS}, lasting=True,
         repeatable=False),
)  # fmt: skip
