"""A post in the person's editor, as Markdown with front matter."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from postsched.domain.draft import Draft, DraftMedia
from postsched.domain.errors import InvalidInput, PostschedError
from postsched.transfer.markdown import dump, parse

if TYPE_CHECKING:
    from postsched.cli.program import Program

USUAL = "vi"
NOTE = (
    "Post {}. Save and close to change it; leave it as it is, or empty it, to change nothing.\n"
    "Lines that are taken out are cleared."
)


@contextmanager
def edited(program: Program, post_id: int, before: Draft) -> Iterator[Draft | None]:
    """What the person made of the post, None if it is unchanged or was emptied.

    The file is there until the block ends; if it ends with an error, it stays, and the error says
    where. Raises InvalidInput without an editor or a terminal, and for what can't be read.
    """
    command = _editor(program)
    folder = Path(tempfile.mkdtemp(prefix="postsched-"))
    path = folder / f"post-{post_id}.md"
    shown = dump(before, NOTE.format(post_id))
    path.touch(0o600)
    path.write_text(shown, encoding="utf-8", newline="")
    try:
        _run([*command, str(path)])
        typed = _typed(path)
        if not typed.strip() or typed == shown:
            yield None
        else:
            yield with_kept_media(parse(typed, str(Path.cwd())), before)
    except PostschedError as error:
        if _is_worth_keeping(path, shown):
            error.hint = _how_to_go_on(error.hint, post_id, path)
            raise
        _remove(path)
        raise
    _remove(path)


def with_kept_media(draft: Draft, before: Draft) -> Draft:
    """The draft with the files that are kept already, where it names the same ones."""
    parts = [before.media, *(part.media for part in before.then)]
    kept = {one.path: one.kept for media in parts for one in media if one.kept}

    def keep(media: tuple[DraftMedia, ...]) -> tuple[DraftMedia, ...]:
        return tuple(replace(one, kept=kept.get(one.path)) for one in media)

    then = tuple(replace(part, media=keep(part.media)) for part in draft.then)
    return replace(draft, media=keep(draft.media), then=then)


def _editor(program: Program) -> list[str]:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise InvalidInput(
            "there is no terminal to open an editor on", "Say what to change: --text, --at, --file"
        )
    named = program.environ.get("VISUAL") or program.environ.get("EDITOR") or _usual()
    try:
        command = shlex.split(named, posix=os.name != "nt")
    except ValueError:
        command = []
    if not command:
        raise InvalidInput(
            f"VISUAL or EDITOR is {named!r}, which is no command"
            if named
            else "there is no editor",
            "Set VISUAL or EDITOR, or say what to change: --text, --at, --file",
        )
    return command


def _usual() -> str:
    """The editor that git, too, opens where none is named; empty if it is not there."""
    return USUAL if shutil.which(USUAL) else ""


def _run(command: list[str]) -> None:
    try:
        code = subprocess.run(command, check=False).returncode  # noqa: S603 - the person's own
    except OSError as error:
        raise InvalidInput(
            f"the editor {command[0]!r} can't be started: {error.strerror}", "Set VISUAL or EDITOR"
        ) from None
    if code:
        raise InvalidInput(f"the editor ended with code {code}", "Nothing was changed")


def _typed(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} can't be read: {error}", "Save it as UTF-8") from None


def _is_worth_keeping(path: Path, shown: str) -> bool:
    try:
        return path.read_text(encoding="utf-8") not in ("", shown)
    except FileNotFoundError:
        return False
    except (OSError, UnicodeDecodeError):
        return True


def _how_to_go_on(hint: str | None, post_id: int, path: Path) -> str:
    again = f"What you typed is kept: postsched edit {post_id} --file {shlex.quote(str(path))}"
    return f"{hint}. {again}" if hint else again


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
    with suppress(OSError):
        path.parent.rmdir()
