"""The system's keyring: which backends are used, and what each of their failures means.

The keyring library is imported on first use only. What a backend raises is never passed on, for
its words may hold the secret; each kind of failure has a sentence of its own.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

from postsched.domain.errors import SecretUnavailable

SERVICE = "postsched"
WINDOWS_LONGEST = 1280
"""Characters the Windows credential store takes: CRED_MAX_CREDENTIAL_BLOB_SIZE, 2560 bytes, of
UTF-16."""

T = TypeVar("T")


class NoKeyring(SecretUnavailable):
    """There is none on this system, or none that may be used; not: there is one that fails."""


class Ring:
    """The backends that are used, in order. `instead` is what the user can do without a keyring,
    for the hints. Every method raises SecretUnavailable."""

    def __init__(self, allow_plaintext: bool, instead: str) -> None:
        self._members = _members(_load(instead), allow_plaintext, instead)
        self._instead = instead
        self.name = ", ".join(_name(member) for member in self._members)

    def read(self, account: str) -> str | None:
        """What the first backend that knows the account holds."""

        def look() -> str | None:
            found = (member.get_password(SERVICE, account) for member in self._members)
            return next((text for text in found if text is not None), None)

        return self._explained(look)

    def write(self, account: str, text: str) -> None:
        """Save it in the first backend."""
        first = self._members[0]
        self._explained(lambda: first.set_password(SERVICE, account, text), len(text))

    def delete(self, account: str) -> None:
        """Remove it from every backend that has it: backends raise where there is nothing."""

        def remove() -> None:
            for member in self._members:
                if member.get_password(SERVICE, account) is not None:
                    member.delete_password(SERVICE, account)

        self._explained(remove)

    def _explained(self, act: Callable[[], T], length: int = 0) -> T:
        try:
            return act()
        except Exception as error:  # noqa: BLE001 - third-party backends raise anything
            kind = type(error)
        # Outside the except clause, so that the backend's exception isn't even the context.
        words, hint = _explanation(kind, self.name, length)
        absent = ABSENT & {base.__name__ for base in kind.__mro__}
        raise (NoKeyring if absent else SecretUnavailable)(words, f"{hint}, or {self._instead}")


def _members(backend: Any, allow_plaintext: bool, instead: str) -> list[Any]:
    """The backends to use. Of a chain, only those that neither ask on the terminal (which a daemon
    can't answer; who wants one names it in PYTHON_KEYRING_BACKEND) nor keep plain text."""
    is_chain = type(backend).__name__ == "ChainerBackend"
    chain = list(backend.backends) if is_chain else [backend]
    members = [m for m in chain if not _asks(m)] if is_chain else chain
    good = [m for m in members if allow_plaintext or not _is_plain(m)]
    if good:
        return good
    if members:
        raise NoKeyring(
            f"the keyring ({_name(members[0])}) would keep secrets as plain text",
            f"Use another keyring, {instead}, or say allow_plaintext_keyring = true",
        )
    names = ", ".join(_name(member) for member in chain)
    raise NoKeyring(
        f"the only keyrings here ({names}) ask for their password on the terminal",
        f"Name one in PYTHON_KEYRING_BACKEND to use it all the same, or {instead}",
    )


def _load(instead: str) -> Any:
    import keyring

    try:
        return keyring.get_keyring()
    except Exception as error:  # noqa: BLE001 - a wrong name shows as nearly any exception
        reason = str(error) or type(error).__name__
    raise SecretUnavailable(
        f"the keyring backend that is configured can't be loaded ({reason})",
        f"Correct or unset PYTHON_KEYRING_BACKEND (or keyringrc.cfg), or {instead}",
    )


def _name(backend: Any) -> str:
    kind = type(backend)
    return f"{kind.__module__.removeprefix('keyring.backends.')}.{kind.__qualname__}"


def _is_plain(backend: Any) -> bool:
    """Whether it keeps secrets as they are, by its name or its own word (keyrings.alt)."""
    names = " ".join(kind.__name__ for kind in type(backend).__mro__).lower()
    return "plaintext" in names or str(getattr(backend, "scheme", "")).startswith("no enc")


def _asks(backend: Any) -> bool:
    """Whether it is an encrypted file that asks for its password with getpass."""
    return hasattr(type(backend), "_get_new_password")


def _explanation(kind: type[Exception], name: str, length: int) -> tuple[str, str]:
    """What an exception class means (keyring 25, SecretStorage 3, keyrings.alt, cryptfile)."""
    kinds = {base.__name__ for base in kind.__mro__}
    for known, words, hint in FAULTS:
        if known in kinds:
            return words.format(name=name), hint
    if sys.platform == "win32" and length > WINDOWS_LONGEST:
        return (
            f"the keyring ({name}) takes {WINDOWS_LONGEST} characters, and the secret has {length}",
            "Use a shorter secret",
        )
    return f"the keyring ({name}) failed ({kind.__name__})", "Try `keyring diagnose`"


ABSENT = {"NoKeyringError", "InitError"}
"""Classes of exceptions that mean: there is nothing that could hold a secret."""
FAULTS = (
    (
        "NoKeyringError",
        "there is no keyring on this system that can be reached",
        "Log in to a desktop session, install a keyring (gnome-keyring, KWallet)",
    ),
    (
        "KeyringLocked",
        "the keyring ({name}) is locked, or was opened with a wrong password",
        "Unlock it",
    ),
    ("LockedException", "the keyring ({name}) is locked", "Unlock it"),
    (
        "InitError",
        "the keyring ({name}) has no collection, and the prompt to make one was dismissed",
        "Create a login keyring (the prompt needs a display)",
    ),
    ("PromptDismissedException", "the keyring's prompt was dismissed", "Answer it"),
    (
        "EOFError",
        "the keyring ({name}) asked for its password, and there is no terminal to answer on",
        "Use a keyring that is unlocked at login",
    ),
    (
        "GetPassWarning",
        "the keyring ({name}) asked for its password, and there is no terminal to answer on",
        "Use a keyring that is unlocked at login",
    ),
    (
        "ValueError",
        "the keyring ({name}) can't be decrypted: the password was wrong, or the file is damaged",
        "Try again with the right password",
    ),
    ("PasswordSetError", "the keyring ({name}) refused to save the secret", "Look at its settings"),
    ("PasswordDeleteError", "the keyring ({name}) refused to remove the secret", "Remove it there"),
)
"""Class of exception -> what it means, and what to do; the first that fits."""
