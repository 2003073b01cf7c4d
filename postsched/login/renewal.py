"""Renewing a login: one process at a time, saved before it is used, and never a good pair lost.

Where a refresh token works once, it is spent as soon as the network has read it, though the answer
may be lost (sheet of X, section 2). So the same request is made once more after a lost answer;
what can't be renewed is used for as long as its access token lives, and that is said loudly; a
pair that was refused is kept beside the one before it, which is tried instead.

What can't be had: if the process dies, or loses both answers, between the network's rotation and
the saving, the refresh token is gone. The access token then still lives until its end.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from postsched.domain.account import Account
from postsched.domain.errors import SecretUnavailable, StoreUnavailable
from postsched.domain.outcome import ErrorKind, Lost
from postsched.domain.secret import Secret
from postsched.login.account import command, hide, scrubbed
from postsched.login.lease import Lease
from postsched.login.pair import ends, is_any, is_pair, is_plain, lives, same, settled, turned_back
from postsched.login.reading import Reader
from postsched.platforms.base import Login, Platform, PlatformError, Renewal
from postsched.platforms.judging import classify, problem_of
from postsched.store import accounts as account_rows

if TYPE_CHECKING:
    import httpx

    from postsched.store.database import Database

log = logging.getLogger("postsched.login")
WAIT = 90.0
"""Seconds another process may take to renew a login that is of no use before."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One account's turn to be renewed. `tried` are the logins that the network refused."""

    account: Account
    platform: Platform
    http: httpx.AsyncClient
    tried: Sequence[Login]


@dataclass(frozen=True, slots=True)
class Unsaved:
    """A renewal that could not be saved, and the secret it was made of."""

    before: Secret
    renewal: Renewal


