"""Databases in the states that the page is looked at in: nothing there, busy, in trouble, full."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import time, timedelta
from typing import Any

from sqlalchemy import text

from postsched.domain.account import Account, AccountState
from postsched.domain.delivery import Attempt, Delivery, DeliveryStatus, Role, Step
from postsched.domain.draft import Draft, DraftMedia
from postsched.domain.outcome import ErrorKind, Problem, Published
from postsched.service import pausing, posts, slots, uploads
from postsched.service.desk import Desk
from postsched.store import accounts as account_rows
from postsched.store import deliveries as delivery_rows
from postsched.store.tables import deliveries
from postsched.testing.picture import png
from tests.benchmarks.setting import fill

S = DeliveryStatus
NAMES = (
    ("studio", "mastodon", "https://mastodon.example"), ("berlin.example", "bluesky", None),
    ("work", "linkedin", None), ("shop-with-a-rather-long-name-that-somebody-has-given-it",
    "mastodon", "https://social.a-rather-long-name.example"), ("news", "mastodon",
    "https://news.example"), ("akkoma", "mastodon", "https://akkoma.example"), ("pixel", "mastodon",
    "https://pixel.example"), ("friends", "mastodon", "https://friends.example"), ("team",
    "mastodon", "https://team.example"), ("events", "mastodon", "https://events.example"),
    ("archive", "outbox", None), ("rtl", "mastodon", "https://rtl.example"),
)  # fmt: skip
NINE = time(9)
LONG_WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 2
TEXTS = (
    "The new issue is out: twelve pages on type, paper and the people who still set it by hand.",
    "Doors open at seven. Bring a chair.\n\nThere is soup, and there is a piano.",
    "هذا منشور مكتوب من اليمين إلى اليسار، مع رابط https://example.org/خبر في وسطه.",
    f"One word: {LONG_WORD}",
    "We measured it. 412 of 9,800 letters came back, most of them from the same street. " * 5,
    "日本語の投稿です。今日は天気がいいので、散歩に行きましょう。",
    "👩‍👩‍👧‍👦 Family day, Sunday, all afternoon 🎪",
    "Short.",
)
REASONS = (
    Problem(ErrorKind.INVALID, "Mastodon refused the post: Validation failed: Text character limit "
            "of 500 exceeded (HTTP 422)", hint="Shorten it: postsched edit 12, then send it again"),
    Problem(ErrorKind.TRANSIENT, "no connection to https://news.example: [Errno -2] Name or "
            "service not known; tried three times"),
    Problem(ErrorKind.INVALID, f"x.example: {'0123456789abcdef' * 30}", hint="Ask there"),
)  # fmt: skip


def account(desk: Desk, name: str, platform: str, url: str | None = None, **more: Any) -> Account:
    """A further account, checked and fine."""
    facts = {"software": platform, "version": "4.5.1"}
    new = Account(0, secrets.token_hex(16), name, platform, desk.now(), url, facts=facts,
                  settings={"dir": f"/nowhere/{name}"} if platform == "outbox" else {})  # fmt: skip
    with desk.database.write() as connection:
        made = account_rows.insert(connection, new)
        account_rows.save(connection, replace(made, **({"state": AccountState.OK} | more)))
    return made


def draft(words: str, *to: str, **more: Any) -> Draft:
    """A draft of a post."""
    return Draft(text=words, to=to, draft=True, at="in 2 days", **more)


def add(desk: Desk, words: str, *to: str, **more: Any) -> int:
    """A post; its id."""
    added = posts.add(desk, Draft(text=words, to=to, **more))
    assert added.id is not None
    return added.id


def settle(desk: Desk, post_id: int, status: DeliveryStatus, ago: timedelta, **more: Any) -> None:
    """Bring the deliveries of a post to that end."""
    at = desk.now() - ago
    with desk.database.write() as connection:
        for before in delivery_rows.of_posts(connection, [post_id])[post_id]:
            changes = {"status": status, "occurrence": at, "due_at": at, "next_at": None, **more}
            after = replace(before, steps=_steps(before, status), **changes)
            if status is S.PUBLISHED:
                late = timedelta(milliseconds=40 * post_id)
                after = replace(after, published_at=at + late, lateness=late)
            values = {**delivery_rows.values_of(after), "occurrence": at}
            if status not in (S.SCHEDULED, S.RETRYING):
                values["finished_at"] = at + timedelta(seconds=1)
            row = deliveries.c
            connection.execute(deliveries.update().where(row.id == before.id).values(values))
            if problem := more.get("problem"):
                for n in (1, 2):
                    delivery_rows.add_attempt(connection, before.id, Attempt(
                        n, at, at + timedelta(seconds=2), "publish", "part 1", status.value,
                        problem, "POST /api/v1/statuses 422",
                    ))  # fmt: skip


def _steps(delivery: Delivery, status: DeliveryStatus) -> tuple[Step, ...]:
    steps = delivery.steps or (Step(Role.PART, 1),)
    if status is not S.PUBLISHED:
        return steps
    link = f"https://mastodon.example/@studio/1137{delivery.id:014}"
    return tuple(replace(one, published=Published(str(one.n), link)) for one in steps)


def crowded(desk: Desk) -> dict[str, int]:
    """A busy place: twelve accounts, posts of all kinds, and all kinds of trouble."""
    soon = desk.now() + timedelta(days=2)
    for place, (name, platform, url) in enumerate(NAMES):
        more: dict[str, Any] = {}
        if place == 3:
            more = {"state": AccountState.LOGIN,
                    "state_message": "the access token was revoked (HTTP 401)"}  # fmt: skip
        if place in (1, 2):
            more = {"token_expires_at": soon + timedelta(days=place * 2 - 2)}
        account(desk, name, platform, url, **more, paused=place == 8)
    made = {}
    busy = [name for name, platform, _ in NAMES if platform == "mastodon"]
    ways = ((S.UNCONFIRMED, REASONS[1]), (S.FAILED, REASONS[0]), (S.FAILED, REASONS[2]),
            (S.MISSED, None))  # fmt: skip
    for place, (status, problem) in enumerate(ways):
        number = add(desk, TEXTS[place], "studio", "archive" if place == 1 else "news",
                     at=f"in {place + 1} hours", comment="And the link")  # fmt: skip
        ago = timedelta(hours=3 * place + 1)
        sent = desk.now() - ago if status is S.UNCONFIRMED else None
        settle(desk, number, status, ago, problem=problem, sent_at=sent, attempts=2)
        made[f"{status}{place}"] = number
    for place, words in enumerate(TEXTS * 3):
        number = add(
            desk, words, busy[place % 5], busy[(place + 1) % 5], at=f"in {place + 1} hours"
        )
        settle(desk, number, S.PUBLISHED, timedelta(hours=7 * place + 2))
        made["published"] = number
    for place, words in enumerate(TEXTS * 2):
        made["scheduled"] = add(desk, words, *busy[: place % 4 + 1], at=f"in {place * 9 + 3} hours")
    made["series"] = add(desk, "Good morning. Coffee is on.", "studio", "news", repeat="daily",
                         at="09:00", tz="Europe/Berlin")  # fmt: skip
    for place in range(3):
        made["draft"] = add(
            desk,
            TEXTS[place],
            "studio",
            "news",
            draft=True,
            at=f"in {place + 5} days",
            title="A draft" if place == 1 else None,
        )
    _attach(desk, made)
    slots.add(desk, "studio", range(7), [time(9), time(13, 30), time(18)], "Europe/Berlin")
    slots.add(desk, "news", range(5), [time(12)], "Europe/Berlin")
    for place in range(7):
        made["queued"] = add(desk, TEXTS[place], "studio", *["news"][: place % 2], slot=True)
    pausing.pause(desk, [made["queued"]])
    _held(desk)
    return made


def _attach(desk: Desk, made: dict[str, int]) -> None:
    """A post with everything: a thread, variants, pictures."""
    media = []
    for name in ("a-photograph-of-the-square.png", "two.png"):
        with uploads.incoming(desk) as file:
            file.write_bytes(png(640, 420))
            kept = uploads.keep(desk, file, name)
        alt = "A square at noon, empty but for a dog" if name == "two.png" else None
        media.append(DraftMedia(kept.path, alt=alt))
    draft = Draft(
        text=TEXTS[4], to=("studio", "berlin.example", "news"), media=tuple(media), draft=True,
        variants={"news": "A shorter word for the news."}, comment="More: https://example.org",
        tags=("spring", "square"), at="in 8 days", lang="en", visibility="public",
    )  # fmt: skip
    added = posts.add(desk, uploads.as_kept(desk, draft, ()))
    assert added.id is not None
    made["everything"] = added.id


def _held(desk: Desk) -> None:
    """Services that don't answer, limits that are used up, callbacks that nobody took."""

    def micros(later: timedelta) -> int:
        return int((desk.now() + later).timestamp() * 1_000_000)

    with desk.database.write() as connection:
        connection.execute(
            text("INSERT INTO holds (subject, until, why, message, failures, opened) VALUES "
                 "('service mastodon https://friends.example', :until, 'breaker', :message, 5, 1)"),
            {"until": micros(timedelta(minutes=5)),
             "message": "no answer in 30 s, three times in a row"},
        )  # fmt: skip
        team = connection.scalar(text("SELECT id FROM accounts WHERE name = 'team'"))
        connection.execute(
            text("INSERT INTO limits (account_id, name, remaining, most, reset, seen_at) VALUES "
                 "(:id, 'posts', 12, 300, :reset, :seen)"),
            {"id": team, "reset": micros(timedelta(hours=2)), "seen": micros(timedelta(0))},
        )  # fmt: skip
        for number in range(3):
            connection.execute(
                text("INSERT INTO notifications (uid, way, event, account, at, document, attempts, "
                     "problem, finished_at, post_id, url, answer) VALUES (:uid, 'callback', "
                     "'published', 'studio', :at, '{}', 9, 'the server answered 500', :at, 5, "
                     "'https://shop.example/hooks/secret-part', 500)"),
                {"uid": f"msg_{number}", "at": micros(timedelta(hours=-30 - number))},
            )  # fmt: skip


def many(desk: Desk, to: Account, count: int, become: DeliveryStatus | str) -> None:
    """So many posts further, one every four minutes: of that status, `"queued"` in slots, or
    `"draft"`."""
    with desk.database.read() as connection:
        last = connection.scalar(text("SELECT coalesce(max(id), 0) FROM posts"))
    first = desk.now() + timedelta(hours=1)
    fill(desk, to, [first + timedelta(minutes=4 * n) for n in range(count)])
    with desk.database.write() as connection:
        for statement in MADE.get(str(become), (f"{CHANGE} status = '{become}', {OVER}",)):
            connection.execute(text(f"{statement} > {last}"))


CHANGE = "UPDATE deliveries SET"
OVER = (
    "next_at = NULL, finished_at = due_at - 3000000000000, prepare_at = NULL, "
    "grace_until = NULL WHERE post_id"
)
MADE = {
    "scheduled": (),
    "queued": ("UPDATE schedules SET kind = 'slot' WHERE post_id",),
    "draft": ("DELETE FROM deliveries WHERE post_id", "UPDATE posts SET draft = 1 WHERE id"),
}
