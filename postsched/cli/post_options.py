"""The options by which a post is written: `add`, `edit` and `preview` have them alike."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Annotated, Any

import typer

from postsched.cli.completion import complete_account

MOST = 2**31 - 1

Texts = list[str] | None


def _one(metavar: str, said: str, *names: str, **more: Any) -> Any:
    return Annotated[str | None, typer.Option(*names, metavar=metavar, help=said, **more)]


def _many(metavar: str, said: str, *names: str, **more: Any) -> Any:
    return Annotated[Texts, typer.Option(*names, metavar=metavar, help=said, **more)]


def _number(said: str, least: int) -> Any:
    return Annotated[int | None, typer.Option(metavar="N", help=said, min=least, max=MOST)]


OPTIONS: Mapping[str, Any] = {
    "file": _one("FILE", "Markdown with front matter; - for stdin."),
    "to": _many("NAME", "Accounts or groups.", autocompletion=complete_account),
    "at": _one("WHEN", '"2026-12-01T09:00", "fri 14:30", "now" …'),
    "in_": _one("DURATION", "From now: 90s, 2h, 1d12h.", "--in"),
    "tz": _one("ZONE", "The time zone of --at."),
    "repeat": _one("WORD", "Again and again: daily, weekly, monthly or yearly."),
    "every": _number("Only every Nth day, week, month or year.", 1),
    "on": _many("DAYS", "mon,thu or 1,15,last or 1mon,last-fri."),
    "cron": _one("EXPR", 'By a cron expression: "0 9 * * mon-fri".'),
    "rrule": _one("RULE", "By a rule of RFC 5545: FREQ=WEEKLY;BYDAY=MO."),
    "except_": _many("DATE", "But not on these days.", "--except"),
    "from_": _one("DATE", "Not before this day.", "--from"),
    "until": _one("DATE", "Not after this day."),
    "count": _number("So many times in all.", 1),
    "slot": Annotated[bool | None, typer.Option("--slot", help="At the next free slot.")],
    "media": _many("PATH-OR-URL", "A picture or film."),
    "alt": _many("TEXT", "What the nth medium shows."),
    "then": _many("TEXT", "The next part of the thread."),
    "comment": _one("TEXT", "The first comment."),
    "link": _one("URL", "A link, with a card."),
    "title": _one("TEXT", "A title, where there are any."),
    "for_": _many("ACCOUNT=TEXT", "Another text for one account.", "--for"),
    "texts": _one("FILE", "Texts that take turns, parted by lines of ---."),
    "var": _many("NAME=VALUE", "What {{NAME}} in the text of a series stands for."),
    "visibility": _one("WHO", "public, unlisted, followers or direct."),
    "warning": _one("TEXT", "Content warning."),
    "lang": _one("CODE", "The language: en, pt-BR."),
    "tag": _many("TAG", "A label of yours, never sent."),
    "missed": _one("WORD", "Past its grace: ask, skip or late."),
    "grace": _one("DURATION", "How late it may go out (24h)."),
    "catch_up": _one("WORD", "Of what a series missed: newest, all or none."),
    "spread": _one("DURATION", "Spread the accounts over so long."),
    "jitter": _one("DURATION", "Up to so much later, by chance."),
    "callback": _one("URL", "Is told what becomes of each delivery, signed."),
    "priority": Annotated[
        int | None,
        typer.Option(metavar="N", help="Higher goes first (0).", min=-MOST, max=MOST),
    ],
    "key": _one("KEY", "The same key twice adds one post."),
}
"""Name of the parameter -> its type, as Typer reads it, in the order of the help."""
CLEARED = {
    "media": "media", "alt": "alts", "then": "then", "comment": "comment", "link": "link",
    "title": "title", "for": "variants", "visibility": "visibility", "warning": "warning",
    "lang": "lang", "tag": "tags", "missed": "missed", "grace": "grace", "priority": "priority",
    "key": "key", "repeat": "repeat", "cron": "cron", "rrule": "rrule", "every": "every",
    "on": "on", "except": "except_", "from": "from_", "until": "until", "count": "count",
    "texts": "texts", "var": "vars", "catch-up": "catch_up", "spread": "spread", "jitter": "jitter",
    "callback": "callback",
}  # fmt: skip
"""What `--no-NAME` clears: the name in a draft."""
KINDS = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def writes_post(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command all of OPTIONS; it gets them, by their names, as its `**options`."""
    return _with(command, {name: (kind, None) for name, kind in OPTIONS.items()})


def changes_post(command: Callable[..., Any]) -> Callable[..., Any]:
    """The same, and a `--no-NAME` for each of CLEARED, as `no_NAME`."""
    flags = {
        clearing(name): (
            Annotated[bool, typer.Option(f"--no-{name}", help=f"Clear --{name}.")],
            False,
        )
        for name in CLEARED
    }
    return _with(command, {name: (kind, None) for name, kind in OPTIONS.items()} | flags)


def clearing(name: str) -> str:
    """The parameter that clears an option."""
    return "no_" + name.replace("-", "_")


def _with(command: Callable[..., Any], added: Mapping[str, tuple[Any, Any]]) -> Callable[..., Any]:
    """The command with further options in place of its `**options`, before those that it takes by
    name only; Typer reads them from the signature."""
    found = inspect.signature(command, eval_str=True)
    by_kind = {
        kind: [one for one in found.parameters.values() if one.kind is kind] for kind in KINDS
    }
    options = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, (kind, default) in added.items()
    ]

    @wraps(command)
    def called(*args: Any, **kwargs: Any) -> Any:
        return command(*args, **kwargs)

    parameters = [*by_kind[KINDS[0]], *options, *by_kind[KINDS[1]]]
    # inspect.signature looks for it
    called.__signature__ = found.replace(parameters=parameters)  # type: ignore[attr-defined]
    called.__annotations__ = {one.name: one.annotation for one in parameters}
    return called
