"""Questions to the person at the terminal, whose answers are not shown."""

from __future__ import annotations

import sys
import warnings


def hidden(question: str) -> str | None:
    """The answer to a question, typed unseen on the terminal itself, whatever stdin is; None where
    there is no terminal. Raises KeyboardInterrupt if the person would rather stop."""
    import getpass

    if not (sys.stdin.isatty() or sys.stderr.isatty()):
        return None
    try:
        with warnings.catch_warnings():
            # Without a terminal of its own getpass would read from stdin, and show it.
            warnings.simplefilter("error", getpass.GetPassWarning)
            return getpass.getpass(question)
    except (EOFError, OSError, getpass.GetPassWarning):
        return None
