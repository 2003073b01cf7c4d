"""A place for PUT, over a real WebDAV server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from postsched.domain.hosting import MediaHost
from postsched.domain.outcome import ErrorKind
from postsched.domain.secret import Secret
from postsched.hosting import Host, HostError, host_of, new_name
from tests.servers.webdav import LOGIN, PASSWORD, WebDav, webdav

pytest.importorskip("wsgidav", reason="wsgidav, a WebDAV server, is not installed")
Verb = Callable[[httpx.AsyncClient], Awaitable[Any]]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[WebDav]:
    with webdav(tmp_path / "served") as running:
        yield running


@pytest.fixture(autouse=True)
def served(tmp_path: Path) -> None:
    (tmp_path / "served").mkdir()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Larger than what is read at a time."""
    path = tmp_path / "film.mp4"
    path.write_bytes(bytes(range(256)) * 4000)
    return path


def host(url: str, secret: Any = LOGIN, public_url: str | None = None) -> Host:
    return host_of(MediaHost(url, public_url=public_url), Secret(secret))


def ask(verb: Verb) -> Any:
    async def run() -> Any:
        async with httpx.AsyncClient(trust_env=False) as http:
            return await verb(http)

    return asyncio.run(run())


def test_it_is_stored_read_and_removed(server: WebDav, file: Path) -> None:
    there, name = host(server.url), new_name("video/mp4")
    assert not ask(lambda http: there.has(http, name))
    ask(lambda http: there.put(http, name, file, "video/mp4"))
    assert ask(lambda http: there.has(http, name))
    assert httpx.get(there.address(name), trust_env=False).content == file.read_bytes()
    ask(lambda http: there.remove(http, name))
    ask(lambda http: there.remove(http, name))  # gone already
    assert list(server.folder.iterdir()) == []


def test_folders_that_are_missing_are_made(server: WebDav, file: Path) -> None:
    there = host(f"{server.url}/a/b/c", public_url="https://cdn.example/x")
    ask(lambda http: there.put(http, "one", file, None))
    ask(lambda http: there.put(http, "two", file, None))
    assert (server.folder / "a/b/c/two").stat().st_size == file.stat().st_size
    made = [path for method, path, status in server.asked if (method, status) == ("MKCOL", 201)]
    assert [path.rstrip("/") for path in made] == ["/a", "/a/b", "/a/b/c"]
    assert there.address("one") == "https://cdn.example/x/one"


@pytest.mark.parametrize("secret", [{**LOGIN, "password": "another-0002"}, "a-token-0003"])
def test_a_wrong_secret_is_refused_and_not_shown(server: WebDav, file: Path, secret: Any) -> None:
    with pytest.raises(HostError, match="refuses the secret") as refused:
        ask(lambda http: host(server.url, secret).put(http, "one", file, None))
    assert (refused.value.kind, refused.value.stored) == (ErrorKind.PERMANENT, False)
    for word in ("another-0002", "a-token-0003", PASSWORD):
        assert word not in str(refused.value)


@pytest.mark.parametrize(
    "secret", [{"user": "me"}, {"user": "a:b", "password": "c"}, "zwölf", "a b"]
)
def test_a_secret_that_is_none_is_refused_unsent(secret: Any) -> None:
    with pytest.raises(HostError, match="neither a token nor a user with a password") as refused:
        host("https://dav.example", secret)
    assert "zwölf" not in str(refused.value)


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (302, ErrorKind.PERMANENT, "says that it is at http://10.0.0.1/x"),
        (405, ErrorKind.PERMANENT, "knows no PUT"),
        (413, ErrorKind.PERMANENT, "too large"),
        (429, ErrorKind.TRANSIENT, "can't do it now"),
        (500, ErrorKind.TRANSIENT, "can't do it now"),
        (507, ErrorKind.TRANSIENT, "is full"),
    ],
)
def test_each_answer_has_its_sentence(file: Path, status: int, kind: ErrorKind, words: str) -> None:
    headers = {"Location": "http://10.0.0.1/x?secret", "Retry-After": "7"}
    answers = httpx.MockTransport(lambda request: httpx.Response(status, headers=headers))

    async def put() -> None:
        async with httpx.AsyncClient(transport=answers) as http:
            await host("https://dav.example").put(http, "one", file, None)

    with pytest.raises(HostError, match=words) as refused:
        asyncio.run(put())
    assert refused.value.kind is kind
    assert refused.value.http_status == status
    assert refused.value.stored is (status in (500, 507))
    assert refused.value.after == 7.0


@pytest.mark.parametrize(
    ("error", "words", "stored"),
    [
        (httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed"), "SSL", False),
        (httpx.ConnectTimeout(""), "can't be reached: no answer in time", False),
        (httpx.ReadTimeout(""), "gave no answer in time", True),
        (httpx.ReadError("reset"), "broke the connection: reset", True),
        (httpx.WriteError(f"of {PASSWORD}"), "broke the connection", True),
    ],
)
def test_each_broken_connection_has_its_sentence(
    file: Path, error: httpx.HTTPError, words: str, stored: bool
) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise error

    async def put() -> None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(fail)) as http:
            await host("https://dav.example").put(http, "one", file, None)

    with pytest.raises(HostError) as refused:
        asyncio.run(put())
    assert words in refused.value.message
    assert (refused.value.kind, refused.value.stored) == (ErrorKind.TRANSIENT, stored)
    assert PASSWORD not in str(refused.value)
