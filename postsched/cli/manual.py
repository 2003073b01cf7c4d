"""What `--help` says: plain lines that fit the terminal, whichever version of Typer is there.

An epilog is a heading that ends with a colon, examples, which are shown as they are typed, and
sentences.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from typer.core import TyperCommand

from postsched.cli.screen import Screen

WIDEST, NARROWEST = 100, 40
"""Columns of a page at the most and at the least."""
LABELS = 28
"""Columns of the longest label that has its explanation beside it."""

Rows = Sequence[tuple[str, str]]


class Page:
    """Lets a command or group explain itself in our way."""

    def get_help(self, ctx: Any) -> str:
        """The page."""
        screen: Screen = ctx.obj.screen
        width = max(NARROWEST, min(screen.width or 80, WIDEST))
        parts = [usage(self, ctx, screen), prose(getattr(self, "help", "") or "", width)]
        for title, rows in sections(self, ctx):
            if rows:
                parts.append(f"{screen.paint(f'{title}:', 'bold')}\n{listed(rows, width)}")
        parts.append(epilogue(getattr(self, "epilog", "") or "", width, screen))
        return "\n\n".join(part for part in parts if part)


class Command(Page, TyperCommand):
    """A command with a page of ours."""


def usage(command: Any, ctx: Any, screen: Screen) -> str:
    """The first line: the command with its arguments."""
    words = [ctx.command_path]
    words += [_option(param) for param in command.get_params(ctx) if _is_required_option(param)]
    words += ["[OPTIONS]"]
    words += [_argument(param) for param in _arguments(command, ctx)]
    words += ["COMMAND ..."] if hasattr(command, "list_commands") else []
    return f"{screen.paint('Usage:', 'bold')} {' '.join(words)}"


def sections(command: Any, ctx: Any) -> Iterator[tuple[str, Rows]]:
    """The lists of a page, with their titles."""
    arguments = [(_name(param), param.help or "") for param in _arguments(command, ctx)]
    yield "Arguments", [row for row in arguments if row[1]]
    if hasattr(command, "list_commands"):
        for title, names in command.chapters(ctx):
            found = [(name, command.get_command(ctx, name)) for name in names]
            yield title, [(name, _first_line(one.help)) for name, one in found]
    yield "Options", list(_option_rows(command, ctx))


def _option_rows(command: Any, ctx: Any) -> Iterator[tuple[str, str]]:
    clearing = []
    for param in command.get_params(ctx):
        if param.param_type_name != "option" or getattr(param, "hidden", False):
            continue
        name = param.opts[0].removeprefix("--no-")
        if param.help == f"Clear --{name}.":
            clearing.append(name)
            continue
        if clearing:
            yield "--no-NAME", f"Clear it. NAME is one of {', '.join(clearing)}."
            clearing = []
        yield _option(param), _explained(param)


def _option(param: Any) -> str:
    names = ", ".join(sorted(param.opts, key=len))
    if param.secondary_opts:
        names += f" / {', '.join(param.secondary_opts)}"
    if param.is_flag or param.count:
        return names
    return f"{names} {param.metavar or (param.name or '').upper()}"


def _explained(param: Any) -> str:
    words = [param.help or ""]
    if param.multiple:
        words.append("(repeatable)")
    if param.envvar:
        words.append(f"(${param.envvar})")
    return " ".join(words).strip()


def _arguments(command: Any, ctx: Any) -> list[Any]:
    return [param for param in command.get_params(ctx) if param.param_type_name == "argument"]


def _is_required_option(param: Any) -> bool:
    return bool(param.required and param.param_type_name == "option")


def _name(param: Any) -> str:
    return str(param.metavar or (param.name or "").upper()).strip("[].")


def _argument(param: Any) -> str:
    name = _name(param) + ("..." if param.nargs != 1 else "")
    return name if param.required else f"[{name}]"


def listed(rows: Rows, width: int) -> str:
    """Labels with their explanations beside them."""
    column = 2 + min(max(len(label) for label, _ in rows), LABELS) + 2
    lines: list[str] = []
    for label, words in rows:
        block = textwrap.wrap(words, max(20, width - column)) or [""]
        if len(label) + 4 > column:
            lines.append(f"  {label}")
        else:
            lines.append(f"  {label}".ljust(column) + block.pop(0))
        lines += [" " * column + line for line in block]
    return "\n".join(line.rstrip() for line in lines)


def prose(text: str, width: int) -> str:
    """Paragraphs."""
    return "\n\n".join(_wrapped(part, width) for part in inspect.cleandoc(text).split("\n\n"))


def epilogue(text: str, width: int, screen: Screen) -> str:
    """Headings, examples and sentences. An example is a line with the program's name in it."""
    lines: list[str] = []
    for part in filter(None, (part.strip() for part in text.split("\n\n"))):
        if part.endswith(":"):
            lines.append(screen.paint(part, "bold"))
        elif "postsched" in part:
            lines += [f"  {line.strip()}" for line in part.splitlines()]
        else:
            lines += ["", _wrapped(part, width)]
    return "\n".join(lines)


def _wrapped(text: str, width: int) -> str:
    return textwrap.fill(" ".join(text.split()), width)


def _first_line(text: str | None) -> str:
    return " ".join((text or "").split("\n\n")[0].split())


def with_pages(commands: Iterable[Any]) -> None:
    """Give registered commands pages of ours, where they have no class of their own."""
    for info in commands:
        if info.cls in (None, TyperCommand):
            info.cls = Command