class Renewer:
    """Renews logins for one process, `holder`; `seconds` bounds one request to a network."""

    def __init__(
        self,
        reader: Reader,
        database: Database,
        now: Callable[[], datetime],
        holder: str,
        seconds: float,
    ) -> None:
        self._reader = reader
        self._database = database
        self._now = now
        self._holder = holder
        self._seconds = seconds
        self._unsaved: dict[str, Unsaved] = {}

    async def usable(self, turn: Turn, login: Login) -> Login:
        """The login if it is good, else what there is instead: renewed, or the pair before, or
        what another process has made of it. Raises as `Logins.get` does."""
        tried = is_any(login, turn.tried)
        if login.secret is None or not (tried or turn.platform.stale(login, self._now())):
            return login
        if self._reader.from_environment(turn.account):
            return await self._for_this_process(turn, login, login.secret)
        alive = not tried and lives(login.secret, self._now())
        lease = self._lease(turn.account)
        if await lease.take(0 if alive else WAIT):
            async with lease:
                return await self._renewed(turn, lease)
        if alive:
            return login  # another process is at it, and this one need not wait
        raise _lease_not_given(turn.account)

    async def settle(self, account: Account, login: Login) -> None:
        """Drop the pair before this one, which has worked. What goes wrong is of no weight: it is
        done at another time."""
        lease = self._lease(account)
        with contextlib.suppress(SecretUnavailable):
            if await lease.take(0):
                async with lease:
                    stored = await self._reader.secret(account)
                    after = settled(stored) if stored and same(stored, login.secret) else None
                    if after is not None:
                        await self._reader.write(account, after)

    def _lease(self, account: Account) -> Lease:
        return Lease(self._database, f"login:{account.uid}", self._holder, self._now)

    async def _for_this_process(self, turn: Turn, login: Login, secret: Secret) -> Login:
        """A session made of a secret in the environment. A pair there is not renewed: the next
        process would find a refresh token that is spent."""
        if is_pair(secret):
            return login
        renewal = await self._asked(turn, login)
        return login if renewal is None else replace(login, secret=renewal.secret)

    async def _renewed(self, turn: Turn, lease: Lease) -> Login:
        login = await self._reader.read(turn.account, turn.platform)
        assert login.secret is not None, "without a secret it could not be read"
        tried = is_any(login, turn.tried)
        if not tried and not turn.platform.stale(login, self._now()):
            return login  # another process has renewed it while this one waited
        if tried and (before := self._before(turn, login, login.secret)):
            log.warning("%s: its new login is refused, the one before is used", turn.account.name)
            return await self._saved(turn, lease, login.secret, Renewal(before), note=False)
        try:
            return await self._made(turn, lease, login, login.secret)
        except Exception as error:  # an adapter may raise anything
            if tried or not lives(login.secret, self._now()):
                raise
            await asyncio.to_thread(self._tell, turn, login, login.secret, error)
            return login

    def _before(self, turn: Turn, login: Login, secret: Secret) -> Secret | None:
        """The pair before, if it may still work."""
        before = turned_back(secret)
        if before is None or not lives(before, self._now()):
            return None
        return None if is_any(replace(login, secret=before), turn.tried) else before

    async def _made(self, turn: Turn, lease: Lease, login: Login, secret: Secret) -> Login:
        unsaved = self._unsaved.get(turn.account.uid)
        if unsaved and same(unsaved.before, secret):
            renewal: Renewal | None = unsaved.renewal
        else:
            renewal = await self._asked(turn, login)
        if renewal is None:
            return login
        self._unsaved[turn.account.uid] = Unsaved(secret, renewal)
        done = await self._saved(turn, lease, secret, renewal)
        del self._unsaved[turn.account.uid]
        return done

    async def _asked(self, turn: Turn, login: Login) -> Renewal | None:
        """What the network gives, asked once more where the answer was lost."""
        lost = False
        while True:
            try:
                return await self._asked_once(turn, login)
            except Exception as error:
                if _is_lost(error) and not lost:
                    lost = True
                    continue
                if isinstance(error, PlatformError):
                    words = "; the answer to the request before was lost" if lost else ""
                    message = error.problem.message + words
                    error.problem = replace(error.problem, message=message)
                    hide(error, login)
                raise

    async def _asked_once(self, turn: Turn, login: Login) -> Renewal | None:
        tried = is_any(login, turn.tried)
        async with asyncio.timeout(self._seconds):
            renewal = await turn.platform.refresh(login, turn.http, self._now(), refused=tried)
        if renewal is not None and not _is_one(renewal):
            raise PlatformError(
                ErrorKind.PERMANENT,
                f"the adapter of {turn.platform.name} made a login that is none",
            )
        return renewal

    async def _saved(
        self, turn: Turn, lease: Lease, before: Secret, renewal: Renewal, *, note: bool = True
    ) -> Login:
        """Keep a new secret, unless another was kept meanwhile: while this process was suspended,
        another renewed it, or a person logged in again."""
        account = turn.account
        if not await lease.take(WAIT):
            raise _lease_not_given(account)
        stored = await self._reader.read(account, turn.platform)
        if same(stored.secret, before):
            await self._reader.write(account, renewal.secret)
            stored = replace(stored, secret=renewal.secret)
            if note:
                await asyncio.to_thread(self._note, account, renewal.expires_at)
        else:
            log.warning("%s: another process has renewed its login meanwhile", account.name)
        return stored

    def _note(self, account: Account, end: datetime | None) -> None:
        # The secret is what counts: a database that can't be written must not spoil it.
        with contextlib.suppress(StoreUnavailable), self._database.write() as connection:
            account_rows.note_renewal(connection, account.id, end)

    def _tell(self, turn: Turn, login: Login, secret: Secret, error: Exception) -> None:
        """Say that a login could not be renewed, though it still works; to all who look at the
        account where only a person can help."""
        account, end = turn.account, ends(secret, renewed=False)
        refused = isinstance(error, PlatformError) and error.problem.kind is ErrorKind.AUTH
        words = scrubbed(problem_of(error), login).message
        if not refused or end is None:
            log.warning("%s: its login could not be renewed yet: %s", account.name, words)
            return
        mend = command(account, turn.platform)
        said = (
            f"its login can't be renewed ({words}) and ends {end:%Y-%m-%d %H:%M} UTC. "
            f"Log in again: {mend}"
        )
        log.error("%s: %s", account.name, said)
        with contextlib.suppress(StoreUnavailable), self._database.write() as connection:
            account_rows.note_end(connection, account.id, end, said, self._now())


def _lease_not_given(account: Account) -> SecretUnavailable:
    return SecretUnavailable(
        f"the login of {account.name} could not be renewed for {WAIT:g} s: "
        "another process is at it, or the database can't be used"
    )


def _is_lost(error: Exception) -> bool:
    """Whether the network may have done what it was asked, though nobody heard of it."""
    if isinstance(error, PlatformError):
        return error.problem.kind is ErrorKind.TRANSIENT
    return isinstance(error, TimeoutError) or isinstance(classify(error, sending=True), Lost)


def _is_one(renewal: object) -> bool:
    """Whether an adapter's renewal can be kept."""
    if not isinstance(renewal, Renewal) or not isinstance(renewal.secret, Secret):
        return False
    end = renewal.expires_at
    aware = end is None or (isinstance(end, datetime) and end.tzinfo is not None)
    return aware and is_plain(renewal.secret)
