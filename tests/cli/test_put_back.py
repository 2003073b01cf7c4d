"""A backup that is restored, or a database that is merely copied back, after more was sent."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from postsched.testing import MastodonServer
from postsched.testing.mastodon import TOKEN
from postsched.testing.telegram import TOKEN as BOT
from postsched.testing.telegram import TelegramServer
from postsched.testing.telegram_state import CHANNEL_NAME
from tests.cli.posting import Posting

pytestmark = pytest.mark.sqlite  # a database server has means of its own for this
WAYS = ["restored", pytest.param("copied back", marks=pytest.mark.slow)]


def outbox(cli: Posting) -> list[Path]:
    """The posts in the outbox."""
    return sorted((cli.call.database.parent / "outbox" / "me").glob("posts/*.md"))


@pytest.mark.parametrize("way", WAYS)
def test_nothing_goes_out_twice(cli: Posting, tmp_path: Path, way: str) -> None:
    saved, copied = tmp_path / "saved.zip", tmp_path / "copied.db"
    with MastodonServer() as mastodon, TelegramServer() as telegram:
        cli("account", "add", "toot", "--platform", "mastodon", "--url", mastodon.url,
            "--token-stdin", stdin=TOKEN)  # fmt: skip
        cli("account", "add", "tg", "--platform", "telegram", "--url", telegram.url,
            "--user", f"@{CHANNEL_NAME}", "--token-stdin", stdin=BOT)  # fmt: skip
        cli("add", "Before", "--to", "me,toot,tg", "--at", "now")
        cli("publish-due")
        for text in ("One", "Two", "Three"):
            cli("add", text, "--then", f"{text} more", "--to", "me,toot,tg", "--in", "1s")
        cli("add", "Later", "--to", "me,toot,tg", "--in", "1h")
        cli("backup", str(saved))
        shutil.copy(cli.call.database, copied)
        cli("add", "Lost", "--to", "me", "--at", "now")
        cli("pause", "5")
        cli("run", "--until-idle", "--no-live")
        went = len(outbox(cli)), len(mastodon.posts()), len(telegram.posts())
        assert went == (8, 7, 7)
        if way == "restored":
            answer = cli("restore", str(saved), "--yes")
            assert "6 that may be out are asked for and 3 must be looked at" in answer.err
            assert "is lost" in answer.err
            assert "another machine" not in answer.err
        else:
            shutil.copy(copied, cli.call.database)
            findings = [one for one in cli.json("doctor", code=1) if one["check"] == "copy"]
            assert "9 deliveries that may be out in doubt" in findings[0]["message"]
        cli("pause", "5")
        answer = cli("run", "--until-idle", "--no-live", code=0 if way == "restored" else 1)
        if way == "copied back":
            assert answer.err.count("a copy from before") == 1
            assert "6 that may be out are asked for and 3 must be looked at" in answer.err
        assert (len(outbox(cli)), len(mastodon.posts()), len(telegram.posts())) == went

        posts = {post["text"]: post for post in cli.json("list", "--all")}
        assert "Lost" not in posts
        found = {
            (d["account"], d["status"])
            for text in ("One", "Two", "Three")
            for d in posts[text]["deliveries"]
        }
        assert found == {("me", "published"), ("toot", "published"), ("tg", "unconfirmed")}
        assert {d["status"] for d in posts["Later"]["deliveries"]} == {"scheduled"}
        (finding,) = [one for one in cli.json("doctor", code=1) if one["check"] == "copy"]
        assert "3 posts may be out" in finding["message"]
        # Its parts one after the other; then all is as it was.
        one = str(posts["One"]["id"])
        number = telegram.posts()[1].remote_id
        cli("resolve", one, "published", "--remote-id", number)
        cli("resolve", one, "published", "--remote-id", telegram.posts()[2].remote_id)
        (delivery,) = [d for d in cli.json("show", one)["deliveries"] if d["account"] == "tg"]
        assert delivery["status"] == "published"
        assert "a copy from before" not in cli("run", "--until-idle", "--no-live").err
        assert (len(outbox(cli)), len(mastodon.posts()), len(telegram.posts())) == went


def test_a_backup_after_which_nothing_was_sent_is_not_doubted(cli: Posting, tmp_path: Path) -> None:
    cli("add", "Before", "--at", "now")
    cli("publish-due")
    cli("add", "Due soon", "--in", "1s")
    cli("backup", str(tmp_path / "saved.zip"))
    cli("add", "Lost", "--in", "2h")
    answer = cli("restore", str(tmp_path / "saved.zip"), "--yes")
    assert "warning" not in answer.err
    cli("run", "--until-idle", "--no-live")
    assert len(outbox(cli)) == 2


def test_on_another_machine_nothing_is_known(cli: Posting, tmp_path: Path) -> None:
    """Which is said of what became due meanwhile."""
    cli("add", "One", "--at", "now")
    cli("backup", str(tmp_path / "saved.zip"))
    cli("publish-due")
    cli.call.set(POSTSCHED_STATE_DIR=str(tmp_path / "other"))
    answer = cli("restore", str(tmp_path / "saved.zip"), "--yes")
    assert "another machine" in answer.err
    assert cli.json("list")[0]["status"] == "scheduled"
