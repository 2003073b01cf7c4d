"""The media host for people: whether files can be put there, and its secret."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from postsched.domain.capabilities import Capabilities
from postsched.domain.errors import InvalidInput, PostschedError
from postsched.domain.hosting import ENTRY, MediaHost
from postsched.service.desk import UNSET, Desk

if TYPE_CHECKING:
    from postsched.config import Settings
    from postsched.domain.secret import Secret
    from postsched.hosting import HostError
    from postsched.secrets import Secrets

GIVE = "Give it: postsched media-host set --secret-stdin"


def fault(settings: Settings, secrets: Secrets) -> str | None:
    """Why files can't be put in public, and what to do; None if they can, as far as is known
    without asking the host."""
    place = settings.media_host
    if place is None:
        return UNSET
    try:
        secret = secrets.read(ENTRY)
    except PostschedError as error:
        return str(error)
    if secret is None:
        return f"the media host {place.name} has no secret. {GIVE}"
    wrong = _unusable(place, secret)
    return None if wrong is None else str(wrong)


def as_hosted(can: Capabilities, wrong: str | None) -> Capabilities:
    """What an account can do with the media host, of which `wrong` is `Desk.host_fault()`: where
    its network fetches media itself, files can be sent by it."""
    if can.media.from_bytes or not can.media.types:
        return can
    return replace(can, media=replace(can.media, from_bytes=wrong is None, instead=wrong))


def set_secret(desk: Desk, secrets: Secrets, secret: Secret) -> MediaHost:
    """Keep the secret. Raises InvalidInput where no host is set, or the secret is of no use for
    it."""
    place = expected(desk)
    if wrong := _unusable(place, secret):
        raise InvalidInput(wrong.message, wrong.hint)
    secrets.write(ENTRY, secret)
    desk.tell()
    return place


def expected(desk: Desk) -> MediaHost:
    """The host that is set. Raises InvalidInput where there is none."""
    if desk.settings.media_host is None:
        raise InvalidInput(
            "no media host is set", "Write [media_host] and its url into the configuration file"
        )
    return desk.settings.media_host


def _unusable(place: MediaHost, secret: Secret) -> HostError | None:
    from postsched.hosting import fault_of  # few posts need it: start-up time

    return fault_of(place, secret)
