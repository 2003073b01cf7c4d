"""check: each thing that would keep a post from going out is found, and nothing else is."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from postsched import platforms
from postsched.config import PlatformSettings
from postsched.domain import moves
from postsched.domain.account import Account, AccountState
from postsched.domain.draft import Draft, DraftMedia, DraftPart
from postsched.domain.errors import NotFound
from postsched.domain.hosting import MediaHost
from postsched.domain.outcome import ErrorKind, Problem
from postsched.domain.secret import SecretStore
from postsched.domain.setting import Rate
from postsched.secrets import Passphrase, Secrets, SecretsFile
from postsched.secrets.sealed import Cost
from postsched.service import checking, deliveries, posts
from postsched.service.checking import Check, Checked, Finding
from postsched.service.deliveries import Which
from postsched.service.desk import Desk
from postsched.store import accounts, pauses, queue
from postsched.store import tables as rows
from postsched.testing import FakeClock
from postsched.testing.picture import png
from tests.service.desk import claim, desk_at, publish

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
NO_SECRETS = Secrets({}, store=SecretStore.KEYRING)
PLATFORMS = {"tw": "x", "ln": "linkedin", "toot": "mastodon"}
NETWORKS = "bluesky discord facebook instagram linkedin mastodon telegram threads x"
FACTS = {"software": "mastodon", "version": "4.5.1"}


@pytest.fixture
def clock() -> FakeClock:
    """It stands at 9:00."""
    return FakeClock()


@pytest.fixture
def desk(tmp_path: Path, clock: FakeClock) -> Iterator[Desk]:
    """A desk with two outboxes, and accounts on X, LinkedIn and Mastodon."""
    with desk_at(tmp_path, clock) as found:
        with found.database.write() as connection:
            for name, platform in PLATFORMS.items():
                uid = secrets.token_hex(16)
                facts = FACTS if platform == "mastodon" else {}
                accounts.insert(
                    connection,
                    Account(0, uid, name, platform, clock.now(), facts=facts,
                            state=AccountState.OK),
                )  # fmt: skip
        yield found


def add(desk: Desk, text: str = "Hello", to: str = "me", at: str = "in 1h", **more: Any) -> int:
    """Write a post; its id."""
    added = posts.add(desk, Draft(text, to=tuple(to.split(",")), at=at, **more))
    assert added.id is not None
    return added.id


def change(desk: Desk, name: str, **values: Any) -> None:
    """What is known of an account changes."""
    with desk.database.write() as connection:
        account = accounts.by_name(connection, name)
        assert account is not None
        accounts.save(connection, replace(account, **values))


def checked(
    desk: Desk, ids: Sequence[int] = (), known: Secrets = NO_SECRETS, **more: Any
) -> Checked:
    """What `check` comes to."""
    return checking.check(desk, known, ids, **more)


def found(desk: Desk, *ids: int, **more: Any) -> list[tuple[int, Check, str | None]]:
    """Post, check and field of what is found."""
    return [
        (one.post_id, one.fault.check, one.fault.field)
        for one in checked(desk, ids, **more).findings
    ]


def the(desk: Desk, *ids: int, **more: Any) -> Finding:
    """The only finding."""
    (one,) = checked(desk, ids, **more).findings
    assert one.fault.message.endswith(one.fault.message.strip(". \n"))
    assert one.fault.hint
    return one


def test_a_queue_without_faults(desk: Desk) -> None:
    add(desk, to="me,work,toot,tw,ln", lang="en", title="What is left out is no fault")
    add(desk, "Another", to="me", at="in 2d")
    assert checked(desk) == Checked([], 2, 6)


def test_limits_are_judged_by_what_is_known_now(desk: Desk) -> None:
    post = add(desk, "Hello there", to="toot,me", then=(DraftPart("and more"),))
    change(desk, "toot", facts={**FACTS, "max_characters": 10})
    one = the(desk)
    assert (one.post_id, one.account, one.platform) == (post, "toot", "mastodon")
    assert (one.fault.check, one.fault.field) == (Check.LIMITS, "text")
    assert "11 graphemes, 1 more than the 10 allowed" in one.fault.message
    assert one.fault.hint == f"Change it: postsched edit {post}"
    change(desk, "toot", facts={"software": "pixelfed"})
    assert (post, Check.LIMITS, "then") in found(desk)


def test_kept_files_are_there_and_whole(desk: Desk, tmp_path: Path) -> None:
    media = []
    for name in ("one.png", "two.png"):
        (tmp_path / name).write_bytes(png() + name.encode())
        media.append(DraftMedia(str(tmp_path / name), alt="A square"))
    first = add(desk, to="me,work", media=tuple(media))
    second = add(desk, "Again", media=(media[0],), at="in 2h")
    assert found(desk) == []
    kept = sorted(path for path in desk.settings.media_folder.rglob("*") if path.is_file())
    for path in kept:
        path.write_bytes(path.read_bytes()[:-1] + b"?")
    findings = checked(desk).findings
    assert [one.post_id for one in findings] == [first] * 4 + [second]
    assert {one.fault.check for one in findings} == {Check.MEDIA}
    assert all("is damaged" in one.fault.message for one in findings)
    for path in kept:
        path.unlink()
    assert all("is gone" in one.fault.message for one in checked(desk).findings)


def test_a_file_for_a_network_that_fetches(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(png())
    add(desk, to="work", media=(DraftMedia(str(tmp_path / "cat.png")),))
    change(desk, "work", platform="threads")
    one = the(desk)
    assert (one.fault.check, one.fault.field) == (Check.MEDIA, "media")
    assert "public address" in one.fault.message


def test_a_media_host_makes_it_possible(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(png())
    add(desk, to="work", media=(DraftMedia(str(tmp_path / "cat.png")),))
    change(desk, "work", platform="threads")
    host = MediaHost("https://files.example.org")
    hosted = replace(desk, settings=replace(desk.settings, media_host=host))
    assert found(hosted) == [], "whether there is a secret for it the keyring knows"
    nothing = Secrets({}, store=SecretStore.FILE, file=SecretsFile(tmp_path / "s", Passphrase({})))
    messages = [one.fault.message for one in checked(hosted, known=nothing).findings]
    assert len(messages) == 2
    assert "the media host files.example.org has no secret" in messages[1]


def test_what_can_be_made_to_fit_is_no_fault(desk: Desk, tmp_path: Path) -> None:
    """And no copy is made for it."""
    (tmp_path / "cat.png").write_bytes(png())
    add(desk, to="toot", media=(DraftMedia(str(tmp_path / "cat.png")),))
    change(desk, "toot", facts={**FACTS, "types": ["image/jpeg"]})
    before = sorted(tmp_path.rglob("*"))
    assert found(desk) == []
    assert sorted(tmp_path.rglob("*")) == before
    change(desk, "toot", facts={**FACTS, "types": ["video/mp4"]})
    assert found(desk) == [(1, Check.MEDIA, "media")]


def test_alt_text_where_it_is_required(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(png())
    add(desk, media=(DraftMedia(str(tmp_path / "cat.png")),))
    assert found(desk) == []
    strict = replace(desk, settings=replace(desk.settings, require_alt_text=True))
    assert found(strict) == [(1, Check.ALT_TEXT, "alt")]


def test_a_login_that_will_have_ended(desk: Desk, clock: FakeClock) -> None:
    add(desk, at="in 1h")
    add(desk, "Later", at="in 2h")
    change(desk, "me", token_expires_at=clock.now() + 2 * HOUR)
    one = the(desk)
    assert (one.post_id, one.fault.check, one.fault.field) == (2, Check.LOGIN, None)
    assert "the login of me ends" in one.fault.message
    assert one.fault.hint.startswith("Log in again: postsched account ")
    change(desk, "me", token_expires_at=None, state=AccountState.LOGIN)
    assert [check for _, check, _ in found(desk)] == [Check.LOGIN] * 2


def test_what_is_held(desk: Desk) -> None:
    add(desk, to="me,work")
    change(desk, "me", paused=True)
    assert the(desk).fault.hint == "Release it: postsched resume --account me"
    with desk.database.write() as connection:
        pauses.set_all_paused(connection, paused=True)
    assert [check for _, check, _ in found(desk)] == [Check.PAUSED] * 3
    with desk.database.write() as connection:
        pauses.set_all_paused(connection, paused=False)
        pauses.set_paused(connection, 1, paused=True)
    change(desk, "me", paused=False)
    assert checked(desk) == Checked([], 1, 2), "a post that somebody holds is no fault"


def test_a_secret_that_is_not_there(desk: Desk, tmp_path: Path) -> None:
    """Only where that can be told without a keyring and a passphrase."""
    add(desk, to="toot,me")
    path = tmp_path / "postsched-secrets.json"
    file = SecretsFile(path, Passphrase({"POSTSCHED_PASSPHRASE": "open up"}), Cost(2**14, 8, 1))
    unopened = SecretsFile(path, Passphrase({}))
    in_file = Secrets({}, store=SecretStore.FILE, file=unopened)
    one = the(desk, known=in_file)
    assert (one.account, one.fault.check) == ("toot", Check.SECRET)
    given = {"POSTSCHED_TOKEN_TOOT": "sesame"}
    assert found(desk, known=Secrets(given, store=SecretStore.FILE, file=unopened)) == []
    file.write("toot", "sesame")
    assert found(desk, known=in_file) == []
    for store in (SecretStore.AUTO, SecretStore.KEYRING):
        assert found(desk, known=Secrets({}, store=store, file=unopened)) == []
    path.write_text("no such thing")
    assert the(desk, known=in_file).fault.check is Check.SECRET


def test_a_platform_that_is_not_installed(desk: Desk) -> None:
    add(desk)
    change(desk, "me", platform="gone")
    one = the(desk)
    assert (one.fault.check, one.platform) == (Check.PLATFORM, "gone")
    assert one.fault.message == "me: there is no platform 'gone'"


def test_what_the_networks_say_of_themselves() -> None:
    """Quotas, and which refuse what they were told before; the contract tests hold them to it."""
    can = {name: platforms.capabilities(name) for name in NETWORKS.split()}
    assert all(one.quotas for one in can.values())
    assert {name for name, one in can.items() if one.refuses_equal} == {"x", "linkedin", "facebook"}
    kinds = ("mastodon", "gotosocial", "pixelfed")
    known = {kind: platforms.capabilities("mastodon", {"software": kind}) for kind in kinds}
    assert [len(known[kind].quotas) for kind in kinds] == [2, 1, 0]


def with_rate(desk: Desk, **rates: Rate) -> Desk:
    """The same desk with a quota set for platforms."""
    settings = {name: PlatformSettings(rate=rate) for name, rate in rates.items()}
    return replace(desk, settings=replace(desk.settings, platforms=settings))


class TestQuota:
    """The setting stands for all: what the networks publish is in their capabilities."""

    @pytest.fixture
    def desk(self, desk: Desk) -> Desk:
        return with_rate(desk, outbox=Rate(3, HOUR))

    def test_the_first_too_many(self, desk: Desk) -> None:
        for minutes in (10, 20, 30, 40, 69, 70):
            add(desk, f"After {minutes}", at=f"in {minutes} min")
            add(desk, f"After {minutes}", to="work", at=f"in {minutes * 3} min")
        ids = [post for post, _, _ in found(desk)]
        assert ids == [7, 9], "40 and 69 minutes from now; the last one has room again"
        first = checked(desk).findings[0]
        assert first.fault.message == (
            "me (Outbox): 3 posts in 1 hour are the most, and there is no room for it before "
            "2026-11-27 10:10:00 UTC"
        )
        assert (first.fault.check, first.fault.field) == (Check.QUOTA, "at")
        assert "[platforms.outbox]" in first.fault.hint
        assert [post for post, _, _ in found(desk, 9, 11)] == [9]

    def test_what_is_out_counts(self, desk: Desk, clock: FakeClock) -> None:
        for n in range(3):
            add(desk, f"Number {n}", at=f"in {n + 1} min")
        clock.advance(3 * 60)
        for n, delivery in enumerate(claim(desk)):
            if n < 2:
                publish(desk, delivery)
        add(desk, "One more", at="in 10 min")
        add(desk, "In an hour", at="in 2h")
        assert found(desk) == [(4, Check.QUOTA, "at")], "two are out, and one may be"
        clock.advance(HOUR)
        assert found(desk) == []

    def test_what_was_refused_does_not_count(self, desk: Desk, clock: FakeClock) -> None:
        for n in range(3):
            add(desk, f"Number {n}", at="in 1 min")
        clock.advance(60)
        for delivery in claim(desk):
            publish(desk, delivery, parts=0)
        add(desk, "One more", at="in 10 min")
        assert found(desk) == []

    def test_what_is_overdue_goes_out_now(self, desk: Desk, clock: FakeClock) -> None:
        for n in range(3):
            add(desk, f"Number {n}", at="in 1 min")
        add(desk, "One more", at="in 3h")
        clock.advance(2.5 * HOUR)
        assert found(desk) == [(4, Check.QUOTA, "at")]

    def test_one_that_is_too_much_alone(self, desk: Desk) -> None:
        desk = with_rate(desk, mastodon=Rate(2, HOUR))
        add(desk, to="toot", then=(DraftPart("2"), DraftPart("3")))
        one = the(desk)
        assert "it is 3 requests, and 2 requests in 1 hour are the most" in one.fault.message
        assert one.fault.hint.startswith("Make it shorter; ")

    def test_the_setting_takes_the_place_of_the_first(self, desk: Desk) -> None:
        for n in range(3):
            add(desk, f"Number {n}", to="tw", at=f"in {n + 1} min")
        assert found(desk) == []
        assert found(with_rate(desk, x=Rate(2, HOUR))) == [(3, Check.QUOTA, "at")]


class TestEqualText:
    """X and LinkedIn refuse what they have been told before."""

    def test_within_the_time_that_the_network_remembers(self, desk: Desk) -> None:
        add(desk, "Good morning", to="tw,me,ln,toot", at="in 1h")
        add(desk, "Good  morning ", to="tw,me,ln,toot", at="in 24h")
        add(desk, "Good morning", to="tw,ln", at="in 48h")
        findings = checked(desk).findings
        assert [(one.post_id, one.account) for one in findings] == [(2, "tw"), (2, "ln"), (3, "ln")]
        said = findings[0].fault.message
        assert said.startswith("tw (X): the text is also that of post 1 (2026-11-27 10:00:00 UTC)")
        assert said.endswith("and the same again is refused for about 1 day")
        assert [post for post, _, _ in found(desk, 3)] == [3]

    def test_what_is_out_or_may_be(self, desk: Desk, clock: FakeClock) -> None:
        add(desk, "Hello", to="tw", at="in 1 min")
        add(desk, "Perhaps", to="tw", at="in 1 min")
        clock.advance(60)
        out, doubtful = claim(desk)
        publish(desk, out)
        lost = Problem(ErrorKind.UNCONFIRMED, "lost")
        assert doubtful.claim
        with desk.database.write() as connection:
            doubt = moves.give_to_person(replace(doubtful, status=moves.S.CONFIRMING), lost)
            assert queue.settle(connection, doubt, doubtful.claim.token, clock.now())
        add(desk, "Hello", to="tw", at="in 2h")
        add(desk, "Perhaps", to="tw", at="in 2h")
        assert found(desk) == [(3, Check.EQUAL_TEXT, "text"), (4, Check.EQUAL_TEXT, "text")]
        clock.advance(24 * HOUR)
        assert found(desk) == [], "overdue, and the network has forgotten"

    def test_parts_and_comments_of_one_post(self, desk: Desk) -> None:
        add(desk, "Hello", to="tw", then=(DraftPart("Hello"),), comment="Hello")
        add(desk, "Hello", to="ln", comment="Hello")
        one, other = checked(desk).findings
        assert (one.fault.field, other.fault.field) == ("then", "comment")
        assert "also that of another part of it" in one.fault.message

    def test_variants_are_what_is_said(self, desk: Desk) -> None:
        add(desk, "Hello", to="tw,me")
        add(desk, "Hello", to="tw,me", variants={"tw": "Else"})
        assert found(desk) == []


def test_drafts_when_they_are_asked_for(desk: Desk, clock: FakeClock) -> None:
    add(desk, "Ready")
    draft = posts.add(desk, Draft("x" * 281, to=("tw", "me"), draft=True)).id
    timed = posts.add(desk, Draft("Later", to=("me",), at="in 3h", draft=True)).id
    change(desk, "me", token_expires_at=clock.now() + 2 * HOUR)
    assert draft
    assert timed
    assert checked(desk) == Checked([], 1, 1)
    everything = checked(desk, drafts=True)
    assert (everything.posts, everything.deliveries) == (3, 1)
    one, other = everything.findings
    assert (one.post_id, one.delivery_id, one.due_at) == (draft, None, None)
    assert (one.account, one.fault.check) == ("tw", Check.LIMITS)
    assert (other.post_id, other.due_at) == (timed, clock.now() + 3 * HOUR)
    assert other.fault.check is Check.LOGIN
    named = checked(desk, [draft])
    assert (named.posts, named.deliveries, list(named.findings)) == (1, 0, [one])


def test_only_what_is_still_to_go_out(desk: Desk, clock: FakeClock) -> None:
    for text in ("Out", "Cancelled", "Refused", "Tried again"):
        add(desk, text, at="in 1 min")
    deliveries.cancel(desk, [2], Which())
    clock.advance(60)
    out, refused, again = claim(desk)
    publish(desk, out)
    publish(desk, refused, parts=0)
    later = Problem(ErrorKind.TRANSIENT, "later")
    assert again.claim
    with desk.database.write() as connection:
        retrying = moves.retry_later(again, clock.now() + HOUR, later)
        assert queue.settle(connection, retrying, again.claim.token, clock.now())
    change(desk, "me", paused=True)
    assert found(desk) == [(4, Check.PAUSED, None)]
    assert checked(desk, [1]) == Checked([], 1, 0)


def test_a_post_that_does_not_exist(desk: Desk) -> None:
    with pytest.raises(NotFound, match="there is no post 7"):
        checked(desk, [7])


def test_the_order_is_that_of_time_and_posts_stay_together(desk: Desk) -> None:
    for n in range(12):
        add(desk, f"Number {n}", to="me,work", at=f"in {30 - n % 5} min")
    for name in ("me", "work"):
        change(desk, name, paused=True)
    ids = [one.post_id for one in checked(desk).findings]
    assert ids == [5, 5, 10, 10, 4, 4, 9, 9, 3, 3, 8, 8, 2, 2, 7, 7, 12, 12, 1, 1, 6, 6, 11, 11]


def test_a_long_queue_is_read_bit_by_bit(desk: Desk, clock: FakeClock) -> None:
    """And every delivery once, also where many are due at the same instant."""
    post = add(desk, to="tw")
    with desk.database.write() as connection:
        tw = accounts.by_name(connection, "tw")
        assert tw
        connection.execute(
            rows.deliveries.insert(),
            [
                {"post_id": post, "account_id": tw.id, "occurrence": clock.now() + n * SECOND,
                 "due_at": clock.now() + HOUR, "status": "scheduled"}
                for n in range(1200)
            ],
        )  # fmt: skip
    change(desk, "tw", paused=True)
    steps: list[tuple[int, int]] = []
    whole = checked(desk, progress=lambda done, total: steps.append((done, total)))
    assert (whole.posts, whole.deliveries) == (1, 1201)
    assert steps == [(0, 1201), (500, 1201), (1000, 1201)]
    counts = Counter(one.fault.check for one in whole.findings)
    assert counts == {Check.PAUSED: 1201, Check.EQUAL_TEXT: 1200, Check.QUOTA: 1101}
    assert len({one.delivery_id for one in whole.findings}) == 1201


def test_nothing_is_written(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(png())
    add(desk, to="me,toot", media=(DraftMedia(str(tmp_path / "cat.png")),))
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    checked(desk, drafts=True)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_add_notes_what_is_said_already(desk: Desk, clock: FakeClock) -> None:
    add(desk, "Good morning", to="tw,me", at="in 1h")

    def notes(text: str, **more: Any) -> tuple[str, ...]:
        given = {"to": ("tw", "me"), "at": "in 20h", **more}
        composed = posts.add(desk, Draft(text, **given), dry_run=True).composed
        assert composed
        return tuple(note for note in composed.notes if "the same again" in note)

    said = (
        "the text is also that of post 1 (2026-11-27 10:00:00 UTC), and the same again is refused"
    )
    assert notes("Good morning") == (f"tw (X): {said} for about 1 day",)
    assert notes("Good evening") == ()
    assert notes("Good morning", at="in 3d") == ()
    assert notes("Good morning", to=("me",)) == ()
    assert notes("Good morning", at=None, draft=True) == ()
    assert notes("Good morning", variants={"tw": "Else"}) == ()
    clock.advance(HOUR)
    publish(desk, next(one for one in claim(desk) if one.account == "tw"))
    assert len(notes("Good morning")) == 1


def test_posts_that_have_to_wait_for_their_distance(desk: Desk, clock: FakeClock) -> None:
    """One after the other, and the one that has just gone out counts, too."""
    change(desk, "me", settings={"min_spacing": "30m"})
    add(desk, "one", at="in 1m", to="me,work")
    clock.advance(timedelta(minutes=1))
    for held in claim(desk):
        publish(desk, held)
    ids = [add(desk, f"n{n}", at=f"in {n}m", to="me,work") for n in (10, 31, 95)]
    findings = checked(desk).findings
    assert [(one.post_id, one.account, one.fault.check) for one in findings] == [
        (ids[0], "me", Check.SPACING), (ids[1], "me", Check.SPACING),
    ]  # fmt: skip
    assert "too close to post 1, and its posts are 30m apart" in findings[0].fault.message
    assert "wait until 2026-11-27 09:31:00" in findings[0].fault.message
    assert "wait until 2026-11-27 10:01:00" in findings[1].fault.message
    assert found(desk, ids[1]) == [(ids[1], Check.SPACING, "at")]
