"""Secrets that are in memory only, in the place of `postsched.secrets.Secrets`."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from postsched.domain.secret import Secret


@dataclass
class FakeSecrets:
    """A keyring in memory, and an environment."""

    ring: dict[str, str] = field(default_factory=dict)
    environ: dict[str, str] = field(default_factory=dict)
    reads: int = 0
    journal: list[str] = field(default_factory=list)
    gate: threading.Event | None = None
    """If set, reading waits for it."""

    def read(self, account: str) -> Secret | None:
        self.reads += 1
        if self.gate and not self.in_environment(account):
            assert self.gate.wait(10)
        text = self.environ.get(account, self.ring.get(account))
        return None if text is None else Secret(text)

    def in_environment(self, account: str) -> bool:
        return account in self.environ

    def client_secret(self, platform: str) -> Secret | None:
        return None

    def write(self, account: str, secret: Secret) -> None:
        self.journal.append(f"saved {secret.reveal()}")
        self.ring[account] = str(secret.reveal())
