"""What a network that can be asked for a post must answer, and one that refuses what equals an
earlier post; part of `PlatformContract`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from postsched.domain.outcome import ErrorKind, Failed, Lost, Published, Sent
from postsched.platforms.base import Unknown
from postsched.testing.network import Network
from postsched.testing.sender import Sender, key_of
from postsched.testing.stage import Stage


class LookupContract(Stage):
    """`find` tells a post from its equals, and never guesses."""

    def test_find_finds_what_is_out(self, network: Network) -> None:
        async def scene(sender: Sender) -> None:
            one = self.message("Is it there?")
            prepared = await sender.prepare(one)
            out = self.published(await sender.publish(prepared, one.key))
            found = await sender.find(prepared, one.key)
            assert isinstance(found, Published), found
            assert (found.remote_id, found.url) == (out.remote_id, out.url)
            assert found.data == out.data, "later parts need the same of a post that was found"

        self.needs(self.capabilities(network).guarantee.can_look_up, "can't be asked")
        self.play(network, scene)

    def test_find_does_not_find_what_is_not_out(self, network: Network) -> None:
        async def scene(sender: Sender) -> None:
            one = self.message("Is it there?")
            prepared = await sender.prepare(one)
            assert await sender.find(prepared, one.key) is None
            self.published(await sender.send(self.message("Is it there", key="other")))
            assert await sender.find(prepared, one.key) is None

        self.needs(self.capabilities(network).guarantee.can_look_up, "can't be asked")
        self.play(network, scene)

    def test_find_does_not_take_an_older_post_for_it(self, network: Network) -> None:
        async def scene(sender: Sender) -> None:
            self.published(await sender.send(self.message("Every day", key="yesterday")))
            one = self.message("Every day", key="today")
            prepared = await sender.prepare(one)
            tomorrow = datetime.now(UTC) + timedelta(days=1)
            assert await sender.find(prepared, one.key, tomorrow) is None

        self.needs(self.capabilities(network).guarantee.can_look_up, "can't be asked")
        self.play(network, scene)

    def test_find_does_not_choose_among_equals(self, network: Network) -> None:
        async def scene(sender: Sender) -> None:
            equals = [self.message("The same", key=key) for key in ("one", "other")]
            prepared = [await sender.prepare(one) for one in equals]
            sent = [
                self.published(await sender.publish(made, one.key))
                for one, made in zip(equals, prepared, strict=True)
            ]
            for one, made, out in zip(equals, prepared, sent, strict=True):
                found = await sender.find(made, one.key)
                assert isinstance(found, Unknown) or (
                    isinstance(found, Published) and found.remote_id == out.remote_id
                ), found

        self.needs(self.capabilities(network).guarantee.can_look_up, "can't be asked")
        self.needs(self.takes_repetition(network), "refuses what equals an earlier post")
        self.play(network, scene)

    def test_an_equal_post_is_refused_as_a_duplicate(self, network: Network) -> None:
        """And is never taken for the one that is out: both were wanted."""

        async def scene(sender: Sender) -> Sent:
            one, other = self.message("Twice", key="one"), self.message("Twice", key="other")
            self.published(await sender.send(one))
            return await sender.send(other)

        self.needs(not self.takes_repetition(network), "takes what equals an earlier post")
        sent = self.play(network, scene)
        assert isinstance(sent, Failed | Lost), sent
        assert sent.problem.kind is ErrorKind.DUPLICATE
        assert len(network.posts()) == 1

    def test_find_knows_the_parent(self, network: Network) -> None:
        async def scene(sender: Sender) -> None:
            out = await sender.thread(
                self.message("One thread", key="1"), self.message("Yes", key="2", n=2)
            )
            (other,) = await sender.thread(self.message("Another thread", key="3"))
            one = self.message("Yes", key="4", n=2)
            absent = await sender.prepare(one, other, other)
            assert await sender.find(absent, one.key) is None
            there = await sender.prepare(self.message("Yes", key="2", n=2), out[0], out[0])
            found = await sender.find(there, key_of("2"))
            assert isinstance(found, Published), found
            assert found.remote_id == out[1].remote_id

        capable = self.capabilities(network)
        self.needs(capable.guarantee.can_look_up and capable.thread, "can't be asked for threads")
        self.needs(self.replies, "has no replies")
        self.play(network, scene)
