"""A bucket: over a strict S3 on loopback, and over one that others wrote."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from postsched.domain.hosting import MediaHost
from postsched.domain.outcome import ErrorKind
from postsched.domain.secret import Secret
from postsched.hosting import HostError, fault_of, host_of, new_name
from tests.servers import seaweed
from tests.servers.bucket import BUCKET, KEYS, REGION, BucketServer

pytest.importorskip("botocore", reason="botocore, of the extra s3, is not installed")
Verb = Callable[[httpx.AsyncClient], Awaitable[Any]]
DAY = timedelta(days=1)
AMAZON = "https://s3.eu-west-3.amazonaws.com"


@pytest.fixture
def server() -> Iterator[BucketServer]:
    with BucketServer() as running:
        yield running


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "film.mp4"
    path.write_bytes(bytes(range(256)) * 4000)
    return path


def ask(verb: Verb) -> Any:
    async def run() -> Any:
        async with httpx.AsyncClient(trust_env=False) as http:
            return await verb(http)

    return asyncio.run(run())


def whole_life(place: MediaHost, keys: dict[str, str], file: Path) -> None:
    """Store, fetch as everyone, refuse to others, replace, remove."""
    there, name = host_of(place, Secret(keys), DAY), new_name("video/mp4")
    assert not ask(lambda http: there.has(http, name))
    ask(lambda http: there.put(http, name, file, "video/mp4"))
    ask(lambda http: there.put(http, name, file, "video/mp4"))
    assert ask(lambda http: there.has(http, name))
    address = there.address(name)
    found = httpx.get(address, trust_env=False)
    assert (found.content, found.headers["content-type"]) == (file.read_bytes(), "video/mp4")
    last = "0" if address[-1] != "0" else "1"
    for other in (address.partition("?")[0], address[:-1] + last):
        assert httpx.get(other, trust_env=False).status_code == 403
    ask(lambda http: there.remove(http, name))
    ask(lambda http: there.remove(http, name))
    assert httpx.get(address, trust_env=False).status_code == 404


def refusal(place: MediaHost, keys: dict[str, str], file: Path) -> HostError:
    with pytest.raises(HostError) as refused:
        ask(lambda http: host_of(place, Secret(keys)).put(http, "one", file, None))
    for secret in keys.values():
        assert secret not in str(refused.value)
    return refused.value


def test_a_whole_life(server: BucketServer, file: Path) -> None:
    whole_life(MediaHost(server.url, BUCKET, REGION), KEYS, file)
    assert server.objects == {}


@pytest.mark.slow
def test_over_a_service_that_others_wrote(tmp_path: Path, file: Path) -> None:
    with seaweed.seaweed(tmp_path, "media") as url:
        place = MediaHost(url, "media")
        whole_life(place, seaweed.KEYS, file)
        wrong = {**seaweed.KEYS, "secret_key": "another-secret-0003"}
        assert "SignatureDoesNotMatch" in refusal(place, wrong, file).message
        unknown = {**wrong, "access_key": "AKIDUNKNOWN0003"}
        assert "InvalidAccessKeyId" in refusal(place, unknown, file).message
        nowhere = refusal(replace(place, bucket="elsewhere"), seaweed.KEYS, file)
        assert "has no such bucket" in nowhere.message


def test_refusals_have_their_sentences(server: BucketServer, file: Path) -> None:
    place = MediaHost(server.url, BUCKET, REGION)
    wrong = refusal(place, {**KEYS, "secret_key": "another-secret-0003"}, file)
    assert "refuses the secret" in wrong.message
    assert (wrong.kind, wrong.stored) == (ErrorKind.PERMANENT, False)
    assert "has no such bucket" in refusal(replace(place, bucket="other"), KEYS, file).message
    elsewhere = refusal(replace(place, region="us-west-2"), KEYS, file)
    assert elsewhere.hint == 'Set under [media_host]: region = "eu-central-1"'


def test_a_public_url_takes_the_place_of_a_signature() -> None:
    place = MediaHost(AMAZON, "media", public_url="https://cdn.example/m")
    assert host_of(place, Secret(KEYS)).address("a.jpg") == "https://cdn.example/m/a.jpg"


@pytest.mark.parametrize(
    ("url", "bucket", "start", "region"),
    [
        (AMAZON, "media", f"{AMAZON}/media/a.jpg", "eu-west-3"),
        ("https://media.s3.us-east-2.amazonaws.com", "media",
         "https://media.s3.us-east-2.amazonaws.com/a.jpg", "us-east-2"),
        ("https://me.r2.example:8443/x", "m.b", "https://me.r2.example:8443/x/m.b/a.jpg",
         "us-east-1"),
    ],
)  # fmt: skip
def test_where_the_bucket_is_named(url: str, bucket: str, start: str, region: str) -> None:
    address = host_of(MediaHost(url, bucket), Secret(KEYS), timedelta(days=30)).address("a.jpg")
    assert address.startswith(f"{start}?")
    query = parse_qs(urlsplit(address).query)
    assert query["X-Amz-Credential"][0].split("/")[2] == region
    assert query["X-Amz-Expires"] == ["604800"], "a week is the longest there is"


def test_a_secret_without_both_keys_is_refused() -> None:
    place = MediaHost(AMAZON, "media")
    assert fault_of(place, Secret(KEYS)) is None
    for secret in ("only-a-token", {"access_key": "AKID"}, {"access_key": 1, "secret_key": 2}):
        fault = fault_of(place, Secret(secret))
        assert fault is not None
        assert "does not have both keys" in fault.message


def test_names_can_not_be_guessed_and_say_what_they_are() -> None:
    names = {new_name("image/jpeg") for _ in range(100)}
    assert len(names) == 100
    assert all(name.endswith(".jpg") and len(name) == 46 for name in names)
    assert "." not in new_name(None)
