"""What every platform must do, as a suite that its test inherits.

A subclass names the platform and gives a fixture `network`:

    class TestMastodon(HttpPlatformContract):
        platform = Mastodon

        @pytest.fixture
        def network(self) -> Iterator[Network]:
            with MastodonServer() as server:
                yield Network(server.login(), server.posts, server)

`PlatformContract` is for any platform, `HttpPlatformContract` (in `http_contract.py`) adds what can
happen to one that talks HTTP: refusals, rate limits and lost answers. A test that a platform's
capabilities rule out is skipped. A subclass may replace the class attributes to say how its
network answers.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from postsched.domain.capabilities import CommentAs, Guarantee
from postsched.domain.counting import length
from postsched.domain.delivery import Role
from postsched.domain.fitting import Finding, judge
from postsched.domain.outcome import Sent
from postsched.domain.post import Content
from postsched.testing.exposure import logged, secrets_of
from postsched.testing.lookup_contract import LookupContract
from postsched.testing.network import Network
from postsched.testing.sender import Sender, through_json
from postsched.testing.wording_contract import WordingContract

PIECES = {
    "letters": "x",
    "a letter and its accent": "e\u0301" * 3,
    "emoji of several code points": "👩‍👩‍👧 " * 2,
    "other scripts": "日本語 한국어 ",
    "a long link": "https://example.com/a/rather/long/path/to/something?with=a&query=too ",
    "a mention": "@someone@far.example ",
}
"""What texts are made of that networks count in different ways."""


class PlatformContract(LookupContract, WordingContract):
    """What holds for every platform, whatever it talks to."""

    # One post

    def test_id_and_link_come_back(self, network: Network) -> None:
        out = self.published(self.play(network, lambda s: s.send(self.message("Hello"))))
        seen = network.posts()
        assert [(post.remote_id, post.text) for post in seen] == [(out.remote_id, "Hello")]
        assert out.url
        through_json(out.data)

    def test_text_arrives_as_written(self, network: Network) -> None:
        text = 'Zwölf Boxkämpfer 👩‍👩‍👧 & <b>"so"</b>\n\nsecond line\n  third, 日本語 #tag'
        self.published(self.play(network, lambda s: s.send(self.message(text))))
        assert [post.text for post in network.posts()] == [text]

    def test_prepare_is_repeatable_and_shows_nothing(self, network: Network) -> None:
        async def scene(sender: Sender) -> Sent:
            one = self.message("Prepared twice")
            await sender.prepare(one)
            assert not network.posts()
            prepared = await sender.prepare(one)
            assert not network.posts()
            return await sender.publish(prepared, one.key)

        self.published(self.play(network, scene))
        assert len(network.posts()) == 1

    def test_the_same_key_is_the_same_post(self, network: Network) -> None:
        async def scene(sender: Sender) -> tuple[Sent, Sent]:
            one = self.message("Once")
            prepared = await sender.prepare(one)
            return await sender.publish(prepared, one.key), await sender.publish(prepared, one.key)

        self.needs(self.capabilities(network).guarantee.deduplicates, "has no memory for keys")
        first, second = self.play(network, scene)
        assert self.published(first).remote_id == self.published(second).remote_id
        assert self.published(first).url == self.published(second).url
        assert len(network.posts()) == 1
        assert network.posts()[0].key

    def test_another_key_is_another_post(self, network: Network) -> None:
        async def scene(sender: Sender) -> tuple[Sent, Sent]:
            one, other = self.message("Twice", key="one"), self.message("Twice", key="other")
            return await sender.send(one), await sender.send(other)

        self.needs(self.takes_repetition(network), "refuses what equals an earlier post")
        first, second = self.play(network, scene)
        assert self.published(first).remote_id != self.published(second).remote_id
        assert len(network.posts()) == 2

    # Length

    @pytest.mark.parametrize("piece", PIECES.values(), ids=PIECES.keys())
    def test_a_text_of_just_the_limit_is_accepted(self, network: Network, piece: str) -> None:
        """Counted by us, taken by the network: whatever the text is made of."""
        text = self.text_of(network, piece, 0)
        assert not self.fatal(network, text)
        self.published(self.play(network, lambda s: s.send(self.message(text))))
        assert [post.text for post in network.posts()] == [text]

    def test_one_more_is_refused_before_the_network(self, network: Network) -> None:
        (finding,) = self.fatal(network, self.text_of(network, "x", 1))
        limit = self.capabilities(network).text.limit or 0
        assert finding.field == "text"
        assert f"{limit + 1:,}" in finding.message
        assert not network.posts()

    def text_of(self, network: Network, piece: str, more: int) -> str:
        """A text that begins with the piece and has the greatest length, and some `more`."""
        rules = self.capabilities(network).text
        self.needs(rules.limit, "has no limit")
        return piece + "x" * ((rules.limit or 0) - length(piece, rules) + more)

    def fatal(self, network: Network, text: str) -> list[Finding]:
        """What is wrong with a post of that text and the picture that `message` adds."""
        media = tuple(one.media for one in self.message(text).attachments)
        findings = judge(
            Content(text, media), "me", self.platform.title, self.capabilities(network)
        )
        return [finding for finding in findings if finding.fatal]

    # Media, threads, comments

    def test_media_has_its_alt_text(self, network: Network) -> None:
        self.needs(self.capabilities(network).media.count, "takes no media")
        self.needs(self.capabilities(network).media.alt, "has no alt text")
        picture = self.attachment("Ein Quadrat, <blau> & klein")
        sent = self.play(
            network, lambda s: s.send(self.message("With a picture", attachments=(picture,)))
        )
        self.published(sent)
        assert [post.alts for post in network.posts()] == [("Ein Quadrat, <blau> & klein",)]

    def test_media_keep_their_order(self, network: Network) -> None:
        self.needs(self.capabilities(network).media.count > 1, "takes one file at most")
        self.needs(self.capabilities(network).media.alt, "has no alt text to know files by")
        pictures = (self.attachment("first", "1.png"), self.attachment("second", "2.png"))
        self.published(
            self.play(network, lambda s: s.send(self.message("Two", attachments=pictures)))
        )
        assert network.posts()[0].alts == ("first", "second")

    def test_a_thread_is_a_chain(self, network: Network) -> None:
        self.needs(self.capabilities(network).thread, "has no threads")
        parts = [self.message(f"Part {n}", key=f"part {n}", n=n) for n in (1, 2, 3)]
        out = self.play(network, lambda s: s.thread(*parts))
        ids = [one.remote_id for one in out]
        assert [(post.remote_id, post.text, post.parent) for post in network.posts()] == [
            (ids[0], "Part 1", None),
            (ids[1], "Part 2", ids[0] if self.replies else None),
            (ids[2], "Part 3", ids[1] if self.replies else None),
        ]  # fmt: skip

    def test_a_comment_is_below_the_post(self, network: Network) -> None:
        comment_as = self.capabilities(network).comment
        self.needs(comment_as, "has no comments")
        parts = (
            self.message("The post", key="part"),
            self.message("The comment", key="comment", role=Role.COMMENT),
        )
        post, comment = self.play(network, lambda s: s.thread(*parts))
        assert comment.remote_id != post.remote_id
        if comment_as is CommentAs.REPLY:
            assert [seen.parent for seen in network.posts()] == [None, post.remote_id]

    # Deleting, facts, secrets

    def test_delete_removes_and_may_be_repeated(self, network: Network) -> None:
        async def scene(sender: Sender) -> None:
            out = self.published(await sender.send(self.message("Away with it")))
            stays = self.published(await sender.send(self.message("This stays", key="other")))
            await sender.platform.delete(out, sender.login, sender.http)
            await sender.platform.delete(out, sender.login, sender.http)
            assert [post.remote_id for post in network.posts()] == [stays.remote_id]

        self.needs(self.capabilities(network).delete, "can't delete")
        self.play(network, scene)

    def test_facts_name_the_user(self, network: Network) -> None:
        async def scene(sender: Sender) -> Mapping[str, Any]:
            return await sender.inspect()

        facts = self.play(network, scene, inspect=False)
        assert isinstance(facts.get("user"), str)
        assert facts["user"]

    def test_unknown_facts_promise_no_more(self, network: Network) -> None:
        known, unknown = self.capabilities(network), self.platform().capabilities({})
        assert promise(unknown.guarantee) <= promise(known.guarantee)
        if known.text.limit is not None:
            assert unknown.text.limit is not None
            assert unknown.text.limit <= known.text.limit

    def test_the_secret_does_not_show(
        self, network: Network, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)

        async def scene(sender: Sender) -> list[str]:
            one = self.message("Said aloud")
            prepared = await sender.prepare(one)
            sent = await sender.publish(prepared, one.key)
            found = await sender.find(prepared, one.key)
            return [repr(thing) for thing in (sender.login, prepared, sent, found)]

        shown = self.play(network, scene)
        for secret in secrets_of(network.login):
            assert secret not in "\n".join(shown)
            assert secret not in logged(caplog)


def promise(guarantee: Guarantee) -> tuple[timedelta, bool]:
    """A guarantee as something that can be compared: a longer memory, then being asked."""
    return (guarantee.deduplicates or timedelta(0), guarantee.can_look_up)
