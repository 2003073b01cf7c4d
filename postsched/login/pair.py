"""What a secret says of itself: when its access token ends, and which pair of tokens was before.

A secret that is renewed is a JSON object with `access_token`, `refresh_token`, `expires_at` (RFC
3339) and, until the new pair has worked, `previous`: the same three of the pair before it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from postsched.domain.secret import Secret
from postsched.platforms.base import Login
from postsched.platforms.oauth import PAIR, expiry

PREVIOUS = "previous"


def ends(secret: Secret, *, renewed: bool = True) -> datetime | None:
    """When a person has to log in again (UTC), as far as the secret says: None for one that is
    renewed by itself (unless nobody may: `renewed`), never ends or doesn't say."""
    by_itself = secret.get("refresh_token") or secret.get("password")
    return None if renewed and by_itself else expiry(secret)


def lives(secret: Secret, now: datetime) -> bool:
    """Whether its access token is known not to have ended."""
    end = expiry(secret)
    return end is not None and now < end


def is_pair(secret: Secret) -> bool:
    """Whether it is nothing but tokens, two or one that ends, which only the tokens themselves can
    renew: the renewal is lost with them."""
    renewable = secret.get("refresh_token") or secret.get("expires_at")
    return bool(renewable) and not secret.get("password")


def same(secret: Secret | None, other: Secret | None) -> bool:
    """Whether both would log in alike, whatever was before."""
    if secret is None or other is None:
        return secret is other
    return bool(_bare(secret) == _bare(other))


def is_any(login: Login, others: Iterable[Login]) -> bool:
    """Whether one of those is the same login."""
    return any(same(login.secret, other.secret) for other in others)


def turned_back(secret: Secret) -> Secret | None:
    """The pair before in front, and this one as `previous`: nothing is lost by it. None where
    there is none."""
    whole, before = secret.reveal(), secret.get(PREVIOUS)
    if isinstance(whole, str) or not isinstance(before, Mapping) or not before.get("access_token"):
        return None
    this = {name: whole[name] for name in PAIR if whole.get(name)}
    rest = {name: value for name, value in whole.items() if name not in (*PAIR, PREVIOUS)}
    return Secret({**rest, **{n: before[n] for n in PAIR if before.get(n)}, PREVIOUS: this})


def settled(secret: Secret) -> Secret | None:
    """The secret without the pair before, once it has worked; None if there is nothing to drop.
    What is called previous may be the newer one, see `turned_back`; that one is not dropped."""
    whole, before = secret.reveal(), secret.get(PREVIOUS)
    if isinstance(whole, str) or before is None:
        return None
    mine, its = expiry(secret), expiry(Secret(before)) if isinstance(before, Mapping) else None
    if mine is not None and its is not None and its > mine:
        return None
    return Secret({name: value for name, value in whole.items() if name != PREVIOUS})


def is_plain(secret: Secret) -> bool:
    """Whether it can be kept: a string, or a JSON object."""
    whole = secret.reveal()
    if isinstance(whole, str):
        return bool(whole)
    try:
        return isinstance(whole, Mapping) and bool(json.dumps(dict(whole)))
    except (TypeError, ValueError, RecursionError):
        return False


def _bare(secret: Secret) -> Any:
    whole = secret.reveal()
    if isinstance(whole, str):
        return whole
    return {name: value for name, value in whole.items() if name != PREVIOUS}
