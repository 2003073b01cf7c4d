"""What an error comes to: one line that says what to do, and the exit code that is promised."""

from __future__ import annotations

import errno
import os

import pytest

from postsched.cli.complaints import EXIT_CODES, complaint
from postsched.domain import errors
from tests.cli.calling import Caller
from tests.store.disks import bound_by_permissions


@pytest.mark.parametrize(
    ("words", "said"),
    [
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
        (("list", "--config", "x"), "--config goes before the command: postsched --config …"),
        (("list", "-q"), "-q goes before the command"),
        (("add", "x", "--att", "9"), "no such option: --att. Did you mean --alt, --at, --tz?"),
        (("list", "too", "many"), "no place for 'too many'. A text with spaces in it needs quotes"),
        (("show", "abc"), "'abc' is no whole number. See: postsched show --help"),
        (("add", "x", "--priority", "high"), "'high' is no whole number"),
    ],
)
def test_wrong_usage_is_one_line_with_the_nearest_name(
    call: Caller, words: tuple[str, ...], said: str
) -> None:
    call(*words).refused(2, said, "--help")
    assert not call.database.exists()


def test_nothing_to_do_shows_what_there_is(call: Caller) -> None:
    for words in ((), ("account",)):
        answer = call(*words)
        answer.refused(2, "no command is given", "--help")
        assert "Usage: postsched" in answer.out


def test_every_error_of_ours_has_its_exit_code() -> None:
    kinds = {kind.__name__: kind for kind, _ in EXIT_CODES}
    codes = {name: complaint(kind("so it is", "Do that"))[1] for name, kind in kinds.items()}
    assert codes == {
        "NotAllowed": 1, "InvalidInput": 2, "NotFound": 3, "StoreUnavailable": 4,
        "SecretUnavailable": 4,
    }  # fmt: skip
    assert complaint(errors.StoreBusy("it is locked", "Wait")) == ("it is locked. Wait", 4)


def test_what_may_not_be_used_is_no_bug() -> None:
    denied = PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/shut/posts.csv")
    said, code = complaint(denied)
    assert (said.startswith("/shut/posts.csv can't be used: Permission denied. "), code) == (
        True,
        2,
    )
    said, code = complaint(ZeroDivisionError("by zero"))
    assert ("this is a bug in postsched (ZeroDivisionError: by zero)" in said, code) == (True, 1)


@pytest.mark.slow
def test_files_below_a_folder_that_is_shut(call: Caller) -> None:
    prefix = bound_by_permissions()
    shut = call.home / "shut"
    (shut / "in").mkdir(parents=True)
    shut.chmod(0)
    try:
        for words in (("import", f"{shut}/in/x.csv"), ("backup", f"{shut}/in/x.zip"),
                      ("add", "--in", "1h", "--file", f"{shut}/in/x.md")):  # fmt: skip
            call.process(*words, prefix=prefix).refused(2, "/shut/in/x.", "Permission denied")
        answer = call.process("--db", f"{shut}/in/posts.db", "doctor", prefix=prefix)
        assert (answer.code, answer.err) == (1, "")
        assert f"posts.db can't be made: you may not write to {shut}" in answer.out
        assert "bug" not in answer.out
    finally:
        shut.chmod(0o700)
