"""The secrets file: secrets encrypted under a passphrase, for systems without a keyring.

Only its owner may read it. It is replaced as a whole, by one process at a time, each starting from
what the one before has written. The key is made once a process; `holds` needs none.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from postsched.domain.errors import SecretUnavailable
from postsched.secrets import durable
from postsched.secrets.passphrase import Passphrase
from postsched.secrets.sealed import LARGEST, Cost, Key, Sealed, derived, new_salt, parsed, sealed


class SecretsFile:
    """The file at `path`, which need not exist yet; `cost` is what a new one's key costs. Every
    method raises SecretUnavailable, with one sentence for what is wrong, and then nothing was
    changed. May be used by several threads."""

    def __init__(self, path: Path, passphrase: Passphrase, cost: Cost | None = None) -> None:
        self.path = path
        self._passphrase = passphrase
        self._cost = cost or Cost()
        self._key: Key | None = None
        self._one_at_a_time = threading.RLock()

    @property
    def is_expected(self) -> bool:
        """Whether it is there, or somebody means it to be: a passphrase is given."""
        return os.path.lexists(self.path) or self._passphrase.given

    def accounts(self) -> frozenset[str]:
        """The accounts that it holds secrets of. Takes no passphrase, and proves nothing."""
        found = self._found()
        return found.accounts if found else frozenset()

    def holds(self, account: str) -> bool:
        """Whether it holds a secret of the account. Takes no passphrase, and proves nothing."""
        return account in self.accounts()

    def read(self, account: str) -> str | None:
        """The secret of an account as text, None if there is none."""
        with self._one_at_a_time:
            return self._texts(self._found()).get(account)

    def write(self, account: str, text: str) -> None:
        """Save the secret of an account; the file is made if there is none."""
        self._change(lambda texts: {**texts, account: text})

    def delete(self, account: str) -> None:
        """Remove the secret of an account, if it holds one."""
        if self.holds(account):
            self._change(lambda texts: {n: t for n, t in texts.items() if n != account})

    def open(self) -> None:
        """Make sure that the passphrase is right, if there is a file; ask for it if need be."""
        with self._one_at_a_time:
            self._texts(self._found())

    def prepare(self) -> None:
        """Make sure that the passphrase is right, or that there is one for a new file; ask for it
        if need be."""
        with self._one_at_a_time:
            self._key_of(self._found())

    def change_passphrase(self, new: Passphrase) -> None:
        """Seal it under another passphrase. Processes that know the old one can open it no more."""
        with self._one_at_a_time, self._explained("written"):
            # Both keys are made here, before others have to wait.
            if self._found() is None:
                raise SecretUnavailable(
                    f"there is no secrets file {self.path}", "It is made with the first secret"
                )
            self.open()
            key = derived(new.text(self.path, new=True), new_salt(), self._cost)
            with durable.locked(self.path):
                texts = self._texts(self._found())
                durable.replace(self.path, sealed(key, texts))
            self._key = key

    def stop_asking(self) -> None:
        """From now on no person is asked for the passphrase."""
        self._passphrase.stop_asking()

    def _change(self, change: Callable[[dict[str, str]], dict[str, str]]) -> None:
        with self._one_at_a_time, self._explained("written"):
            # A wrong passphrase shows here, and the key is made here, before others have to wait.
            self._key_of(self._found())
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with durable.locked(self.path):
                found = self._found()
                before = self._texts(found)
                after = change(before)
                if after != before:
                    durable.replace(self.path, sealed(self._key_of(found), after))

    def _texts(self, found: Sealed | None) -> dict[str, str]:
        return found.opened(self._key_of(found), self.path) if found else {}

    def _key_of(self, found: Sealed | None) -> Key:
        """The key for a file that was found, or for a new one."""
        key = self._key
        if key is None or (found and (found.salt, found.cost) != (key.salt, key.cost)):
            salt, cost = (found.salt, found.cost) if found else (new_salt(), self._cost)
            words = self._passphrase.text(self.path, new=found is None)
            self._key = key = derived(words, salt, cost)
        if found and not found.is_of(key):
            raise SecretUnavailable(
                f"the passphrase is not that of the secrets file {self.path}",
                "Give the one it was made with",
            )
        return key

    def _found(self) -> Sealed | None:
        with self._explained("read"):
            content = durable.read(self.path, LARGEST)
        return parsed(content, self.path) if content is not None else None

    @contextmanager
    def _explained(self, done: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise SecretUnavailable(
                f"the secrets file {self.path} can't be {done}: {reason}",
                "Look at its folder, or set secrets_file to another place",
            ) from None
