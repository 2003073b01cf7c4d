"""Tools that look at things, and change nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from postsched.agents import drafts
from postsched.agents.bench import Answer, Arguments, Bench, Tool
from postsched.agents.shapes import (
    A_POST,
    ACCOUNTS,
    ENDED,
    ID,
    IDS,
    LOOKING,
    POST,
    STATUS,
    answering,
    flag,
    whole,
    word,
)
from postsched.domain.bounds import bound
from postsched.domain.errors import InvalidInput
from postsched.domain.scope import Scope
from postsched.domain.spans import month_span, week_span
from postsched.service import almanac, choice, previewing, queue, shown, state
from postsched.service.checking import check
from postsched.service.checking.finding import finding_document
from postsched.service.firings import Outlook
from postsched.service.preview_document import document as preview_document
from postsched.store import accounts as account_rows
from postsched.store import reading
from postsched.store.firing_rows import FiringRows
from postsched.transfer.documents import delivery_document, post_document
from postsched.transfer.firings import firing_document

USUAL = 20
MOST_FIRINGS = 1000


def _list_posts(bench: Bench, given: Arguments) -> Answer:
    with bench.desk.database.read() as connection:
        wanted = _filter(bench, connection, choice.STATUSES, given)
        found = reading.find_posts(connection, wanted, given.get("limit", USUAL))
    posts = (post_document(one.post, one.schedule, one.deliveries) for one in found)
    return Answer({"posts": [shown.discreet(one) for one in posts]})


def _history(bench: Bench, given: Arguments) -> Answer:
    with bench.desk.database.read() as connection:
        wanted = _filter(bench, connection, choice.DELIVERY_STATUSES, given)
        found = reading.history(connection, wanted, given.get("limit", USUAL))
    return Answer({"deliveries": [delivery_document(one) for one in found]})


def _filter(bench: Bench, connection: Any, known: Any, given: Arguments) -> reading.Filter:
    now, zone = bench.desk.now(), bench.desk.zone
    since, until = given.get("from"), given.get("until")
    return choice.filter_of(
        connection,
        known,
        statuses=given.get("status", ()),
        accounts=given.get("account", ()),
        since=None if since is None else bound(since, now, zone),
        until=None if until is None else bound(until, now, zone, end=True),
        tag=given.get("tag"),
        search=given.get("search"),
    )


def _show_post(bench: Bench, given: Arguments) -> Answer:
    with bench.desk.database.read() as connection:
        found = shown.whole(connection, bench.desk.settings, given["id"])
    return Answer(shown.discreet(found))


def _list_accounts(bench: Bench, given: Arguments) -> Answer:
    with bench.desk.database.read() as connection:
        groups = account_rows.all_groups(connection)
    accounts = state.status_document(bench.desk)["accounts"]
    named = [{"name": group.name, "accounts": list(group.accounts)} for group in groups]
    return Answer({"accounts": accounts, "groups": named})


def _preview_post(bench: Bench, given: Arguments) -> Answer:
    found = previewing.preview(bench.desk, drafts.shown(bench, given))
    return Answer(preview_document(found))


def _outlook(bench: Bench, connection: Any, given: Arguments) -> Outlook:
    among = choice.among_of(connection, given.get("account", ()), given.get("tag"))
    rows = FiringRows(connection, among)
    return Outlook(rows, bench.desk.now(), lambda: bench.desk.planner.timing)


def _next_posts(bench: Bench, given: Arguments) -> Answer:
    days, count = given.get("days"), given.get("count")
    now = bench.desk.now()
    until = None if days is None else now + timedelta(days=days)
    most = count or (10 if days is None else MOST_FIRINGS)
    with bench.desk.database.read() as connection:
        found = list(_outlook(bench, connection, given).coming(until, most))
    return Answer({"firings": [firing_document(firing) for firing in found]})


def _calendar(bench: Bench, given: Arguments) -> Answer:
    zone = bench.desk.zone
    today = bench.desk.now().astimezone(zone).date()
    if "week" in given and "month" in given:
        raise InvalidInput("there are a month and a week", "Give one of them")
    if "week" in given:
        span = week_span(given["week"], today)
    else:
        span = month_span(given.get("month", ""), today)
    with bench.desk.database.read() as connection:
        found = almanac.whole(_outlook(bench, connection, given), zone, span, MOST_FIRINGS)
        return Answer(almanac.calendar_document(found, zone, span))


def _status(bench: Bench, given: Arguments) -> Answer:
    return Answer(state.status_document(bench.desk))


def _show_queue(bench: Bench, given: Arguments) -> Answer:
    with bench.desk.database.read() as connection:
        found = queue.places(connection, bench.desk.now(), given.get("account"))
    return Answer({"places": [queue.place_document(place) for place in found]})


def _check_posts(bench: Bench, given: Arguments) -> Answer:
    found = check(
        bench.desk, bench.secrets, given.get("ids", ()), drafts=given.get("drafts", False)
    )
    return Answer(
        {
            "findings": [finding_document(one) for one in found.findings],
            "posts": found.posts,
            "deliveries": found.deliveries,
        }
    )


FIRINGS = {"account": ACCOUNTS, "tag": word("Only with this tag.")}
TOOLS = (
    Tool("list_posts", "List posts",
         "Posts that are coming, soonest first, and those that went out lately. Narrow it by "
         "status, account, time, tag or text.",
         Scope.READ, _list_posts, answering(posts="array"), {**STATUS, **LOOKING}),
    Tool("show_post", "Show a post",
         "One post with its schedule, its deliveries, and every attempt with what came of it.",
         Scope.READ, _show_post, A_POST, {"id": ID}, ("id",)),
    Tool("list_accounts", "List accounts",
         "The accounts and groups that posts can go to, with the state of their logins and what is "
         "left of their limits. Secrets are never shown.",
         Scope.READ, _list_accounts, answering(accounts="array", groups="array"), {}),
    Tool("preview_post", "Preview a post",
         "What each account would get of a post: where a thread is cut, how long it is as that "
         "network counts, what is dropped, and what is wrong. Nothing is written.",
         Scope.READ, _preview_post, answering(fits="boolean", accounts="array"), POST),
    Tool("next_posts", "What goes out next",
         "Every firing to come, series expanded, overdue ones first.",
         Scope.READ, _next_posts, answering(firings="array"),
         {"count": whole("At the most so many (10).", 1, MOST_FIRINGS),
          "days": whole("All in so many days.", 1, 366), **FIRINGS}),
    Tool("calendar", "Calendar",
         "What was sent and what is to go out on each day of a month or a week; without either, of "
         "this month.",
         Scope.READ, _calendar, answering(days="array", tz="string"),
         {"month": word("2026-12, december 2026, next, last."),
          "week": word("A day in it, such as 2026-12-24, or this, next, last."), **FIRINGS}),
    Tool("status", "Status",
         "Health at a glance: whether the daemon runs, how many deliveries are in each status, "
         "what is overdue, and how the accounts are.",
         Scope.READ, _status, answering(daemon="object", counts="object", accounts="array"), {}),
    Tool("history", "History",
         "Finished deliveries, newest first, with permalinks and errors.",
         Scope.READ, _history, answering(deliveries="array"), {**ENDED, **LOOKING}),
    Tool("show_queue", "Show the queue",
         "What sits in the weekly posting slots of the accounts, and which slots are free.",
         Scope.READ, _show_queue, answering(places="array"), {"account": ACCOUNTS}),
    Tool("check_posts", "Check posts",
         "Looks offline for what would keep posts from going out: limits, media, alt text, logins "
         "that will have ended, quotas, equal texts.",
         Scope.READ, _check_posts, answering(findings="array", posts="integer"),
         {"ids": IDS, "drafts": flag("All drafts, too.")}),
)  # fmt: skip
