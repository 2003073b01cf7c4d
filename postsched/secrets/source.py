"""Where an account's secret is: its environment variable, the secrets file, the keyring."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from postsched.domain.errors import InvalidInput, SecretUnavailable
from postsched.domain.hosting import ENTRY
from postsched.domain.notice import ENTRY as WEBHOOK
from postsched.domain.secret import Secret, SecretStore
from postsched.secrets.file import SecretsFile
from postsched.secrets.ring import NoKeyring, Ring
from postsched.secrets.text import parse, written


@dataclass(frozen=True, slots=True)
class Other:
    """Something that has a secret and is no account: its variable, its name for people, and the
    command that gives it its secret."""

    variable: str
    owner: str
    giving: str


OTHERS = {
    ENTRY: Other(
        "POSTSCHED_MEDIA_HOST_SECRET", "the media host", "postsched media-host set --secret-stdin"
    ),
    WEBHOOK: Other(
        "POSTSCHED_WEBHOOK_SECRET", "the webhook", "postsched notify secret --secret-stdin"
    ),
}
"""By the name of their entry, which no account can have."""


class Secrets:
    """The secrets of all accounts. `environ` is the process's environment; `allow_plaintext` lets
    a keyring be used that keeps them readable on the disk; `store` says where they are kept, and
    `file` is the one to keep them in.

    An account that the file holds is read from the file and written to it, by every process,
    whether it can reach the keyring or not: so no two processes go by different secrets.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        allow_plaintext: bool = False,
        store: SecretStore = SecretStore.AUTO,
        file: SecretsFile | None = None,
    ) -> None:
        self._environ = environ
        self._allow_plaintext = allow_plaintext
        self.store = store
        self.file = file if store is not SecretStore.KEYRING else None

    def read(self, account: str) -> Secret | None:
        """The account's secret, None if there is none. Raises SecretUnavailable if the keyring or
        the file can't be used, or what it holds is no secret, InvalidInput if the variable's text
        is none."""
        given = self._given(account)
        if given is not None:
            return given
        place, text = self._kept(account)
        if text is None:
            return None
        try:
            return parse(text)
        except InvalidInput as error:
            raise SecretUnavailable(
                f"the {place}'s entry for {_owner(account)} can't be used: {error.message}",
                f"Give it again: {_giving(account)}",
            ) from None

    def in_environment(self, account: str) -> bool:
        """Whether the environment has the account's secret; nothing else is touched."""
        return variable(account) in self._environ

    def source(self, account: str) -> Literal["environment", "keyring", "file"] | None:
        """Where the account's secret is, None if there is none. Takes no passphrase. Raises
        SecretUnavailable where the keyring or the file can't be asked."""
        if variable(account) in self._environ:
            return "environment"
        if self._is_in_file(account):
            return "file"
        if self.store is SecretStore.FILE:
            return None
        try:
            return None if self._ring(account).read(account) is None else "keyring"
        except NoKeyring:
            if not self._file_stands_in:
                raise
        return None

    def surely_has_none(self, account: str) -> bool:
        """Whether the account has no secret, as far as that can be told without the keyring and
        without a passphrase. Raises SecretUnavailable if the file can't be used."""
        kept_here = self.store is SecretStore.FILE
        return kept_here and not self.in_environment(account) and not self._is_in_file(account)

    def write(self, account: str, secret: Secret) -> None:
        """Save it where it is kept already; else in the keyring, or the file where there is none.

        Raises SecretUnavailable if it can't be kept, or if the variable would win over it.
        """
        self._refuse_beside_variable(account)
        text = written(secret)
        if self.file and (self.store is SecretStore.FILE or self._is_in_file(account)):
            self.file.write(account, text)
            return
        try:
            self._write_to_keyring(account, text)
        except NoKeyring:
            if not self.file or not self._file_stands_in:
                raise
            self.file.write(account, text)

    def before_writing(self, account: str) -> Secret | None:
        """The secret that `write` would replace, None if there is none, or what is there is none.

        Raises SecretUnavailable where nothing could be kept, so that this is known, and the
        passphrase asked for, before a new secret is fetched.
        """
        self._refuse_beside_variable(account)
        if self.file and (self.store is SecretStore.FILE or self._is_in_file(account)):
            self.file.prepare()
            text = self.file.read(account)
        else:
            text = self._before_in_keyring(account)
        with suppress(InvalidInput):
            return parse(text) if text is not None else None
        return None

    def delete(self, account: str) -> None:
        """Remove it from the file and the keyring; one that is not there is no error. With the
        variable set both are left alone."""
        if variable(account) in self._environ:
            return
        is_in_file = self._is_in_file(account)
        if self.store is not SecretStore.FILE:
            try:
                self._ring(account).delete(account)
            except NoKeyring:
                if not self._file_stands_in:
                    raise
        if self.file and is_in_file:
            self.file.delete(account)

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

    def left_in_keyring(self, account: str) -> bool:
        """Whether the keyring has a secret, too, of an account that the file holds. A keyring
        that can't be used has none."""
        try:
            return self._ring(account).read(account) is not None
        except SecretUnavailable:
            return False

    def unlock(self) -> None:
        """Open the file now, if an account may need it; the one time that a person is asked.

        Raises SecretUnavailable where the accounts in it can't be read.
        """
        if self.file is None:
            return
        try:
            if not all(map(self.in_environment, self.file.accounts())):
                self.file.open()
        finally:
            self.file.stop_asking()

    def _kept(self, account: str) -> tuple[str, str | None]:
        """Where it is kept, for people, and what is kept there."""
        if self.file and (self.store is SecretStore.FILE or self._is_in_file(account)):
            return f"secrets file {self.file.path}", self.file.read(account)
        try:
            return "keyring", self._ring(account).read(account)
        except NoKeyring as error:
            if not self.file or not self._file_stands_in:
                raise
            words, hint = error.message, error.hint
        # Not "there is none": another process may reach a keyring that has it.
        raise SecretUnavailable(
            f"the secrets file {self.file.path} holds no secret of {account}, and {words}",
            f"Give it one: {_giving(account)}. Or: {hint}",
        )

    def _given(self, account: str) -> Secret | None:
        name = variable(account)
        text = self._environ.get(name)
        return None if text is None else _parsed(name, text)

    def _refuse_beside_variable(self, account: str) -> None:
        name = variable(account)
        if name in self._environ:
            raise SecretUnavailable(
                f"{name} is set, and would win over what is kept for {account!r}",
                f"Unset {name} to keep the secret",
            )

    def _is_in_file(self, account: str) -> bool:
        return self.file is not None and self.file.holds(account)

    @property
    def _file_stands_in(self) -> bool:
        """Whether the file is used where there is no keyring."""
        return self.file is not None and self.file.is_expected

    def _write_to_keyring(self, account: str, text: str) -> None:
        """Save it, and make sure that it is there: read back and compared."""
        ring = self._ring(account)
        ring.write(account, text)
        if ring.read(account) != text:
            raise SecretUnavailable(
                f"the keyring ({ring.name}) did not keep the secret of {_owner(account)}",
                f"Choose another in PYTHON_KEYRING_BACKEND, or set {variable(account)}",
            )

    def _before_in_keyring(self, account: str) -> str | None:
        try:
            return self._ring(account).read(account)
        except NoKeyring:
            if not self.file or not self._file_stands_in:
                raise
        self.file.prepare()
        return None

    def _ring(self, account: str) -> Ring:
        otherwise = ', or secrets = "file"' if self.store is SecretStore.AUTO else ""
        return Ring(self._allow_plaintext, f"set {variable(account)}{otherwise}")


def variable(account: str) -> str:
    """The environment variable for an account: POSTSCHED_TOKEN_ME_WORK for `me.work`; or for the
    entry of something else."""
    if account in OTHERS:
        return OTHERS[account].variable
    return "POSTSCHED_TOKEN_" + re.sub(r"[^A-Z0-9]", "_", account.upper())


def _owner(account: str) -> str:
    return OTHERS[account].owner if account in OTHERS else f"account {account!r}"


def _giving(account: str) -> str:
    """The command that gives a secret."""
    if account in OTHERS:
        return OTHERS[account].giving
    return f"postsched account set {account} --token-stdin"


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
