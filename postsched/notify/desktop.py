"""The desktop's own notifications, by what every desktop has: notify-send, osascript. Where there
is neither, Apprise has a go at it."""

from __future__ import annotations

import html
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from shutil import which

from postsched.notify.child import run

PATIENCE = 10.0
APPLE = (
    "on run argv", "display notification (item 2 of argv) with title (item 1 of argv)", "end run",
)  # fmt: skip
BY_APPRISE = "windows://" if sys.platform == "win32" else "dbus://"
"""The target that stands for the desktop where there is no program for it."""


def words(title: str, text: str, environ: Mapping[str, str]) -> Sequence[str] | None:
    """The program that shows it, and its arguments; None where there is none."""
    path = environ.get("PATH")
    if sys.platform == "darwin" and (found := which("osascript", path=path)):
        script = [word for line in APPLE for word in ("-e", line)]
        return [found, *script, title, text]
    if found := which("notify-send", path=path):
        # The text may be read as markup (Desktop Notifications Specification, section 4).
        shown = html.escape(text, quote=False)
        return [found, "--app-name=postsched", "--icon=dialog-warning", "--", title, shown]
    return None


async def tell(given: Sequence[str], environ: Mapping[str, str]) -> str | None:
    """Show it by a program; why that failed, None if it did not."""
    try:
        ended = await run(given, "", reachable(environ), PATIENCE)
    except (OSError, ValueError):
        return "the desktop's notification program can't be started"
    if ended.code is None:
        return "the desktop does not answer"
    said = " ".join(ended.err.split())[:200]
    return (said or f"the desktop refused it ({ended.code})") if ended.code else None


def reachable(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment with the user's session bus in it, which cron does not know."""
    own = dict(environ)
    folder = own.get("XDG_RUNTIME_DIR") or _runtime_folder()
    if folder and "DBUS_SESSION_BUS_ADDRESS" not in own and Path(folder, "bus").exists():
        own["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={folder}/bus"
    return own


def _runtime_folder() -> str | None:
    if sys.platform == "win32":
        return None
    return f"/run/user/{os.getuid()}"
