"""Where the accounts' secrets are, and whether the keyring and the secrets file can be used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from postsched import platforms
from postsched.domain.account import Account
from postsched.domain.errors import NotFound, SecretUnavailable
from postsched.domain.secret import SecretStore
from postsched.service.checks.finding import Finding, Subject, ok, problem, warning
from postsched.store import accounts as account_rows

PLACES = ("environment", "keyring", "file", "nowhere")


def secret_findings(subject: Subject) -> Iterator[Finding]:
    """The keyring, the secrets file, and which account's secret is in which of them."""
    needing = _needing(subject)
    yield from _keyring(subject, needing)
    yield from _file(subject, needing)
    places = _places(subject, needing)
    if places:
        yield ok("secrets", "; ".join(f"{where}: {', '.join(names)}" for where, names in places))


def _keyring(subject: Subject, needing: Sequence[Account]) -> Iterator[Finding]:
    """Whether it can be used, where it is needed at all."""
    secrets = subject.secrets
    if secrets.store is SecretStore.FILE:
        yield ok("keyring", 'not used: secrets = "file"')
        return
    outside = [a for a in needing if not secrets.in_environment(a.name)]
    try:
        name = secrets.keyring_name()
    except SecretUnavailable as error:
        if secrets.file and secrets.file.is_expected:
            yield ok("keyring", f"not used, secrets are kept in a file: {error.message}")
        elif outside or not needing:
            found = problem if outside else warning
            yield found("keyring", error.message, error.hint)
        else:
            yield ok("keyring", "none, and none is needed: all secrets are in the environment")
        return
    yield ok("keyring", name)


def _file(subject: Subject, needing: Sequence[Account]) -> Iterator[Finding]:
    """Whether it can be opened, where it is used; what lies about unused."""
    file, store = subject.secrets.file, subject.secrets.store
    path = subject.settings.secrets_path
    if file is None:
        if path.exists():
            yield warning("secrets file", f'{path} is there, and not used: secrets = "{store}"')
        return
    if not path.exists():
        if store is SecretStore.FILE or file.is_expected:
            yield ok("secrets file", f"{path} is made when a secret is kept")
        return
    try:
        held = file.accounts()
        file.open()
    except SecretUnavailable as error:
        yield problem("secrets file", error.message, error.hint)
        return
    yield ok("secrets file", str(path))
    if store is SecretStore.AUTO:
        yield from _twice(subject, [a.name for a in needing if a.name in held])


def _twice(subject: Subject, names: Sequence[str]) -> Iterator[Finding]:
    for name in names:
        if not subject.secrets.in_environment(name) and subject.secrets.left_in_keyring(name):
            yield warning(
                "secrets",
                f"the keyring has a secret of {name}, too; that of the secrets file is used",
                f"Remove it: keyring del postsched {name}",
            )


def _places(subject: Subject, needing: Sequence[Account]) -> list[tuple[str, list[str]]]:
    """Where secrets are, and of which accounts. What can't be told is said with the account."""
    found: dict[str, list[str]] = {}
    for account in needing:
        try:
            place = subject.secrets.source(account.name)
        except SecretUnavailable:
            continue
        found.setdefault(place or "nowhere", []).append(account.name)
    return [(place, found[place]) for place in PLACES if place in found]


def _needing(subject: Subject) -> Sequence[Account]:
    if subject.database is None:
        return ()
    with subject.database.read() as connection:
        return [a for a in account_rows.every(connection) if _needs_secret(a)]


def _needs_secret(account: Account) -> bool:
    try:
        return platforms.get(account.platform).needs_secret
    except NotFound:
        return False
