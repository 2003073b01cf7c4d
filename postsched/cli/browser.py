"""The person's browser, if there is one that can be opened from here (webbrowser, $BROWSER)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import PurePath

TEXT_BROWSERS = frozenset({"www-browser", "links", "elinks", "lynx", "w3m"})
"""They would take over the terminal that we speak on; who wants one names it in $BROWSER."""


def find(environ: Mapping[str, str]) -> Callable[[str], None] | None:
    """What opens an address in the browser, without waiting for it; None where there is none."""
    import webbrowser

    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return None
    name = PurePath(str(getattr(browser, "name", ""))).name
    if name in TEXT_BROWSERS and "BROWSER" not in environ:
        return None

    def open_(url: str) -> None:
        # Some are waited for until they are closed.
        threading.Thread(target=browser.open, args=(url,), daemon=True).start()

    return open_
