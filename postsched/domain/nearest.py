"""Finding what a mistyped name was meant to be."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known name most like `word`, whatever its case, or None if none is like it."""
    import difflib  # only once something went wrong: it costs start-up time

    by_lower = {name.lower(): name for name in known}
    found = difflib.get_close_matches(word.lower()[:200], by_lower, 1, cutoff)
    return by_lower[found[0]] if found else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint: the name most like `word`, or all there are if none is like it."""
    names = sorted(known)
    found = nearest(word, names)
    if found:
        return f"Did you mean {found}?"
    return f"There are: {', '.join(names)}" if names else "There are none"
