"""The pages that `--help` shows."""

from __future__ import annotations

import re
import sys

import pytest

from postsched.cli import app as program
from tests.cli.calling import Caller

GROUPS = {
    "account": ("add", "list", "show", "check", "set", "remove", "group", "passphrase"),
    "media-host": ("show", "set", "check", "remove"),
    "notify": ("test", "secret"),
    "slots": ("add", "list", "remove"),
    "queue": ("up", "down", "swap", "shuffle"),
    "token": ("add", "list", "revoke"),
    "webhook": ("list", "replay", "test"),
}
COMMANDS = [(name,) for name in program.COMMANDS if name not in GROUPS]
PAGES = [*COMMANDS, *((group, name) for group, names in GROUPS.items() for name in names)]


@pytest.mark.parametrize("width", ["80", "120"])
@pytest.mark.parametrize("words", PAGES, ids=" ".join)
def test_a_page_explains_everything_within_the_width(
    call: Caller, words: tuple[str, ...], width: str
) -> None:
    call.set(COLUMNS=width)
    answer = call(*words, "--help")
    assert (answer.code, answer.err) == (0, "")
    lines = answer.out.splitlines()
    assert lines[0].startswith(f"Usage: postsched {' '.join(words)} ")
    assert re.search(r"^Examples?:\n  .*postsched", answer.out, re.MULTILINE), "no example"
    examples = next(n for n, line in enumerate(lines) if re.fullmatch("Examples?:", line))
    assert max(map(len, lines[:examples])) <= min(int(width), 100)
    for line in lines[:examples]:
        if re.match(r"  --?\w", line):
            assert re.search(r"\S  +\S|^  \S.{28,}", line), f"unexplained: {line}"
    for strange in ("<", "\x1b", "│", "[default", "[["):
        assert strange not in "\n".join(lines[:examples]), strange


@pytest.mark.parametrize("words", PAGES, ids=" ".join)
def test_examples_name_commands_and_options_that_exist(
    call: Caller, words: tuple[str, ...]
) -> None:
    page = call(*words, "--help").out
    for example in re.findall(r"postsched (.+)", page.partition("Example")[2]):
        assert example.startswith((" ".join(words), f"-q {words[0]}")), example
        for option in re.findall(r" (--[\w-]+)", example):
            assert f"{option} " in page.partition("Example")[0] or option.startswith("--no-")


def test_the_first_page_lists_every_command_once(call: Caller) -> None:
    page = call("--help").out
    for name in program.COMMANDS:
        assert len(re.findall(rf"^  {name} ", page, re.MULTILINE)) == 1, name
    listed = " ".join(program.CHAPTERS.values()).split()
    assert sorted(listed) == sorted(program.COMMANDS)
    for name, (_, said) in program.COMMANDS.items():
        assert " ".join(said.split()) in " ".join(page.split()), name


def test_what_can_be_repeated_or_cleared_says_so(call: Caller) -> None:
    page = call("edit", "--help").out
    assert re.search(r"--to NAME .+\(repeatable\)", page)
    assert re.search(r"--no-NAME .+ media, alt,", page)
    assert "--no-media" not in page.partition("Examples")[0]


def test_it_has_colour_only_where_that_is_wanted(call: Caller) -> None:
    from tests.cli.terminal import OnTerminal

    command = [sys.executable, "-m", "postsched", "--help"]
    with OnTerminal(command, call.environ(), 100, 60) as shown:
        assert shown.end() == 0
        shown.wait_for("Usage:")
        assert "\x1b[1mUsage:" in shown.sent
    with OnTerminal(command, call.environ(NO_COLOR="1"), 100, 60) as shown:
        assert shown.end() == 0
        shown.wait_for("Usage:")
        assert "\x1b" not in shown.sent
