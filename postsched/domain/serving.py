"""The settings of `[web]`: where `serve` listens, and whom it lets in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from postsched.domain.setting import Kind, Rate, address, choice, number, rate, text, yes_or_no

ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?|https?://\[[0-9A-Fa-f:]+\](:\d{1,5})?")


class Algorithm(StrEnum):
    """By which a JWT may be signed: the one that is set, and no other (RFC 8725, section 3.1)."""

    HS256 = "HS256"
    RS256 = "RS256"
    EDDSA = "EdDSA"


PATIENT = Rate(600, timedelta(minutes=1))


@dataclass(frozen=True, slots=True)
class Web:
    """`rate` is of each user; sizes are megabytes. JWTs are taken once an algorithm is set."""

    host: str = "127.0.0.1"
    port: int = 8720
    rate: Rate = PATIENT
    upload_mb: int = 512
    cors_origins: tuple[str, ...] = ()
    jwt_algorithm: Algorithm | None = None
    jwt_issuer: str | None = None
    jwt_audience: str | None = None
    jwt_jwks_url: str | None = None
    metrics_public: bool = False

    @property
    def jwt_missing(self) -> str | None:
        """The key that JWTs lack; None where they are set up, or not taken at all."""
        if self.jwt_algorithm is None:
            return None
        needed = ["jwt_issuer", "jwt_audience"]
        if self.jwt_algorithm is not Algorithm.HS256:
            needed.append("jwt_jwks_url")
        return next((name for name in needed if not getattr(self, name)), None)

    @property
    def jwt_idle(self) -> str | None:
        """A key about JWTs that has no effect."""
        names = ["jwt_jwks_url"] if self.jwt_algorithm in (None, Algorithm.HS256) else []
        if self.jwt_algorithm is None:
            names += ["jwt_issuer", "jwt_audience"]
        return next((name for name in names if getattr(self, name)), None)


def _origins() -> Kind:
    def read(value: Any) -> tuple[str, ...]:
        words = value.split(",") if isinstance(value, str) else value
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise ValueError
        found = tuple(word.strip().rstrip("/") for word in words)
        if not all(ORIGIN.fullmatch(word) for word in found):
            raise ValueError
        return found

    return Kind('origins of pages, such as ["https://app.example.org"]', read)


WEB_KEYS: Mapping[str, Kind] = {
    "host": text(),
    "port": number(1, 65_535),
    "rate": rate(),
    "upload_mb": number(1, 100_000),
    "cors_origins": _origins(),
    "jwt_algorithm": choice(Algorithm),
    "jwt_issuer": text(),
    "jwt_audience": text(),
    "jwt_jwks_url": address(),
    "metrics_public": yes_or_no(),
}
