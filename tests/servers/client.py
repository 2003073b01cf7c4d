"""Play `postsched serve` as an application does: a post by HTTP, out at its time, an orderly end.

    python tests/servers/client.py FOLDER

with a `postsched` on the PATH that has an account `me`, and a folder to work in.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

PATIENCE = 60.0


def main(place: Path) -> None:
    token = _said("token", "add", "shop", "--scope", "write").strip()
    log = place / "serve.log"
    with (
        log.open("w") as errors,
        subprocess.Popen(["postsched", "serve", "--port", "0"], stderr=errors) as serving,
    ):
        try:
            address = _address(log)
            post = _ask(address, token, "/schedule", {"text": "By HTTP", "to": "me", "at": "now"})
            deadline = time.monotonic() + PATIENCE
            while _ask(address, token, f"/schedule/{post['id']}")["status"] != "published":
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.1)
            with urllib.request.urlopen(address, timeout=PATIENCE) as page:
                assert b"postsched" in page.read()
        finally:
            serving.terminate()
    assert serving.returncode == 0, log.read_text()
    print(f"post {post['id']} went out by HTTP")


def _said(*words: str) -> str:
    return subprocess.run(["postsched", *words], check=True, capture_output=True, text=True).stdout


def _address(log: Path) -> str:
    deadline = time.monotonic() + PATIENCE
    while not (found := re.search(r"listening at (\S+)", log.read_text())):
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
    return found[1]


def _ask(address: str, token: str, path: str, document: Any = None) -> Any:
    body = None if document is None else json.dumps(document).encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    asked = urllib.request.Request(f"{address}/api/v1{path}", body, headers)
    with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
        return json.loads(answer.read())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
