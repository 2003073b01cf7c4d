"""The settings: what in them has no effect."""

from __future__ import annotations

from collections.abc import Iterator

from postsched import platforms
from postsched.domain.nearest import did_you_mean
from postsched.domain.overlay import slug
from postsched.service.checks.finding import Finding, Subject, ok, warning


def settings_findings(subject: Subject) -> Iterator[Finding]:
    """The file, and what looks like a slip in it or in the environment."""
    settings = subject.settings
    where = str(settings.config_file) if settings.config_file else "no file, defaults are used"
    yield ok("settings", where)
    for sentence in settings.warnings:
        yield warning("settings", sentence)
    for name in settings.platforms:
        if wrong := no_platform(name):
            yield warning("settings", *wrong)


def no_platform(name: str) -> tuple[str, str | None] | None:
    """What is wrong with settings for a platform of that name, and what to do; None for one that
    is there."""
    known = {slug(one): one for one in platforms.names()}
    if name in known:
        return None
    said = f"[platforms.{name}] names no platform, and has no effect"
    return said, did_you_mean(name, known.values())
