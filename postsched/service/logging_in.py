"""Logging in in the browser: what the person is sent to, and what becomes of the answer.

`begin` makes a Consent, whose `url` the person visits; `Consent.code_in` finds the code in what
comes back, from the browser or pasted; `finish` trades it for the account's secret. Sources:
RFC 6749 section 4.1, RFC 7636, RFC 8252.
"""

from __future__ import annotations

import hmac
import re
import secrets as chance
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qs

from postsched import platforms
from postsched.domain.account import Account
from postsched.domain.errors import InvalidInput, NotAllowed, PostschedError, SecretUnavailable
from postsched.domain.outcome import Failed, Retry
from postsched.domain.secret import Secret
from postsched.login import login_for
from postsched.platforms import oauth as protocol
from postsched.platforms.base import Login, Platform, PlatformError, Renewal
from postsched.platforms.judging import classify
from postsched.platforms.oauth import Client, OAuth
from postsched.secrets import variable
from postsched.service import accounts
from postsched.service.accounts import Checked
from postsched.service.desk import Desk

if TYPE_CHECKING:
    from postsched.secrets import Secrets

T = TypeVar("T")
CODE = re.compile(r"[\x21-\x7e]{1,4096}")
"""What an authorization code may be (RFC 6749 appendix A.11), and not a whole book."""
LONGEST_WORDS = 200
"""Characters of a network's reason that are repeated."""


@dataclass(frozen=True, slots=True)
class Consent:
    """A login under way: the person is at `url`, and is sent back to `redirect_uri`."""

    account: Account
    oauth: OAuth
    login: Login
    redirect_uri: str
    url: str
    state: str = field(repr=False)
    verifier: str = field(repr=False)

    @property
    def shows_code(self) -> bool:
        """Whether the network shows the code, instead of sending the person anywhere."""
        return self.redirect_uri == self.oauth.shown

    def code_in(self, query: str) -> str:
        """The code in the query of the redirect. Raises NotAllowed if the network refused, and
        InvalidInput for what is no answer to this login."""
        try:
            found = parse_qs(query, keep_blank_values=True, max_num_fields=50, errors="strict")
        except ValueError:
            raise InvalidInput("the answer can't be read") from None
        given = {name: values[0] for name, values in found.items() if len(values) == 1}
        state = given.get("state", "").encode()
        if not hmac.compare_digest(state, self.state.encode()):
            raise InvalidInput(
                "the answer belongs to another login (its state is not the one that was sent)",
                "Start again, and use the address shown last",
            )
        if "error" in given:
            raise NotAllowed(f"the login was refused: {_reason(given)}", "Nothing was changed")
        if not CODE.fullmatch(given.get("code", "")):
            raise InvalidInput("there is no code in the answer")
        return given["code"]

    def code_pasted(self, text: str) -> str:
        """The code in what a person pasted: the whole address, its query, or the bare code. Raises
        as `code_in`."""
        text = text.strip()
        if "://" in text or re.search(r"(^|[?&])(code|error|state)=", text):
            query = text.partition("#")[0]
            return self.code_in(query.partition("?")[2] or query)
        if not CODE.fullmatch(text):
            raise InvalidInput(
                "this is neither the address the browser was sent to nor a code",
                "Paste the whole address of the page you ended at",
            )
        return text


def description(desk: Desk, account: Account) -> OAuth | None:
    """How one logs in to the account's network in the browser, None where one doesn't. Raises
    InvalidInput where there is nothing to log in to."""
    platform = platforms.get(account.platform)
    if not platform.needs_secret:
        raise InvalidInput(f"{platform.title} needs no login", f"{account.name} works as it is")
    return described(platform, login_for(account, platform, desk.settings, None))


def begin(
    desk: Desk, secrets: Secrets, account: Account, given: Client | None, *, pasting: bool
) -> Consent:
    """Start a login, with the app `given`, else the configured one, else one that the server makes
    for us, else the one that the account was logged in with before.

    Raises InvalidInput if there is none, SecretUnavailable if the secret could not be kept.
    """
    if secrets.in_environment(account.name):
        raise SecretUnavailable(
            f"{variable(account.name)} is set, and would win over the login of {account.name!r}",
            f"Unset {variable(account.name)} to log in",
        )
    kept = secrets.before_writing(account.name)  # what can't be kept is said now, not at the end
    platform = platforms.get(account.platform)
    login = login_for(account, platform, desk.settings, None, secrets.client_secret(platform.name))
    oauth = described(platform, login)
    assert oauth is not None, "the caller looks at `description` first"
    redirect_uri = oauth.redirect.replace("{port}", str(desk.settings.callback_port))
    if pasting and oauth.shown:
        redirect_uri = oauth.shown
    login = _with_app(desk, platform, login, given, redirect_uri, kept)
    client = protocol.client_of(login)
    if client is None:
        hint = oauth.client_hint.replace("{port}", str(desk.settings.callback_port))
        raise InvalidInput(
            f"{platform.title} wants to know by which app you log in",
            f"Give --client-id, or set client_id under [platforms.{platform.name}]. "
            + (f"{hint}. " if hint else "")
            + "To use a token that you have: "
            f"postsched account set {account.name} --token-stdin",
        )
    state, verifier = chance.token_urlsafe(32), protocol.new_verifier()
    url = protocol.authorization_url(oauth, client.id, redirect_uri, state, verifier)
    return Consent(account, oauth, login, redirect_uri, url, state, verifier)


