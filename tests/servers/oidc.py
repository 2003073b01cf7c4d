"""oidc-provider from npm, a certified authorization server: installed once into a cache, run on
127.0.0.1.

    python -m tests.servers.oidc install          about 20 seconds and 250 MB
    python -m tests.servers.oidc run [--ttl SECONDS]

It is installed into the folder POSTSCHED_TEST_CACHE, ~/.cache/postsched-tests if that is not set.
It demands PKCE, rotates refresh tokens, and ends a whole login when a token is used twice.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Self

from tests.servers.npm import Installation
from tests.servers.process import ServerProcess, free_port

INSTALLATION = Installation(
    "oidc",
    "oidc-provider",
    "python -m tests.servers.oidc install (20 s, 250 MB)",
    ("oidc-provider@9.13.3",),
)
missing = INSTALLATION.missing
CLIENT_SECRET = "client-secret-4f1c"
"""Of the clients `basic` and `post`; `native` has none."""
SCRIPT = Path(__file__).with_name("oidc.mjs")


class OidcServer:
    """An authorization server whose access tokens live `ttl` seconds. `with OidcServer(folder) as
    server:` starts it."""

    def __init__(self, folder: Path, *, ttl: int = 3600) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        options = json.dumps({"port": port, "ttl": ttl})
        command = [INSTALLATION.node, str(SCRIPT), str(INSTALLATION.home), options]
        self._process = ServerProcess(command, folder / "oidc.log")

    def __enter__(self) -> Self:
        self._process.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._process.kill()

    def wait(self) -> None:
        """Until it ends."""
        os.waitpid(self._process.pid, 0)


def main() -> None:
    """Install it, or serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m tests.servers.oidc", description=__doc__)
    parser.add_argument("command", choices=["install", "run"])
    parser.add_argument("--ttl", type=int, default=3600, help="seconds an access token lives")
    given = parser.parse_args()
    if given.command == "install":
        INSTALLATION.install()
        print(f"installed in {INSTALLATION.home}")
        return
    if reason := missing():
        sys.exit(reason)
    with (
        tempfile.TemporaryDirectory(prefix="postsched-oidc-") as folder,
        OidcServer(Path(folder), ttl=given.ttl) as server,
    ):
        print(server.url, flush=True)
        try:
            server.wait()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
