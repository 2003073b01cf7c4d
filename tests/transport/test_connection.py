"""Connections that are made ahead, and what requests look like on them; TLS."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import ipaddress
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from postsched import transport as transports
from postsched.domain.outcome import Failed, Lost, Retry
from postsched.transport import Transport
from postsched.transport.wire import Wire
from tests.transport.serving import (
    answer,
    lent,
    ok,
    outcome_of,
    raw,
    run,
    server,
)


class TestAhead:
    """Connections that are opened before there is a request."""

    def test_they_are_what_the_requests_use(self) -> None:
        async def scene() -> None:
            async with server() as own:
                transport = Transport(5.0)
                for _ in range(2):
                    await transport.open("me", own.url, count=3)
                assert (own.connections, own.requests) == (3, [])

                async def ask() -> str:
                    with transport.client("me", own.url) as client:
                        return (await client.get(own.url)).text

                assert [*await asyncio.gather(ask(), ask(), ask())] == ["ok"] * 3
                assert own.connections == 3
                await transport.close()

        run(scene)

    def test_a_request_waits_for_its_own(self) -> None:
        async def scene() -> None:
            async with server() as own:
                transport = Transport(5.0)
                opening = asyncio.create_task(transport.open("me", own.url, count=1))
                await asyncio.sleep(0)
                with transport.client("me", own.url) as client:
                    assert (await client.get(own.url)).text == "ok"
                await opening
                assert own.connections == 1
                await transport.close()

        run(scene)

    def test_what_is_connected_too_late_is_not_sent(self) -> None:
        async def scene() -> None:
            async with server() as own:
                wire, request = Wire(1000, transports.tls), httpx.Request("GET", own.url)
                with pytest.raises(httpx.ConnectTimeout):
                    await wire.send(request, 5.0, by=0.0)
                assert own.requests == []
                wire.close()

        run(scene)

    def test_one_that_was_shut_is_not_used(self) -> None:
        seen: list[int] = []

        async def scene() -> None:
            async def hang_up_at_first(
                reader: asyncio.StreamReader, writer: asyncio.StreamWriter
            ) -> None:
                seen.append(1)
                if len(seen) > 1:
                    await reader.readuntil(b"\r\n\r\n")
                    await ok(writer)

            async with raw(hang_up_at_first) as address:
                transport = Transport(5.0)
                await transport.open("me", address, count=1)
                with transport.client("me", address) as client:
                    assert (await client.get(address)).text == "ok"
                assert len(seen) == 2
                await transport.close()

        run(scene)

    def test_none_is_opened_to_an_address_of_nobody(self) -> None:
        async def scene() -> None:
            transport = Transport(5.0)
            for address in ("outbox", "http://", "http://127.0.0.1:1", "https://[::1"):
                with contextlib.suppress(httpx.InvalidURL):
                    await transport.open("me", address, count=2)
            await transport.close()

        run(scene)


class TestRequests:
    """What is sent is one request, whatever is in it."""

    @pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\0b"])
    def test_no_header_ends_a_line(self, value: str) -> None:
        async def scene() -> None:
            async with server() as own, lent(own.url) as client:
                with pytest.raises(httpx.LocalProtocolError) as caught:
                    await client.get(own.url, headers={"X": value})
                assert outcome_of(caught) is Failed
                assert not own.requests

        run(scene)

    @pytest.mark.parametrize("scheme", ["ftp", "file", "ws"])
    def test_only_http(self, scheme: str) -> None:
        async def scene() -> None:
            async with lent("http://127.0.0.1:9", allow_private=True) as client:
                with pytest.raises(httpx.UnsupportedProtocol):
                    await client.get(f"{scheme}://127.0.0.1:9/")

        run(scene)

    @pytest.mark.parametrize(("said", "length"), [("3", 5), ("9", 5)])
    def test_a_body_is_as_long_as_it_says(self, said: str, length: int) -> None:
        async def body() -> AsyncIterator[bytes]:
            yield b"x" * length

        async def scene() -> None:
            async with server() as own, lent(own.url) as client:
                with pytest.raises(httpx.LocalProtocolError):
                    await client.post(own.url, content=body(), headers={"Content-Length": said})

        run(scene)

    def test_a_body_of_unknown_length(self) -> None:
        got: list[bytes] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            got.append(await reader.readuntil(b"0\r\n\r\n"))
            await ok(writer)
            await reader.read()

        async def body() -> AsyncIterator[bytes]:
            for piece in (b"hello ", b"", b"world"):
                yield piece

        async def scene() -> None:
            async with raw(serve) as url, lent(url) as client:
                assert (await client.post(url, content=body())).text == "ok"

        run(scene)
        assert got == [b"6\r\nhello \r\n5\r\nworld\r\n0\r\n\r\n"]

    def test_a_server_that_answers_before_it_has_all(self) -> None:
        async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            await answer(b"too large", status="413 Too Large")(writer)
            await writer.drain()
            await asyncio.sleep(0.1)

        async def scene() -> None:
            async with raw(refuse) as url, lent(url) as client:
                response = await client.post(url, content=b"x" * 20_000_000)
                assert (response.status_code, response.text) == (413, "too large")
                await asyncio.sleep(0.12)

        run(scene)

    def test_a_line_that_hangs_in_the_middle(self) -> None:
        """It is not waited for as long as a slow one may take."""

        async def scene() -> None:
            over = asyncio.Event()
            async with raw(lambda reader, writer: over.wait()) as url, lent(url, 0.2) as client:
                with pytest.raises(httpx.WriteTimeout) as caught:
                    await client.post(url, content=b"x" * 50_000_000)
                assert outcome_of(caught) is Lost
                over.set()
                await asyncio.sleep(0.01)

        run(scene)

    def test_nothing_of_one_call_is_in_the_next(self) -> None:
        """No cookies, no headers."""

        async def scene() -> None:
            async with server() as own, lent(own.url) as client:
                own.answers.append(answer(b"", "Set-Cookie: a=b"))
                await client.get(own.url, headers={"X-Mine": "1"})
                await client.get(own.url)
                assert b"x-mine" in own.requests[0].lower()
                assert b"cookie" not in own.requests[1].lower()
                assert b"x-mine" not in own.requests[1].lower()
                assert own.requests[1].lower().count(b"user-agent:") == 1

        run(scene)


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 and own.example that nobody has signed, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "loopback")])
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    names = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("own.example")]
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(9000))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    path = tmp_path_factory.mktemp("tls") / "paper.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


async def https(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers everything by `ok`."""
    while await reader.readuntil(b"\r\n\r\n"):
        await ok(writer)