def finish(desk: Desk, secrets: Secrets, consent: Consent, code: str) -> Checked:
    """Trade the code for a secret, keep it, and ask the network who this is.

    Raises NotAllowed if the network refuses the code or the login, or if it is somebody else's;
    nothing is kept then, and the account has the secret it had.
    """
    oauth, login = consent.oauth, consent.login

    async def exchange(http: Any) -> Renewal:
        return await protocol.exchange(
            oauth, login, http, code=code, redirect_uri=consent.redirect_uri,
            verifier=consent.verifier, now=desk.now(),
        )  # fmt: skip

    renewal = _asked(desk, consent.account, oauth.token_url, exchange)
    checked = accounts.set_secret(
        desk, secrets, consent.account, renewal.secret,
        expires_at=renewal.expires_at, same_person=True,
    )  # fmt: skip
    if not renewal.lacking:
        return checked
    lacking = (
        f"the consent does not include {', '.join(renewal.lacking)}: what needs it will be refused"
    )
    return replace(checked, warning="; ".join(filter(None, (checked.warning, lacking))))


def described(platform: Platform, login: Login) -> OAuth | None:
    """What an adapter says of how one logs in, None where one doesn't in the browser. Raises
    NotAllowed where it says nothing of use."""
    try:
        oauth = platform.oauth(login)
        reason = "" if oauth is None or _makes_sense(oauth) else type(oauth).__name__
    except PostschedError:
        raise
    except Exception as error:  # noqa: BLE001 - a plug-in may raise anything
        reason = type(error).__name__
    if reason:
        raise NotAllowed(
            f"the adapter of {platform.name!r} fails to say how one logs in ({reason})",
            "Update or remove the package it comes from",
        )
    return oauth


def _makes_sense(oauth: Any) -> bool:
    if not isinstance(oauth, OAuth) or isinstance(oauth.scopes, str):
        return False
    texts = (oauth.authorize_url, oauth.token_url, oauth.redirect, oauth.client_hint)
    return all(isinstance(one, str) for one in (*texts, *oauth.scopes, *oauth.needed))


def _with_app(
    desk: Desk,
    platform: Platform,
    login: Login,
    given: Client | None,
    redirect_uri: str,
    kept: Secret | None,
) -> Login:
    """The login with the app in its secret, where it is to be kept with the account."""
    if given is None and login.service.client_id is None:
        given = _asked(
            desk,
            login.account,
            login.url,
            lambda http: platform.register(login, http, redirect_uri),
        )
    if given is not None:
        app = {"client_id": given.id, "client_secret": given.secret}
        return replace(login, secret=Secret({name: it for name, it in app.items() if it}))
    if login.service.client_id is not None or kept is None:
        return login
    app = {name: kept.get(name) for name in ("client_id", "client_secret")}
    return replace(login, secret=Secret({name: it for name, it in app.items() if it}))


def _asked(desk: Desk, account: Account | str, url: str, ask: Callable[[Any], Awaitable[T]]) -> T:
    """What a server says to us without a login. Raises NotAllowed for whatever prevents it."""
    from postsched.service.network import talk

    name = account if isinstance(account, str) else account.name
    try:
        return talk(desk, name, url, ask)
    except PlatformError as error:
        said, hint = error.problem.message, error.problem.hint
    except PostschedError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever stands between us and the network
        judged = classify(error, sending=False)
        said, hint = judged.problem.message if isinstance(judged, Retry | Failed) else "", None
    # Outside the except clauses, so that what a server said isn't even the context.
    raise NotAllowed(f"the login of {name} failed: {said}", hint or "Log in again")


def _reason(given: dict[str, str]) -> str:
    """Why a network refused, in its own words or its code (RFC 6749 section 4.1.2.1)."""
    said = given.get("error_description") or given["error"] or "it gives no reason"
    words = " ".join("".join(c if c.isprintable() else " " for c in said).split())
    return words if len(words) <= LONGEST_WORDS else words[:LONGEST_WORDS] + "…"
