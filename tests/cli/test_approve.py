"""approve: drafts go out at the time that each names."""

from __future__ import annotations

from tests.cli.posting import Posting

WHEN = "2031-05-01 10:00"


def draft(cli: Posting, *words: str) -> str:
    """A new draft; its id."""
    return str(cli.json("add", "Soon", "--to", "me", "--draft", *words)["id"])


def test_drafts_go_out_when_a_person_says_so(cli: Posting) -> None:
    one, two = draft(cli, "--at", WHEN), draft(cli, "--repeat", "daily", "--at", WHEN)
    approved = cli.json("approve", one, two)
    assert [post["status"] for post in approved] == ["scheduled", "scheduled"]
    assert all(post["deliveries"][0]["due_at"].startswith("2031-05-01T") for post in approved)
    assert f"post {one} is no draft" in cli.refused(1, "approve", one)


def test_a_person_sees_what_goes_out_and_may_say_no(cli: Posting) -> None:
    one = draft(cli, "--at", WHEN, "--then", "And\x1b[2Jmore", "--comment", "Link below")
    said = cli.call.terminal("approve", one, stdin="n\n")
    assert said.code != 0
    for words in (f"Draft {one}, to me:", "  Soon", "more", "  Link below", "Let it go out?"):
        assert words in said.err, said.err
    assert "\x1b[2J" not in said.err
    assert cli.json("show", one)["status"] == "draft"
    assert cli.call.terminal("approve", one, stdin="y\n").code == 0
    assert cli.json("show", one)["status"] == "scheduled"
    two = draft(cli, "--at", WHEN)
    assert "Let it" not in cli.call.terminal("approve", two, "--yes").err


def test_all_or_none(cli: Posting) -> None:
    one, timeless = draft(cli, "--at", WHEN), draft(cli)
    assert f"postsched edit {timeless} --at WHEN" in cli.refused(2, "approve", one, timeless)
    assert cli.json("show", one)["status"] == "draft"
    cli.refused(3, "approve", "99")
