"""Where a secret could show: what a login holds, and what was logged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postsched.platforms.base import Login

if TYPE_CHECKING:
    import pytest


def secrets_of(login: Login) -> list[str]:
    """Every string in a login's secret."""
    if login.secret is None:
        return []
    value = login.secret.reveal()
    leaves = [value] if isinstance(value, str) else list(value.values())
    return [leaf for leaf in leaves if isinstance(leaf, str) and leaf]


def logged(caplog: pytest.LogCaptureFixture) -> str:
    """All that was logged, with the arguments as they were handed over."""
    return "\n".join(f"{r.getMessage()} {r.args!r} {r.exc_text or ''}" for r in caplog.records)
