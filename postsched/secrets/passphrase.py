"""The passphrase of the secrets file: from the environment, a file descriptor, or a person.

`POSTSCHED_PASSPHRASE` is the passphrase; `POSTSCHED_PASSPHRASE_FD` is the number of an open file
descriptor to read it from, so that it is in no environment. Where neither is set, a person is
asked, if there is a terminal. `POSTSCHED_NEW_PASSPHRASE` and `POSTSCHED_NEW_PASSPHRASE_FD` are
the same for the one that is to take its place. No message from here carries any of it.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable, Mapping

from postsched.domain.errors import SecretUnavailable

VARIABLE, NEW_VARIABLE = "POSTSCHED_PASSPHRASE", "POSTSCHED_NEW_PASSPHRASE"
LONGEST = 4096
"""Bytes of UTF-8 a passphrase may have."""

Ask = Callable[[str], str | None]
"""Asks a person a question without showing the answer; None where there is no terminal."""


class Passphrase:
    """The passphrase, fetched when it is first needed and kept for as long as the process lives;
    `variable` is where it is in the environment.

    Made at the start of the process: a file descriptor is secured at once, for its number would
    go to the next file that is opened if it is not open.
    """

    def __init__(
        self, environ: Mapping[str, str], ask: Ask | None = None, variable: str = VARIABLE
    ) -> None:
        self._environ = environ
        self._ask = ask
        self._text: str | None = None
        self._name, self._fd_name = variable, f"{variable}_FD"
        self._how = f"Set {self._name} or {self._fd_name}, or call it on a terminal"
        self._descriptor, self._fault = _secured(self._fd_name, environ.get(self._fd_name))

    @property
    def given(self) -> bool:
        """Whether the environment says what it is or where, so that nobody need be asked."""
        return self._name in self._environ or self._fd_name in self._environ

    def text(self, file: object, *, new: bool) -> str:
        """The passphrase for a file, by whose name a person is asked; twice for a new one.

        Raises SecretUnavailable where there is none, or what is given can't be one.
        """
        if self._text is None:
            self._text = self._fetched(file, new=new)
        return self._text

    def stop_asking(self) -> None:
        """From now on nobody is asked: there may be nobody to answer."""
        self._ask = None

    def _fetched(self, file: object, *, new: bool) -> str:
        name, fd_name = self._name, self._fd_name
        if name in self._environ and fd_name in self._environ:
            raise SecretUnavailable(f"{name} and {fd_name} are both set", "Leave one")
        if name in self._environ:
            return _checked(self._environ[name], f"the passphrase in {name}")
        if fd_name in self._environ:
            return _checked(self._from_descriptor(), f"the passphrase from {fd_name}")
        return self._asked(file, new=new)

    def _from_descriptor(self) -> str:
        if self._descriptor is None:
            raise SecretUnavailable(self._fault, "Open it in the shell: 3</run/secrets/passphrase")
        descriptor, self._descriptor = self._descriptor, None
        self._fault = f"the passphrase from {self._fd_name} was read already, and was none"
        try:
            with open(descriptor, "rb", closefd=False) as file:
                content = file.read(LONGEST + 3)
        except OSError as error:
            fault = f"{self._fd_name} can't be read: {error.strerror}"
            raise SecretUnavailable(fault, self._how) from None
        finally:
            os.close(descriptor)
        return content.decode("utf-8", "surrogateescape")

    def _asked(self, file: object, *, new: bool) -> str:
        question = "New passphrase for" if new else "Passphrase for"
        answer = self._ask(f"{question} {file}: ") if self._ask else None
        if self._ask is None or answer is None:
            what = "new passphrase" if new and self._name == NEW_VARIABLE else "passphrase"
            raise SecretUnavailable(f"no {what} is given for {file}", self._how)
        text = _checked(answer, "the passphrase")
        if new and _checked(self._ask("Once more: ") or "", "the passphrase") != text:
            raise SecretUnavailable("the two passphrases differ, nothing is written", "Try again")
        return text


def _secured(name: str, number: str | None) -> tuple[int | None, str]:
    """A descriptor of our own for the one that the variable names, else what is wrong with it."""
    if number is None:
        return None, ""
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        return None, f"{name} is not the number of a file descriptor"
    if number in ("1", "2"):
        return None, f"{name} is {number}, which is for output"
    try:
        copy = os.dup(int(number))
    except OSError:
        return None, f"{name} is {number}, and no file is open under that number"
    if os.isatty(copy):
        os.close(copy)
        return None, f"{name} is {number}, a terminal, which would show what is typed"
    return copy, ""


def _checked(text: str, what: str) -> str:
    """The passphrase without the line break at its end, and the same however it was typed (NFC,
    as RFC 8265 has it)."""
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        raise SecretUnavailable(f"{what} is empty", "Give one that is not")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise SecretUnavailable(f"{what} is not UTF-8 text", "Give it as UTF-8")
    if len(text.encode()) > LONGEST:
        raise SecretUnavailable(f"{what} is longer than {LONGEST} bytes", "Give a shorter one")
    if "\n" in text or "\r" in text or "\0" in text:
        raise SecretUnavailable(f"{what} has more than one line", "Give it as one line")
    return unicodedata.normalize("NFC", text)