def test_tls_is_verified(paper: Path) -> None:
    """A certificate that nobody has signed: no connection, and nothing sent."""
    own = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    own.load_cert_chain(paper)

    async def scene() -> None:
        async with raw(https, own) as url, lent(url) as client:
            with pytest.raises(httpx.ConnectError) as caught:
                await client.get(url)
            assert outcome_of(caught) is Retry

    run(scene)


def test_over_tls(paper: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the certificate is trusted, and only for the names that are in it."""
    monkeypatch.setenv("SSL_CERT_FILE", str(paper))
    transports.tls.cache_clear()
    own = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    own.load_cert_chain(paper)

    async def scene() -> None:
        async with raw(https, own) as url, lent(url) as client:
            for _ in range(2):
                assert (await client.get(url)).text == "ok"
            with pytest.raises(httpx.ConnectError):
                await client.get(url.replace("127.0.0.1", "localhost"))

    try:
        run(scene)
    finally:
        transports.tls.cache_clear()


def test_a_client_that_is_closed() -> None:
    async def scene() -> None:
        transport = Transport(1)
        with transport.client("me", "http://127.0.0.1:9") as client:
            await transport.close()
            with pytest.raises(RuntimeError, match="closed"):
                await client.get("http://127.0.0.1:9/")

    run(scene)
