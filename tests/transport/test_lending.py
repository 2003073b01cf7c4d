"""Each call has a client of its own, and its connection is kept for the next."""

from __future__ import annotations

from postsched.transport import Transport
from tests.transport.serving import (
    answer,
    lent,
    run,
    server,
)


class TestLending:
    """One call, one client; its connection is kept for the next."""

    def test_calls_at_once_do_not_share_a_client(self) -> None:
        async def scene() -> None:
            transport = Transport(5)
            with transport.client("me", "https://x.example") as one:
                with transport.client("me", "https://x.example") as two:
                    assert one is not two
                with transport.client("me", "https://x.example") as three:
                    assert three is two
                with transport.client("you", "https://x.example") as four:
                    assert four not in (one, two)
            await transport.close()
            assert one.is_closed
            assert two.is_closed

        run(scene)

    def test_the_connection_is_used_again(self) -> None:
        async def scene() -> None:
            async with server() as own:
                transport = Transport(5)
                for _ in range(3):
                    with transport.client("me", own.url) as client:
                        await client.get(own.url)
                await transport.close()
                assert (len(own.requests), own.connections) == (3, 1)

        run(scene)

    def test_no_secret_goes_along_to_another_host(self) -> None:
        async def scene() -> None:
            async with server() as own, server() as other:
                async with lent(own.url, allow_private=True) as client:
                    own.answers.append(answer(b"", f"Location: {other.url}/", status="302 Found"))
                    await client.get(
                        own.url, follow_redirects=True, headers={"Authorization": "Bearer s3cret"}
                    )
                assert b"s3cret" in own.requests[0]
                assert b"s3cret" not in other.requests[0]

        run(scene)
