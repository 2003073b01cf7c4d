"""The reference PDS of the AT Protocol, from npm: installed once into a cache, run on 127.0.0.1.

    python -m tests.servers.pds install           about 2 minutes and 600 MB
    python -m tests.servers.pds run [--rate-limits] [--folder DIR]

It is installed into the folder POSTSCHED_TEST_CACHE, ~/.cache/postsched-tests if that is not
set. Node comes from PyPI in the version that the PDS and the compiled SQLite in it work with.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Self

import httpx

from tests.servers.npm import Installation
from tests.servers.process import ServerProcess, free_port

INSTALLATION = Installation(
    "pds",
    "reference PDS",
    "python -m tests.servers.pds install (2 min, 600 MB)",
    ("@atproto/pds@0.5.35", "@did-plc/server@0.0.1"),
    compiles=True,
)
missing = INSTALLATION.missing
SECRETS = {"jwt": "no-secret", "admin": "admin", "dpop": "5d" * 32, "plc": "7c" * 32}
"""Fixed, so that a test can sign tokens, and a server started again knows its old ones."""
SCRIPT = Path(__file__).with_name("pds.mjs")


class Pds:
    """A PDS with one account, `handle` with `app_password`, and its data in `folder`.

    `with Pds(folder) as pds:` starts it. It may be killed and started again: accounts and records
    stay, and so does the address.
    """

    def __init__(self, folder: Path, *, rate_limits: bool = False) -> None:
        self.handle = "alice.test"
        self.password = "the main password"
        self.app_password = ""
        self.did = ""
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        options = {"port": port, "folder": str(folder), "secrets": SECRETS}
        options["rateLimits"] = rate_limits
        command = [INSTALLATION.node, str(SCRIPT), str(INSTALLATION.home), json.dumps(options)]
        self.process = ServerProcess(command, folder / "pds.log")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.kill()

    def start(self) -> None:
        """Start it; the first time, make the account."""
        self.process.start()
        if not self.did:
            self._make_account()

    def kill(self) -> None:
        """SIGKILL: what it had not written is gone."""
        self.process.kill()

    def call(self, method: str, token: str | None = None, **body: Any) -> dict[str, Any]:
        """One XRPC procedure; raises HTTPStatusError if it is refused."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        url, content = f"{self.url}/xrpc/{method}", body or None
        answer = httpx.post(url, json=content, headers=headers, timeout=30, trust_env=False)
        answer.raise_for_status()
        return answer.json() if answer.content else {}

    def posts(self) -> list[dict[str, Any]]:
        """Every post in the account, newest key first: {uri, cid, value}."""
        found: list[dict[str, Any]] = []
        query = {"repo": self.did, "collection": "app.bsky.feed.post", "limit": "100"}
        with httpx.Client(trust_env=False, timeout=30) as http:
            while True:
                answer = http.get(f"{self.url}/xrpc/com.atproto.repo.listRecords", params=query)
                page = answer.raise_for_status().json()
                found += page["records"]
                if "cursor" not in page:
                    return found
                query["cursor"] = page["cursor"]

    def token(self, expires_in: int, *, scope: str = "com.atproto.appPass") -> str:
        """An access token of this server that lives `expires_in` seconds, expired if negative."""
        now = int(time.time())
        audience = "did:web:localhost"
        claims = {"scope": scope, "sub": self.did, "aud": audience, "iat": now - 7200}
        return sign({**claims, "exp": now + expires_in}, SECRETS["jwt"])

    def _make_account(self) -> None:
        account = self.call(
            "com.atproto.server.createAccount",
            handle=self.handle, email="alice@example.com", password=self.password,
        )  # fmt: skip
        made = self.call(
            "com.atproto.server.createAppPassword", account["accessJwt"], name="postsched"
        )
        self.app_password = made["password"]
        self.did = account["did"]


def sign(claims: dict[str, Any], secret: str) -> str:
    """A JWT (RFC 7519) as this PDS signs its access tokens: HS256, type `at+jwt`."""
    parts = [{"typ": "at+jwt", "alg": "HS256"}, claims]
    signed = b".".join(_base64url(json.dumps(part).encode()) for part in parts)
    mac = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
    return (signed + b"." + _base64url(mac)).decode()


def _base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def main() -> None:
    """Install it, or serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m tests.servers.pds", description=__doc__)
    parser.add_argument("command", choices=["install", "run"])
    parser.add_argument("--rate-limits", action="store_true")
    parser.add_argument("--folder", type=Path, help="keep the data here")
    given = parser.parse_args()
    if given.command == "install":
        INSTALLATION.install()
        print(f"installed in {INSTALLATION.home}")
        return
    if reason := missing():
        sys.exit(reason)
    with tempfile.TemporaryDirectory(prefix="postsched-pds-") as scratch:
        folder = given.folder or Path(scratch)
        with Pds(folder, rate_limits=given.rate_limits) as pds:
            print(f"{pds.url}\n{pds.handle}\n{pds.app_password}", flush=True)
            try:
                os.waitpid(pds.process.pid, 0)
            except KeyboardInterrupt:
                return


if __name__ == "__main__":
    main()
