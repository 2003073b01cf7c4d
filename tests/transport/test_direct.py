"""Requests and answers in one piece are what httpx's own would be."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from postsched.transport.client import Client
from postsched.transport.direct import Whole, direct, place
from postsched.transport.wire import _head, _head_of

COMMON = {"User-Agent": "us", "Accept-Encoding": "gzip"}


@pytest.mark.parametrize(
    ("method", "address", "headers", "document"),
    [
        (
            "POST",
            "http://127.0.0.1:81/a%20b?c=d&e",
            {"X-Key": "1"},
            {"text": "é\U0001f600", "n": 1.5},
        ),
        ("post", "https://example.org", {}, []),
        ("GET", "https://example.org/ä?q=é", {"Accept-Language": "en"}, None),
        ("DELETE", "http://[::1]:8080/x/", {}, None),
    ],
)
def test_a_request_goes_out_as_httpx_sends_it(
    method: str, address: str, headers: dict[str, str], document: Any
) -> None:
    client = httpx.AsyncClient(headers=COMMON)
    usual = client.build_request(method, address, headers=headers, json=document)
    ours = direct(method, address, client.headers.raw, headers, document)
    assert _lines(_head_of(ours)) == _lines(_head(usual))
    assert (ours.method, ours.url, ours.content) == (usual.method, usual.url, usual.content)
    assert sorted(ours.headers.raw) == sorted(usual.headers.raw)
    assert b"".join(ours.stream) == usual.content  # type: ignore[arg-type]  # a ByteStream


def _lines(head: bytes) -> list[bytes]:
    first, *fields = head.split(b"\r\n")
    return [first, *sorted(fields)]


def test_an_answer_is_read_as_httpx_reads_it() -> None:
    request = direct("GET", "http://127.0.0.1/", [], {}, None)
    fields = [(b"Content-Type", b"text/plain; charset=latin-1"), (b"X-A", b"1"), (b"x-a", b"2")]
    usual = httpx.Response(404, headers=fields, content=b"gr\xfcn", request=request)
    more = [*fields, (b"Content-Length", b"4")]
    ours = Whole(404, more, b"gr\xfcn", request, "1.1", b"Not Here")
    assert (ours.text, ours.content, ours.read()) == (usual.text, b"gr\xfcn", b"gr\xfcn")
    assert ours.headers == usual.headers
    assert (ours.reason_phrase, ours.http_version) == ("Not Here", "HTTP/1.1")
    assert (ours.is_success, ours.request, ours.url) == (False, request, usual.url)
    with pytest.raises(httpx.HTTPStatusError):
        ours.raise_for_status()
    assert not hasattr(ours, "_decoder")
    assert ours.links == {}
    asyncio.run(ours.aclose())


@pytest.mark.parametrize("name", ["Host", "user-agent", "CONTENT-TYPE", "Content-Length"])
def test_headers_that_take_the_place_of_others_are_left_to_httpx(name: str) -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    client = Client(httpx.MockTransport(answer), headers=COMMON)
    asyncio.run(client.request("POST", "http://127.0.0.1/", headers={name: "2"}, json={}))
    assert seen[0].headers.get_list(name) == ["2"]


def test_an_address_is_read_once() -> None:
    assert place("http://127.0.0.1/one") is place("http://127.0.0.1/one")
