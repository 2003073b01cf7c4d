"""What goes over a connection, and what is known when it breaks: whether the request was sent."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from postsched.domain.outcome import Lost, Retry
from tests.transport.serving import (
    answer,
    lent,
    ok,
    outcome_of,
    run,
    says,
    server,
)


class TestAnswers:
    """Every way in which HTTP/1.1 lets a server say how long its answer is."""

    @pytest.mark.parametrize(
        ("pieces", "status", "body"),
        [
            ([b"HTTP/1.1 200 OK\r\nContent-Le", b"ngth: 5\r\n\r\nhel", b"lo"], 200, "hello"),
            ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n",
              b"2\r\nlo\r\n0\r\nContent-Encoding: gzip\r\n\r\n"], 200, "hello"),
            ([b"HTTP/1.1 204 No Content\r\n\r\n"], 204, ""),
            ([b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n",
              b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"], 200, "ok"),
            ([b"HTTP/1.1 500 \r\nContent-Length: 0\r\n\r\n"], 500, ""),
        ],
    )  # fmt: skip
    def test_are_read(self, pieces: list[bytes], status: int, body: str) -> None:
        async def scene() -> None:
            async with server() as own, lent(own.url) as client:
                own.answers += [says(*pieces), says(*pieces)]
                for _ in range(2):
                    response = await client.post(own.url, json={})
                    assert (response.status_code, response.text) == (status, body)
                    assert "link" not in response.headers
                assert own.connections == 1

        run(scene)

    def test_one_that_ends_with_its_connection(self) -> None:
        async def scene() -> None:
            async with server() as own, lent(own.url) as client:
                own.answers.append(says(b"HTTP/1.0 200 OK\r\n\r\nhel", b"lo", hang_up=True))
                assert (await client.get(own.url)).text == "hello"
                assert (await client.get(own.url)).text == "ok"
                assert own.connections == 2

        run(scene)

    def test_to_a_question_for_the_head_only(self) -> None:
        async def scene() -> None:
            async with server() as own, lent(own.url) as client:
                own.answers.append(says(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\nX: y\r\n\r\n"))
                assert (await client.head(own.url)).headers["x"] == "y"
                assert (await client.get(own.url)).text == "ok"

        run(scene)

    def test_a_server_that_wants_no_more(self) -> None:
        async def scene() -> None:
            async with server() as own, lent(own.url) as client:
                own.answers.append(answer(b"ok", "Connection: close"))
                for _ in range(2):
                    assert (await client.get(own.url)).text == "ok"
                assert own.connections == 2

        run(scene)


class TestWhatBreaks:
    """Before there is a connection nothing was sent; after that, nobody knows."""

    @pytest.mark.parametrize(
        "pieces",
        [
            [],
            [b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel"],
            [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"],
            [b"HTTP/1.1 200 OK\r\nX: "],
            [b"HTTP/1.1 100 Continue\r\n\r\n"],
            [b"SSH-2.0-OpenSSH_9.2\r\n"],
            [b"HTTP/1.1 101 Switching\r\nUpgrade: ws\r\nConnection: Upgrade\r\n\r\n"],
            [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nok"],
        ],
    )
    def test_an_answer_that_is_none(self, pieces: list[bytes]) -> None:
        """Also on a connection that has served before."""

        async def scene() -> None:
            async with server() as own, lent(own.url) as client:
                own.answers += [ok, says(*pieces, hang_up=True)]
                await client.get(own.url)
                with pytest.raises(httpx.TransportError) as caught:
                    await client.post(own.url, json={})
                assert outcome_of(caught) is Lost
                assert len(own.requests) == 2, "never sent twice"
                assert (await client.get(own.url)).text == "ok"

        run(scene)

    def test_a_reset(self) -> None:
        async def reset(writer: asyncio.StreamWriter) -> None:
            writer.transport.abort()

        async def scene() -> None:
            async with server() as own, lent(own.url) as client:
                own.answers.append(reset)
                with pytest.raises(httpx.TransportError) as caught:
                    await client.put(own.url, json={})
                assert outcome_of(caught) is Lost
                assert len(own.requests) == 1

        run(scene)

    def test_nobody_listens(self) -> None:
        async def scene() -> None:
            async with server() as own:
                url = own.url
            async with lent(url) as client:
                with pytest.raises(httpx.ConnectError) as caught:
                    await client.post(url, json={})
                assert outcome_of(caught) is Retry

        run(scene)

    def test_a_connection_that_was_closed_meanwhile_is_not_used(self) -> None:
        async def scene() -> None:
            async with server() as own, lent(own.url) as client:
                own.answers.append(says(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
                                        hang_up=True))  # fmt: skip
                await client.get(own.url)
                await asyncio.sleep(0.02)
                assert (await client.post(own.url, json={})).text == "ok"
                assert own.connections == 2

        run(scene)

    def test_what_is_said_unasked_is_not_believed(self) -> None:
        whole = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"

        async def scene() -> None:
            async with server() as own, lent(own.url) as client:
                own.answers.append(says(whole + b"ok" + whole + b"no", whole + b"no"))
                assert (await client.get(own.url)).text == "ok"
                assert (await client.get(own.url)).text == "ok"
                assert own.connections == 2

        run(scene)

    def test_one_that_is_broken_off_leaves_nothing_behind(self) -> None:
        async def never(writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(60)

        async def scene() -> None:
            async with server() as own, lent(own.url) as client:
                own.answers.append(never)
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.05):
                        await client.get(own.url)
                assert (await client.get(own.url)).text == "ok"
                assert own.connections == 2

        run(scene)
