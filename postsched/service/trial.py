"""A trial of the media host: what a network would find there."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from postsched.domain.errors import InvalidInput, NotAllowed
from postsched.domain.hosting import ENTRY, MediaHost
from postsched.hosting import Host, HostError, host_of, new_name
from postsched.service.hosting import GIVE, expected
from postsched.store import hosted
from postsched.transport import Transport

if TYPE_CHECKING:
    from postsched.secrets import Secrets
    from postsched.service.desk import Desk

TRIAL = b"A trial of postsched: it may be deleted.\n"
BUSY = timedelta(minutes=15)
"""How long the trial may take, before somebody else may remove what it has put there."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A trial that went well: where, and how many seconds it took."""

    place: MediaHost
    seconds: float


def check(desk: Desk, secrets: Secrets) -> Trial:
    """Put a small file there, fetch it from its public address, and remove it.

    Raises HostError, or NotAllowed where it can't be fetched; its name stays on record until it
    surely is gone, so that nothing is left behind.
    """
    place = expected(desk)
    secret = secrets.read(ENTRY)
    if secret is None:
        raise InvalidInput(f"the media host {place.name} has no secret", GIVE)
    begun = desk.now()
    asyncio.run(_try_out(desk, host_of(place, secret)))
    return Trial(place, (desk.now() - begun).total_seconds())


async def _try_out(desk: Desk, host: Host) -> None:
    name, now = f"{new_name(None)}.txt", desk.now()
    with desk.database.write() as connection:
        known = hosted.take(connection, None, name, host.place.place, name, now, now + BUSY)
    settings = desk.settings
    transport = Transport(settings.request_timeout, allow_private=settings.allow_private_addresses)
    maybe = True  # something of it may be there
    try:
        with transport.client(ENTRY, host.place.url) as http, tempfile.TemporaryDirectory() as home:
            file = Path(home) / "trial.txt"
            file.write_bytes(TRIAL)
            try:
                await host.put(http, name, file, "text/plain")
            except HostError as error:
                maybe = error.stored
                raise
            try:
                await _fetch(transport, host, name)
            finally:
                await host.remove(http, name)
                maybe = False
    finally:
        with desk.database.write() as connection:
            hosted.not_stored(connection, known, maybe=maybe)
        await transport.close()


async def _fetch(transport: Transport, host: Host, name: str) -> None:
    """Fetch it as a network would: from an address of the public internet, without the secret."""
    import httpx

    try:
        with transport.client("") as http:
            response = await http.get(host.address(name))
    except httpx.HTTPError as error:
        why = host.scrub(str(error) or type(error).__name__)
    else:
        if response.is_success and response.content == TRIAL:
            return
        why = f"HTTP {response.status_code}"
        if response.is_success:
            why = "there is something else"
    raise NotAllowed(
        f"what is put at the media host {host.place.name} can't be fetched from its public "
        f"address: {why}",
        "Let everyone read there, or set public_url under [media_host]",
    )
