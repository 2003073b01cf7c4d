"""What the adapters of Meta's networks have in common."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import unquote, urlsplit

from postsched.domain.outcome import Published
from postsched.platforms.base import Attachment, Login, Platform
from postsched.platforms.graph.api import Graph, node
from postsched.platforms.graph.refusals import is_refusal

if TYPE_CHECKING:
    import httpx

FILMS = {".mp4", ".mov", ".m4v", ".qt"}
"""How the addresses of films end; everything else is taken for an image."""


class GraphPlatform(Platform):
    """A network in Meta's Graph style, at `version` of its API where nothing else is set."""

    version: ClassVar[str]
    secret_settings: ClassVar[frozenset[str]] = frozenset(
        {"token", "access_token", "client_secret"}
    )

    def graph(self, login: Login, http: httpx.AsyncClient) -> Graph:
        """The API, for one login."""
        return Graph(login, http, self.version)

    async def delete(self, published: Published, login: Login, http: httpx.AsyncClient) -> None:
        """Delete the post."""
        graph = self.graph(login, http)
        response = await graph.delete(node(published.remote_id))
        if not (is_refusal(response) and graph.read(response).is_unseen):
            graph.judge(response)


def is_film(attachment: Attachment) -> bool:
    """Whether a medium is a film: by its type, else by the end of its address."""
    if attachment.media.type:
        return attachment.media.type.startswith("video/")
    path = unquote(urlsplit(attachment.media.url or "").path)
    return PurePosixPath(path).suffix.lower() in FILMS
