"""Where an account's secret is: its environment variable first, the keyring after it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Literal

from postsched.domain.errors import InvalidInput, SecretUnavailable
from postsched.domain.secret import Secret
from postsched.secrets.ring import Ring
from postsched.secrets.text import parse, written


class Secrets:
    """The secrets of all accounts. `environ` is the process's environment; `allow_plaintext` lets
    a keyring be used that keeps them readable on the disk."""

    def __init__(self, environ: Mapping[str, str], allow_plaintext: bool = False) -> None:
        self._environ = environ
        self._allow_plaintext = allow_plaintext

    def read(self, account: str) -> Secret | None:
        """The account's secret, None if there is none. Raises SecretUnavailable if the keyring
        can't be used or what it holds is no secret, InvalidInput if the variable's text is none."""
        given = self._given(account)
        if given is not None:
            return given
        text = self._from_keyring(account)
        if text is None:
            return None
        try:
            return parse(text)
        except InvalidInput as error:
            raise SecretUnavailable(
                f"the keyring's entry for account {account!r} can't be used: {error.message}",
                f"Give it again: postsched account set {account} --token-stdin",
            ) from None

    def in_environment(self, account: str) -> bool:
        """Whether the environment has the account's secret; the keyring is not touched."""
        return variable(account) in self._environ

    def source(self, account: str) -> Literal["environment", "keyring"] | None:
        """Where the account's secret is, None if there is none. Raises as `read` does."""
        if variable(account) in self._environ:
            return "environment"
        return None if self._from_keyring(account) is None else "keyring"

    def write(self, account: str, secret: Secret) -> None:
        """Save it in the keyring, and make sure that it is there: read back and compared.

        Raises SecretUnavailable if it can't be kept, or if the variable would win over it.
        """
        self._refuse_beside_variable(account)
        text = written(secret)
        ring = self._ring(account)
        ring.write(account, text)
        if ring.read(account) != text:
            raise SecretUnavailable(
                f"the keyring ({ring.name}) did not keep the secret of account {account!r}",
                f"Choose another in PYTHON_KEYRING_BACKEND, or set {variable(account)}",
            )

    def delete(self, account: str) -> None:
        """Remove it from the keyring; one that is not there is no error. With the variable set
        the keyring is left alone."""
        if variable(account) in self._environ:
            return
        self._ring(account).delete(account)

    def client_secret(self, platform: str) -> Secret | None:
        """The secret of our own registration with a platform, from the environment only; None if
        there is none. Raises InvalidInput if the variable's text is none."""
        name = client_variable(platform)
        text = self._environ.get(name)
        return _parsed(name, text) if text else None

    def keyring_name(self) -> str:
        """Which keyring is used, having tried to read from it, for people. Raises
        SecretUnavailable if it can't be used."""
        ring = self._ring("ACCOUNT")
        ring.read("ACCOUNT")
        return ring.name

    def _given(self, account: str) -> Secret | None:
        name = variable(account)
        text = self._environ.get(name)
        return None if text is None else _parsed(name, text)

    def _refuse_beside_variable(self, account: str) -> None:
        name = variable(account)
        if name in self._environ:
            raise SecretUnavailable(
                f"{name} is set, and would win over what the keyring holds for {account!r}",
                f"Unset {name} to keep the secret in the keyring",
            )

    def _from_keyring(self, account: str) -> str | None:
        return self._ring(account).read(account)

    def _ring(self, account: str) -> Ring:
        return Ring(self._allow_plaintext, f"set {variable(account)}")


def variable(account: str) -> str:
    """The environment variable for an account: POSTSCHED_TOKEN_ME_WORK for `me.work`."""
    return "POSTSCHED_TOKEN_" + re.sub(r"[^A-Z0-9]", "_", account.upper())


def client_variable(platform: str) -> str:
    """The environment variable for a platform's client secret: POSTSCHED_CLIENT_SECRET_X."""
    return "POSTSCHED_CLIENT_SECRET_" + re.sub(r"[^A-Z0-9]", "_", platform.upper())


def _parsed(name: str, text: str) -> Secret:
    try:
        return parse(text)
    except InvalidInput as error:
        raise InvalidInput(f"{name}: {error.message}", error.hint) from None


def check_names(names: Iterable[str]) -> None:
    """Refuse (InvalidInput) account names that share one environment variable."""
    taken: dict[str, str] = {}
    for name in names:
        other = taken.setdefault(variable(name), name)
        if other != name:
            raise InvalidInput(
                f"the accounts {other!r} and {name!r} would share the variable {variable(name)}",
                "Choose a name that differs in more than case and punctuation",
            )
