"""What a database is called in messages: its path, or its URL without what is secret in it."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit, urlunsplit

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
        shown = [one for one in parts.query.split("&") if _name(one) not in SECRET]
        return urlunsplit(parts._replace(netloc=netloc, query="&".join(shown), fragment=""))
    except ValueError:
        return UNREADABLE


def _name(parameter: str) -> str:
    return unquote(parameter.partition("=")[0]).strip().lower()


def secret_parts(place: str) -> frozenset[str]:
    """The secrets in a URL, as they are written there and as they are meant."""
    if "://" not in place:
        return frozenset()
    rest = place.partition("://")[2]
    login = rest.partition("?")[0].rpartition("@")[0]
    found = {login.partition(":")[2]}
    found |= {
        one.partition("=")[2] for one in rest.partition("?")[2].split("&") if _name(one) in SECRET
    }
    return frozenset(said for one in found if one for said in (one, unquote(one)))
