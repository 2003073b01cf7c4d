"""What a database is called in messages: its path, or its URL without what is secret in it."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

SECRET = frozenset({"password", "sslpassword", "oauth_client_secret", "scram_client_key"})
"""Parameters of libpq that are secrets."""
UNREADABLE = "postgresql://…"


def plain(place: str) -> str:
    """A path as it is; a URL without its password, also where it can't be read."""
    if "://" not in place:
        return place
    try:
        parts = urlsplit(place)
        login, at, where = parts.netloc.rpartition("@")
        netloc = f"{login.partition(':')[0]}{at}{where}"
        if "@" in unquote(parts.path):  # a password with a stroke in it, that is not encoded
            return UNREADABLE
        shown = [one for one in parts.query.split("&") if one and _name(one) not in SECRET]
        query = f"?{'&'.join(shown)}" if shown else ""
        return f"{parts.scheme}://{netloc}{parts.path}{query}"
    except ValueError:
        return UNREADABLE


def _name(parameter: str) -> str:
    return unquote(parameter.partition("=")[0]).strip().lower()
