"""token: made once, kept as a hash, revoked."""

from __future__ import annotations

from tests.cli.posting import Posting


def test_a_token_is_shown_once(cli: Posting) -> None:
    made = cli("token", "add", "website", "--scope", "write")
    shown = made.out.strip()
    assert shown.startswith("pst_")
    assert "shown once" in made.err
    (listed,) = cli.json("token", "list")
    assert listed["name"] == "website"
    assert listed["scope"] == "write"
    assert listed["expires_at"] is listed["used_at"] is None
    assert shown not in repr(cli.rows("SELECT * FROM tokens"))
    assert shown not in cli("token", "list").out


def test_a_name_is_given_once_until_it_is_revoked(cli: Posting) -> None:
    add = ("token", "add", "bot", "--scope", "draft", "--expires", "90d")
    cli(*add)
    assert "postsched token revoke bot" in cli.refused(1, *add)
    cli.refused(3, "token", "revoke", "bott")
    cli("token", "revoke", "bot")
    assert cli.json("token", "list") == []
    cli.refused(2, "token", "add", "No Name", "--scope", "read")
    cli.refused(2, "token", "add", "bot", "--scope", "all")
