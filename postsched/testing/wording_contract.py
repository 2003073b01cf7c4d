"""That what a platform says of its wording is what it sends; part of `PlatformContract`."""

from __future__ import annotations

from postsched.platforms.wording import Wording
from postsched.testing.network import Network
from postsched.testing.sender import Sender
from postsched.testing.stage import Stage


class WordingContract(Stage):
    """What `preview` shows is what the network gets."""

    def test_the_wording_is_what_arrives(self, network: Network) -> None:
        """With a link beside media too; and its marks are inside of the text, in order."""
        text = "Zwölf_*mal* (so) #tag @someone https://example.com/a_b\\c 👩‍👩‍👧 日本"
        pictured = self.message("Beside media", key="2", link="https://example.com/x",
                                attachments=(self.attachment("a square"),))  # fmt: skip
        steps = [self.message(text)]
        if self.capabilities(network).media.count:
            steps.append(pictured)

        async def scene(sender: Sender) -> list[Wording]:
            for step in steps:
                self.published(await sender.send(step))
            return [sender.platform.wording(step, sender.login.facts) for step in steps]

        found = self.play(network, scene)
        assert sorted(post.text for post in network.posts()) == sorted(one.text for one in found)
        for one in found:
            ends = [0, *(place for mark in one.marks for place in (mark.start, mark.end))]
            assert ends == sorted(ends)
            assert ends[-1] <= len(one.text)
