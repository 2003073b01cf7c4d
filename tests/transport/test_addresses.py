"""Adapters are kept off internal addresses, and redirects are not followed."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import httpx
import pytest

from postsched.transport import is_public
from tests.transport.serving import (
    answer,
    lent,
    name_that_is_at,
    run,
    server,
)


class TestInternalAddresses:
    """What is not the account's own server must be public."""

    @pytest.mark.parametrize(
        "address",
        [
            "127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254",
            "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.2.1",
            "::1", "::", "fe80::1", "fc00::1", "fd12::1", "ff02::1", "::ffff:127.0.0.1",
            "::ffff:10.0.0.1", "fe80::1%eth0", "64:ff9b::7f00:1", "2002:7f00:1::",
            "100.127.255.255", "198.18.0.1", "::7f00:1", "::ffff:0:a00:1", "64:ff9b:1::a00:1",
            "fec0::1", "2001:0:7f00:1::", "2001:db8::1", "3fff::1", "5f00::1", "100::1",
        ],
    )  # fmt: skip
    def test_are_known(self, address: str) -> None:
        assert not is_public(address)

    @pytest.mark.parametrize(
        "address",
        ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"],
    )
    def test_and_so_are_public_ones(self, address: str) -> None:
        assert is_public(address)

    @pytest.mark.parametrize(
        ("host", "address"),
        [
            ("127.0.0.1", "127.0.0.1"), ("localhost", "127.0.0.1"), ("[::1]", "::1"),
            ("[::ffff:127.0.0.1]", "::ffff:127.0.0.1"), ("127.1", "127.0.0.1"),
            ("2130706433", "127.0.0.1"), ("0x7f.1", "127.0.0.1"), ("0", "0.0.0.0"),
            ("[::]", "::"),
        ],
    )  # fmt: skip
    def test_are_refused_however_they_are_written(
        self, monkeypatch: pytest.MonkeyPatch, host: str, address: str
    ) -> None:
        """What the C library makes of each is written here: the guard of the tests would not let
        some of them be asked for."""
        asked = name_that_is_at(monkeypatch, [address], name=httpx.URL(f"http://{host}").host)

        async def scene() -> None:
            async with server() as own, server() as internal, lent(own.url) as client:
                asked.clear()
                port = internal.url.rpartition(":")[2]
                with pytest.raises(httpx.ConnectError, match="not a public address"):
                    await client.get(f"http://{host}:{port}/")
                assert not internal.requests

        run(scene)

    def test_the_accounts_own_server_may_be_internal(self) -> None:
        async def scene() -> None:
            async with server() as own, lent(own.url) as client:
                assert (await client.get(own.url + "/x")).text == "ok"

        run(scene)

    def test_another_port_of_the_same_host_is_another_server(self) -> None:
        async def scene() -> None:
            async with server() as own, server() as other, lent(own.url) as client:
                with pytest.raises(httpx.ConnectError, match="not a public address"):
                    await client.get(other.url)
                assert not other.requests

        run(scene)

    def test_they_may_be_allowed(self) -> None:
        async def scene() -> None:
            async with (
                server() as own,
                server() as other,
                lent(own.url, allow_private=True) as client,
            ):
                assert (await client.get(other.url)).text == "ok"

        run(scene)

    def test_a_name_that_is_at_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        name_that_is_at(monkeypatch, ["127.0.0.1"])

        async def scene() -> None:
            async with server() as own, lent(own.url) as client:
                with pytest.raises(httpx.ConnectError, match=r"evil\.example is at 127\.0\.0\.1"):
                    await client.get("http://evil.example/")

        run(scene)

    def test_a_name_that_is_at_one_among_others(self, monkeypatch: pytest.MonkeyPatch) -> None:
        name_that_is_at(monkeypatch, ["93.184.216.34", "::ffff:10.0.0.1"])

        async def scene() -> None:
            async with lent("https://own.example") as client:
                with pytest.raises(httpx.ConnectError, match="not a public address"):
                    await client.get("http://evil.example/")

        run(scene)

    def test_a_name_that_moves_there_between_look_and_connection(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """DNS rebinding: what was looked at is what is connected to."""
        asked = name_that_is_at(monkeypatch, ["93.184.216.34"], ["127.0.0.1"])
        connected: list[str] = []

        async def scene() -> None:
            async with server() as internal, lent("https://own.example", 0.5) as client:
                port = int(internal.url.rpartition(":")[2])
                loop = asyncio.get_running_loop()
                connect = loop.sock_connect

                async def noted(sock: socket.socket, address: Any) -> None:
                    connected.append(address[0])
                    if address[0] != "93.184.216.34":
                        await connect(sock, address)
                    raise ConnectionRefusedError

                monkeypatch.setattr(loop, "sock_connect", noted)
                with pytest.raises(httpx.HTTPError):
                    await client.get(f"http://evil.example:{port}/")
                assert not internal.requests

        run(scene)
        assert len(asked) == 1
        assert set(connected) == {"93.184.216.34"}

    def test_a_redirect_into_the_inside(self) -> None:
        async def scene() -> None:
            async with server() as own, server() as internal, lent(own.url) as client:
                own.answers.append(
                    answer(b"", f"Location: {internal.url}/secret", status="302 Found")
                )
                with pytest.raises(
                    httpx.ConnectError, match=r"^127\.0\.0\.1 is not a public address"
                ):
                    await client.get(own.url, follow_redirects=True)
                assert not internal.requests

        run(scene)

    def test_a_name_that_is_not_known(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def getaddrinfo(*args: Any, **kwargs: Any) -> Any:
            raise socket.gaierror(-2, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

        async def scene() -> None:
            async with lent("https://own.example") as client:
                with pytest.raises(httpx.ConnectError):
                    await client.get("https://nowhere.example/")

        run(scene)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Again", "308 Moved"])
def test_redirects_are_not_followed(method: str, status: str) -> None:
    """A POST that is sent on could be carried out twice, or with the secret to another server."""

    async def scene() -> None:
        async with server() as own, lent(own.url) as client:
            own.answers.append(answer(b"", f"Location: {own.url}/other", status=status))
            response = await client.request(method, own.url + "/first")
            assert response.is_redirect
            assert len(own.requests) == 1

    run(scene)
