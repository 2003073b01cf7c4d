"""An account's login put together from its parts, and the one command that mends it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from postsched.domain.account import Account
from postsched.domain.outcome import Problem, Published
from postsched.domain.secret import Secret
from postsched.platforms.base import Login, Platform, PlatformError, Service, Unknown
from postsched.secrets import variable

if TYPE_CHECKING:
    from postsched.config import Settings

T = TypeVar("T")


def login_for(
    account: Account,
    platform: Platform,
    settings: Settings,
    secret: Secret | None,
    client_secret: Secret | None = None,
) -> Login:
    """The login of an account with that secret: its own URL, else the configured one, else the
    platform's. `client_secret` is that of the app by which people log in to the platform."""
    given = settings.platform(account.platform)
    url = account.url or given.url or platform.url or ""
    return Login(
        account=account.name,
        url=url.rstrip("/"),
        secret=secret,
        user=account.user,
        settings=account.settings,
        facts=account.facts,
        service=Service(
            authorize_url=given.authorize_url,
            token_url=given.token_url,
            client_id=given.client_id,
            client_secret=client_secret,
            api_version=given.api_version,
        ),
    )


def servers(login: Login) -> tuple[str, ...]:
    """The addresses that a person has set for the account: they may be internal ones."""
    return tuple(filter(None, (login.url, login.service.token_url)))


def command(account: Account, platform: Platform | None) -> str:
    """The one command that gives the account a secret that works; asks nobody. `platform` is None
    where its package is gone."""
    if platform is not None and _has_oauth(account, platform):
        return f"postsched account login {account.name}"
    return f"postsched account set {account.name} --token-stdin"


def _has_oauth(account: Account, platform: Platform) -> bool:
    url = (account.url or platform.url or "").rstrip("/")
    bare = Login(account.name, url, None, account.user, account.settings, account.facts)
    try:
        return platform.oauth(bare) is not None
    except Exception:  # noqa: BLE001 - a plug-in may raise anything
        return False


def with_command(
    problem: Problem, account: Account, platform: Platform, *, in_environment: bool
) -> Problem:
    """A refused login, with what mends it in the hint: a command, or the variable that wins over
    whatever a command would keep."""
    hint = (problem.hint or "").rstrip(" .")
    if in_environment:
        hint = f"{hint or 'Another secret is needed'}: put it into {variable(account.name)}"
    elif "postsched account " not in hint:
        hint = f"{hint or 'Log in again'}: {command(account, platform)}"
    return replace(problem, hint=hint)


def cleaned(answer: T, login: Login) -> T:
    """What an adapter has answered without the login's secrets, wherever a server has put them: in
    an id, an address or the facts."""
    secrets = [one for one in (login.secret, login.service.client_secret) if one is not None]
    return _cleaned(answer, secrets) if secrets else answer


def _cleaned(value: Any, secrets: Sequence[Secret]) -> Any:
    match value:
        case str():
            for secret in secrets:
                value = secret.scrub(value)
            return value
        case dict():
            return {_cleaned(k, secrets): _cleaned(v, secrets) for k, v in value.items()}
        case list() | tuple():
            return type(value)(_cleaned(one, secrets) for one in value)
        case Published(remote_id, url, data, _, evidence):
            seen = [remote_id, url, evidence, dict(data)]
            if (clean := _cleaned(seen, secrets)) == seen:
                return value
            remote_id, url, evidence, data = clean
            return replace(value, remote_id=remote_id, url=url, data=data, evidence=evidence)
        case Unknown():
            return replace(value, reason=_cleaned(value.reason, secrets))
    return value


def hide(error: PlatformError, login: Login) -> None:
    """Take the login's secrets out of an error: it may be shown with others that come of it."""
    error.problem = scrubbed(error.problem, login)
    error.args = (error.problem.message,)


def scrubbed(problem: Problem, login: Login | None) -> Problem:
    """The problem without the login's secrets, in case a server's words repeat them."""
    secrets = (login.secret, login.service.client_secret) if login else ()
    for secret in secrets:
        if secret is not None:
            hint = secret.scrub(problem.hint) if problem.hint else None
            problem = replace(problem, message=secret.scrub(problem.message), hint=hint)
    return problem
