"""Settings laid over each other: the file's, then the environment's twins of the same keys.

The twin of a key is `POSTSCHED_KEY`, for a platform `POSTSCHED_PLATFORMS_NAME_KEY`, in another
section `POSTSCHED_SECTION_KEY`. An empty variable counts as unset.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from postsched.domain.errors import InvalidInput
from postsched.domain.nearest import did_you_mean, nearest
from postsched.domain.notifying import NOTIFY_KEYS, WEBHOOK_KEYS
from postsched.domain.serving import WEB_KEYS
from postsched.domain.setting import KEYS, MEDIA_HOST_KEYS, PLATFORM_KEYS, Kind, unfit

_PREFIX = "POSTSCHED_"
_PLATFORM_PREFIX = "POSTSCHED_PLATFORMS_"
_SECRET_PREFIXES = ("POSTSCHED_TOKEN_", "POSTSCHED_CLIENT_SECRET_")
_OTHER_VARIABLES = (
    "POSTSCHED_DB", "POSTSCHED_CONFIG", "POSTSCHED_WEBHOOK_SECRET",
    "POSTSCHED_PASSPHRASE", "POSTSCHED_PASSPHRASE_FD",
    "POSTSCHED_NEW_PASSPHRASE", "POSTSCHED_NEW_PASSPHRASE_FD", "POSTSCHED_MEDIA_HOST_SECRET",
    "POSTSCHED_JWT_SECRET",
)  # fmt: skip
SECTIONS: Mapping[str, Mapping[str, Kind]] = {
    "media_host": MEDIA_HOST_KEYS,
    "webhook": WEBHOOK_KEYS,
    "notify": NOTIFY_KEYS,
    "web": WEB_KEYS,
}
"""Section -> its keys."""
_SECRET_KEYS = ("secret", "secret_key", "access_key", "password", "user", "token")
_HOW_TO_GIVE = {"media_host": "postsched media-host set", "webhook": "postsched notify secret"}


class Overlay:
    """What has been found so far: `values` by key, `platforms` by slug and key, `sections` by name
    and key. What is taken later wins; what can't be raises InvalidInput with the place, the key and
    what is expected."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.platforms: dict[str, dict[str, Any]] = {}
        self.sections: dict[str, dict[str, Any]] = {name: {} for name in SECTIONS}

    def take_file(self, path: object, table: Mapping[str, Any]) -> None:
        """Take all of a parsed file; `path` is its name for messages."""
        for key, value in table.items():
            if key == "platforms":
                self._take_platforms(path, value)
            elif key in SECTIONS:
                self._take_section(path, key, value)
            else:
                self._take_key(path, key, value)

    def _take_key(self, path: object, key: str, value: Any) -> None:
        where = f"{_shown(key)} in {path}"
        _refuse_unknown(where, key, (*KEYS, *SECTIONS, "platforms"))
        self.values[key] = _fit(where, KEYS[key], value)

    def _take_platforms(self, path: object, tables: Any) -> None:
        for name, table in _members(f"platforms in {path}", tables, "[platforms.NAME]"):
            place = f"platforms.{_shown(name)}"
            keys = self.platforms.setdefault(slug(name), {})
            if keys:
                raise InvalidInput(f"{place} in {path} is there twice", "Leave one of them")
            for key, value in _members(f"{place} in {path}", table, "[platforms.NAME]"):
                where = f"{place}.{_shown(key)} in {path}"
                _refuse_unknown(where, key, PLATFORM_KEYS)
                keys[key] = _fit(where, PLATFORM_KEYS[key], value)

    def _take_section(self, path: object, name: str, table: Any) -> None:
        kinds = SECTIONS[name]
        for key, value in _members(f"{name} in {path}", table, f"[{name}]"):
            where = f"{name}.{_shown(key)} in {path}"
            if key in _SECRET_KEYS and name in _HOW_TO_GIVE:
                raise InvalidInput(
                    f"{where}: a secret does not belong in there",
                    f"Take it out, and give it so: {_HOW_TO_GIVE[name]}",
                )
            _refuse_unknown(where, key, kinds)
            self.sections[name][key] = _fit(where, kinds[key], value)

    def take_environment(self, environ: Mapping[str, str]) -> None:
        """Take the twins of the keys; other variables are not judged here."""
        for variable, written in environ.items():
            if not written or not variable.startswith(_PREFIX):
                continue
            key = variable.removeprefix(_PREFIX).lower()
            where = f"the variable {variable}"
            if key in KEYS:
                self.values[key] = _fit_text(where, KEYS[key], written)
            elif twin := _platform_twin(variable):
                name, key = twin
                value = _fit_text(where, PLATFORM_KEYS[key], written)
                self.platforms.setdefault(name, {})[key] = value
            elif member := _section_twin(variable):
                name, key = member
                self.sections[name][key] = _fit_text(where, SECTIONS[name][key], written)


