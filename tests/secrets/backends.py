"""Keyring backends that fail as real ones were seen to. Loaded by PYTHON_KEYRING_BACKEND."""

from __future__ import annotations

import getpass
from typing import Any, ClassVar

from keyring.backend import KeyringBackend
from keyring.errors import InitError, KeyringLocked, NoKeyringError, PasswordSetError


class Memory(KeyringBackend):
    """Keeps them, for as long as the process lives."""

    priority = 5
    kept: ClassVar[dict[tuple[str, str], str]] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


class Raising(Memory):
    """Raises the same on every call, with the secret in its words where it has one."""

    error: ClassVar[type[Exception]]

    def get_password(self, service: str, username: str) -> str | None:
        raise self.error("get")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise self.error(f"set {password}")

    def delete_password(self, service: str, username: str) -> None:
        raise self.error("delete")


class Missing(Raising):
    error = NoKeyringError


class Locked(Raising):
    error = KeyringLocked


class NoCollection(Raising):
    error = InitError


class Dismissed(Raising):
    error = type("PromptDismissedException", (Exception,), {})


class Refusing(Raising):
    error = PasswordSetError


class WrongMac(Raising):
    error = ValueError


class Exploding(Raising):
    error = ZeroDivisionError


class Garbling(Memory):
    """Keeps something else."""

    def set_password(self, service: str, username: str, password: str) -> None:
        super().set_password(service, username, password[:-1])


class Broken(Memory):
    """Holds what is no secret."""

    def get_password(self, service: str, username: str) -> str | None:
        return "SESAME\nsesame"


class Asking(Memory):
    """Asks on the terminal, as encrypted files do."""

    def get_password(self, service: str, username: str) -> str | None:
        return self._get_new_password()

    def set_password(self, service: str, username: str, password: str) -> None:
        self._get_new_password()

    def _get_new_password(self) -> str:
        return getpass.getpass("Password: ")


class PlaintextMemory(Memory):
    """Says in its name that anyone can read it."""


class Unviable(KeyringBackend):
    """Can't work on this system."""

    @property
    def priority(self) -> Any:
        raise RuntimeError("SecretStorage required")


NotABackend = dict
