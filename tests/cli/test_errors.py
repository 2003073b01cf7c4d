"""Bad input of every kind: one line on stderr, the documented exit code, nothing half-written."""

from __future__ import annotations

import pytest

from tests.cli.calling import Caller


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "no command is given"),
        (("account",), "no command is given"),
        (("pubish-due",), "Did you mean publish-due?"),
        (("account", "lst"), "Did you mean list?"),
        (("add", "x", "--cancle"), "no such option: --cancle"),
        (("list", "--jsn"), "--json"),
        (("show",), "missing argument 'ID'"),
        (("show", "one"), "'one'"),
        (("list", "--limit", "0"), "'--limit'"),
        (("account", "add", "me"), "missing option '--platform'"),
        (("--db",), "--db"),
        (("--", "--db"), "there is no command '--db'"),
    ],
)
def test_wrong_usage_is_one_line_with_the_nearest_name(
    call: Caller, words: tuple[str, ...], said: str
) -> None:
    call(*words).refused(2, said, "--help")
    assert not call.database.exists()