def _shown(key: str) -> str:
    return key if key.isprintable() else repr(key)


def _platform_twin(variable: str) -> tuple[str, str] | None:
    """The platform and the key that a variable `POSTSCHED_PLATFORMS_NAME_KEY` stands for."""
    rest = variable.removeprefix(_PLATFORM_PREFIX).lower()
    if not variable.startswith(_PLATFORM_PREFIX):
        return None
    for key in sorted(PLATFORM_KEYS, key=len, reverse=True):  # token_url before url
        name = rest.removesuffix(f"_{key}")
        if name and name != rest:
            return name, key
    return None


def _section_twin(variable: str) -> tuple[str, str] | None:
    """The section and the key that a variable `POSTSCHED_SECTION_KEY` stands for."""
    rest = variable.removeprefix(_PREFIX).lower()
    for name, kinds in SECTIONS.items():
        if rest.startswith(f"{name}_") and (key := rest.removeprefix(f"{name}_")) in kinds:
            return name, key
    return None


def slug(platform: str) -> str:
    """A platform's name as variables spell it, in lower case."""
    return re.sub(r"[^a-z0-9]", "_", platform.lower())


def _members(where: str, table: Any, header: str) -> list[tuple[str, Any]]:
    if not isinstance(table, dict):
        raise InvalidInput(f"{where} is not a table", f"Write {header} and its keys below it")
    return list(table.items())


def _refuse_unknown(where: str, key: str, known: Iterable[str]) -> None:
    if key in known:
        return
    if key in ("db", "database"):
        raise InvalidInput(f"{where}: the database is not set there", "Use --db or POSTSCHED_DB")
    raise InvalidInput(f"{where} is no key that is known", did_you_mean(key, known))


def _fit(where: str, kind: Kind, value: Any) -> Any:
    try:
        return kind.read(value)
    except (ValueError, InvalidInput) as error:
        raise unfit(where, kind, value, error) from error


def _fit_text(where: str, kind: Kind, written: str) -> Any:
    return _fit(where, kind, kind.from_text(written.strip()))


def mistyped(environ: Mapping[str, str]) -> tuple[str, ...]:
    """A sentence for each variable that looks like one of ours with a slip in it."""
    known = [f"{_PREFIX}{key.upper()}" for key in KEYS] + list(_OTHER_VARIABLES)
    known += [f"{_PREFIX}{name}_{key}".upper() for name, keys in SECTIONS.items() for key in keys]
    found = []
    for variable in environ:
        if not variable.startswith("POST") or not variable.isupper() or variable in known:
            continue
        if variable.startswith(_SECRET_PREFIXES) or _platform_twin(variable):
            continue
        meant = _meant(variable, known)
        if meant:
            found.append(
                f"the variable {variable} is not known and has no effect: did you mean {meant}?"
            )
    return tuple(found)


def _meant(variable: str, known: list[str]) -> str | None:
    """The variable that `variable` was meant to be. The prefix that all share doesn't count."""
    if variable.startswith(_PLATFORM_PREFIX):
        return f"{_PLATFORM_PREFIX}NAME_KEY with {', '.join(PLATFORM_KEYS)} as KEY"
    if not variable.startswith(_PREFIX):
        return nearest(variable, [*known, *_SECRET_PREFIXES], 0.9)
    heads = {name.removeprefix(_PREFIX): name for name in known}
    meant = nearest(variable.removeprefix(_PREFIX), heads, 0.8)
    if meant:
        return heads[meant]
    for prefix in _SECRET_PREFIXES:
        words = prefix.count("_")
        head = "_".join(variable.split("_")[:words]) + "_"
        if nearest(head.removeprefix(_PREFIX), [prefix.removeprefix(_PREFIX)], 0.8):
            return prefix + "NAME"
    return None
