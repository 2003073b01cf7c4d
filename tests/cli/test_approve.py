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


def test_all_or_none(cli: Posting) -> None:
    one, timeless = draft(cli, "--at", WHEN), draft(cli)
    assert f"postsched edit {timeless} --at WHEN" in cli.refused(2, "approve", one, timeless)
    assert cli.json("show", one)["status"] == "draft"
    cli.refused(3, "approve", "99")
