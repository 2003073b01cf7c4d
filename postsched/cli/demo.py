"""demo: the main job on a throw-away database and folders of one's own, nothing to configure.

Every command that is shown is run as it is shown.
"""

from __future__ import annotations

import os
import shlex
import struct
import tempfile
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from postsched.cli.program import Program
from postsched.domain.errors import NotAllowed

app = typer.Typer()

CONFIG = 'retry_delay = "2s"  # in earnest it is 60s\nstate_dir = "state"\n'
STEPS = (
    ("account", "add", "blog", "--platform", "outbox", "--set", "dir=blog"),
    ("account", "add", "stick", "--platform", "outbox", "--set", "dir=stick"),
    ("add", "Hello from postsched", "--to", "blog", "--in", "2s"),
    ("add", "A thread has parts", "--then", "one below the other", "--then", "and goes out whole",
     "--to", "blog", "--in", "3s"),
    ("add", "One picture, two places", "--to", "blog,stick", "--media", "sunrise.png", "--alt",
     "A sunrise: orange below, blue above", "--for", "stick=The same, in other words",
     "--in", "4s"),
)  # fmt: skip
UNPLUGGED = 5.0
"""Seconds after the run began at which the folder of `stick` is back: its post was due before."""


@app.command(epilog="Examples:\n\npostsched demo\n\npostsched demo --no-live")
def demo(
    ctx: typer.Context,
    no_live: Annotated[
        bool, typer.Option("--no-live", help="Log lines, on a terminal too.")
    ] = False,
) -> None:
    """See it work: nothing to configure, nothing of yours is touched.

    Three posts to two folders: a line, a thread, and a picture with a description. One of the
    folders is away when its post is due, as a disk that is not plugged in, so you see a retry.
    """
    program: Program = ctx.obj
    folder = _new_folder()
    with _inside(folder):
        show = _Shell(ctx, folder)
        show.say("cd", str(folder))
        show.say("export", "POSTSCHED_DB=demo.db", "POSTSCHED_CONFIG=demo.toml")
        for step in STEPS:
            show.run(*step)
        show.say("mv", "stick", "unplugged", remark="it comes back in five seconds")
        (folder / "stick").rename(folder / "unplugged")
        back = threading.Timer(UNPLUGGED, _plug_in, [folder])
        back.daemon = True
        back.start()
        code = show.run("run", "--until-idle", *(["--no-live"] if no_live else []))
    program.print(farewell(folder))
    raise typer.Exit(code)


def _new_folder() -> Path:
    try:
        folder = Path(tempfile.mkdtemp(prefix="postsched-demo-"))
        (folder / "demo.toml").write_text(CONFIG)
        (folder / "sunrise.png").write_bytes(sunrise())
    except OSError as error:
        raise NotAllowed(
            f"no folder can be made for temporary files: {error.strerror or error}",
            "Set TMPDIR to a folder that you may write to",
        ) from error
    return folder


class _Shell:
    """Shows commands as they would be typed, and runs ours."""

    def __init__(self, ctx: typer.Context, folder: Path) -> None:
        self._outer: Program = ctx.obj
        # Typer's types hide that the root is a group with `main`.
        self._root: Any = ctx.find_root().command
        self._options = ["--db", str(folder / "demo.db"), "--config", str(folder / "demo.toml")]
        self._options += ["-v"] * self._outer.verbosity
        self._environ = {
            name: value
            for name, value in self._outer.environ.items()
            if not name.startswith("POSTSCHED_")
        }

    def say(self, *words: str, remark: str = "") -> None:
        """Show a command."""
        paint = self._outer.screen.paint
        line = paint("$ ", "dim") + paint(shlex.join(words), "bold")
        self._outer.show(line + (paint(f"    # {remark}", "dim") if remark else ""))

    def run(self, *words: str) -> int:
        """Show one of our commands and run it; its exit code."""
        self.say("postsched", *words)
        program = Program(self._environ)
        try:
            result = self._root.main(
                [*self._options, *words], prog_name="postsched", standalone_mode=False, obj=program
            )
        finally:
            program.close()
        return result if isinstance(result, int) else 0


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def _plug_in(folder: Path) -> None:
    (folder / "unplugged").rename(folder / "stick")


def farewell(folder: Path) -> str:
    """Where to look, and how to go on."""
    blog = folder / "blog"
    return f"""
Look at what went out:
  the page      {(blog / "index.html").as_uri()}
  the feed      {blog / "feed.xml"}
  as Markdown   {blog / "posts"}
  every step    postsched --db {folder / "demo.db"} show 3
All of it is in {folder}; remove that when you have seen enough.

Then a real account, and a first post:
  postsched account add me --platform mastodon --url https://YOUR.SERVER --token-stdin
  postsched add "Hello" --to me --in 1m && postsched run"""


def sunrise(width: int = 480, height: int = 270) -> bytes:
    """A picture to post, as a PNG (W3C PNG, 8-bit RGB)."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + check

    def row(y: int) -> bytes:
        share = y / height
        pixel = (int(60 + 190 * share), int(90 + 60 * share), int(170 - 120 * share))
        return b"\0" + bytes(pixel) * width

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(b"".join(row(y) for y in range(height)))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        chunk(*one) for one in ((b"IHDR", head), (b"IDAT", body), (b"IEND", b""))
    )
