"""A strict Instagram on loopback, from the fact sheet.

It keeps one professional account, used by Instagram Login, or by Facebook Login as the account of a
Page. Media are judged by their address: one whose name has "missing" in it can't be fetched, and an
image that is no JPEG is no format.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, ClassVar
from urllib.parse import urlsplit

from postsched.testing.facebook_login import FacebookLogin, PageRow
from postsched.testing.graph import DAY, Container, Refusal, Tokens, invalid, known
from postsched.testing.graph_server import LOGIN_ROUTES, ContainerServer, Route, iso
from postsched.testing.network import Seen
from postsched.testing.wire import Answer

USER, USERNAME = "17841400000000001", "me_on_instagram"
PAGE, OTHER = "20500000000000001", "17841400000000002"
"""The Page of the account, and the account of another Page."""
NEVER = 10**9
"""How often a container is looked at that waits for its film."""
CREATE_FIELDS = {
    "access_token", "media_type", "caption", "image_url", "video_url", "alt_text",
    "is_carousel_item", "children", "share_to_feed", "upload_type",
}  # fmt: skip
LIST_FIELDS = {"id", "media_type", "permalink", "shortcode", "caption", "timestamp"}


@dataclass(frozen=True, slots=True)
class Post:
    """What is out; `at` in nanoseconds since the epoch."""

    id: str
    at: int
    container: Container

    @property
    def caption(self) -> str:
        """The text."""
        return self.container.form.get("caption", "")


class InstagramServer(ContainerServer):
    """See the module. `login_kind` is instagram or facebook."""

    publishing: ClassVar[tuple[str, str]] = ("POST", rf"/v26\.0/{USER}/media_publish")
    first_id: ClassVar[int] = 17_900_000_000_000_000

    def __init__(
        self, *, quota: int | str = 100, login_kind: str = "instagram", **more: Any
    ) -> None:
        super().__init__(quota=quota, **more)
        if login_kind == "instagram":
            self.tokens = Tokens(self.clock, "ig", in_header=True)
        else:
            pages = (
                PageRow(PAGE, "The Bakery", account=(USER, USERNAME)),
                PageRow("20500000000000002", "The Mill"),
                PageRow("20500000000000003", "The Field", account=(OTHER, "the_field")),
            )
            self.tokens = FacebookLogin(self.clock, *pages)
        self.out: dict[str, Post] = {}
        self.comments: dict[str, tuple[str, str, int]] = {}

    def posts(self) -> list[Seen]:
        """What is out, oldest first."""
        return [Seen(p.id, p.caption, None, _alts(p), p.container.id) for p in self.out.values()]

    def _me(self, given: Mapping[str, str]) -> Answer:
        known(given, {"fields", "access_token"})
        if isinstance(self.tokens, FacebookLogin):
            return self.tokens.me(given)
        return Answer(200, {"data": [{"user_id": int(USER), "username": USERNAME}]})

    def _accounts(self, given: Mapping[str, str]) -> Answer:
        return self._facebook().accounts(given, f"{self.url}/v26.0/me/accounts")

    def _dialog(self, given: Mapping[str, str]) -> Answer:
        return self._facebook().authorize(given)

    def _facebook_token(self, given: Mapping[str, str]) -> Answer:
        return self._facebook().token(given)

    def _debug(self, given: Mapping[str, str]) -> Answer:
        return self._facebook().about(given)

    def _facebook(self) -> FacebookLogin:
        if not isinstance(self.tokens, FacebookLogin):
            raise Refusal(2500, None, "Unknown path components")
        return self.tokens

    def _create(self, given: Mapping[str, str]) -> Answer:
        known(given, CREATE_FIELDS)
        form = {name: value for name, value in given.items() if name != "access_token"}
        children = [self.containers.get(one) for one in form.get("children", "").split(",") if one]
        self._check(form, children)
        container = Container(
            self.new_id(), self.clock(), form, self.polls,
            children=[child for child in children if child],
        )  # fmt: skip
        self.containers[container.id] = container
        if "upload_type" not in form:
            return Answer(200, {"id": container.id})
        container.polls = NEVER
        place = f"{self.url}/ig-api-upload/v26.0/{container.id}"
        return Answer(200, {"id": container.id, "uri": place})

    def _upload(self, given: Mapping[str, str], number: str) -> Answer:
        """Take the bytes of a film, all at once; what is no film is of no use."""
        headers, content = self.request.headers, self.request.body
        token = headers.get("authorization", "").removeprefix("OAuth ")
        sizes = headers.get("offset"), headers.get("file_size")
        known_one = number in self.containers and token in self._facebook().live
        if not known_one or sizes != ("0", str(len(content))):
            debug = {"retriable": False, "type": "OffsetInvalidError", "message": "Request error"}
            return Answer(400, {"debug_info": debug})
        if b"ftyp" not in content[:16]:
            debug = {"retriable": False, "type": "ProcessingFailedError", "message": "No film"}
            return Answer(400, {"debug_info": debug})
        self.containers[number].polls = self.polls
        return Answer(200, {"success": True, "message": "Upload successful."})

    def _check(self, form: Mapping[str, str], children: list[Container | None]) -> None:
        caption = form.get("caption", "")
        if len(caption) > 2200 or caption.count("#") > 30 or caption.count("@") > 20:
            raise Refusal(36004, 2207010, "The caption was too long")
        match form.get("media_type"):
            case None:
                _check_media(form.get("image_url"), {"", ".jpg", ".jpeg"})
            case "REELS" | "VIDEO":
                if form["media_type"] == "VIDEO" and "is_carousel_item" not in form:
                    raise invalid("VIDEO is for carousels: use REELS")
                if "alt_text" in form:
                    raise invalid("alt_text is for images")
                if "upload_type" in form:
                    self._facebook()  # bytes are taken by Facebook Login only
                    return
                _check_media(form.get("video_url"), {"", ".mp4", ".mov"})
            case "CAROUSEL":
                self._check_children(children)
            case _:
                raise Refusal(100, 2207023, "The media type is unknown")

    def _check_children(self, children: list[Container | None]) -> None:
        if not 2 <= len(children) <= 10:
            raise Refusal(100, 2207028, "Your post won't work as a carousel")
        for child in children:
            if child is None or child.form.get("is_carousel_item") != "true":
                raise Refusal(100, 2207035, "This is no carousel item")
            if child.look(self.clock()) != "FINISHED":
                raise Refusal(9007, 2207027, "Media ID is not available")

    def _node(self, given: Mapping[str, str], number: str) -> Answer:
        known(given, {"fields", "access_token"})
        fields = set(given.get("fields", "id").split(","))
        container, post = self.containers.get(number), self.out.get(number)
        if container is not None and not fields - {"id", "status_code", "status"}:
            late = next((p.at for p in self.out.values() if p.container is container), None)
            state = self.shown(container, late)
            return Answer(200, {"status_code": state, "status": f"{state}: …", "id": number})
        if post is None or fields - LIST_FIELDS:
            raise Refusal(100, 33, f"Unsupported get request. Object with ID '{number}' does not "
                          "exist")  # fmt: skip
        return Answer(200, {**_row(post, fields), "id": number})

    def _publish(self, given: Mapping[str, str]) -> Answer:
        known(given, {"creation_id", "access_token"})
        container = self.publishable(given)
        if self._used() >= self.quota:
            raise Refusal(9, 2207042, "You reached maximum number of posts")
        container.state = "PUBLISHED"
        post = Post(self.new_id(), self.clock(), container)
        self.out[post.id] = post
        self.ledger.append({"id": post.id, "container": container.id, **container.form})
        return Answer(200, {"id": post.id})

    def _used(self) -> int:
        return sum(post.at > self.clock() - DAY for post in self.out.values())

    def _limit(self, given: Mapping[str, str]) -> Answer:
        known(given, {"fields", "access_token"})
        config = {"quota_total": self.quota, "quota_duration": 86400}
        return Answer(200, {"data": [{"quota_usage": self._used(), "config": config}]})

    def _list(self, given: Mapping[str, str]) -> Answer:
        known(given, {"fields", "since", "until", "limit", "access_token"})
        fields = set(given.get("fields", "id").split(","))
        if fields - LIST_FIELDS:
            raise invalid(f"Tried accessing nonexisting field {fields - LIST_FIELDS}")
        since = int(given.get("since", "0")) * 10**9
        shown = [post for post in reversed(self.out.values()) if post.at >= since]
        return Answer(200, {"data": [_row(p, fields) for p in shown[: int(given["limit"])]]})

    def _comment(self, given: Mapping[str, str], number: str) -> Answer:
        known(given, {"message", "access_token"})
        if number not in self.out or not given.get("message", "").strip():
            raise invalid("message, or the post")
        comment = self.new_id()
        self.comments[comment] = (number, given["message"], self.clock())
        return Answer(200, {"id": comment})

    def _comments(self, given: Mapping[str, str], number: str) -> Answer:
        known(given, {"fields", "access_token"})
        rows = [
            {"id": one, "text": text, "timestamp": iso(at), "username": USERNAME}
            for one, (post, text, at) in self.comments.items() if post == number
        ]  # fmt: skip
        return Answer(200, {"data": rows})

    def _delete(self, given: Mapping[str, str], number: str) -> Answer:
        self._facebook()  # there is no deleting by Instagram Login
        if self.out.pop(number, None) is None:
            raise Refusal(100, 33, f"Object with ID '{number}' does not exist")
        return Answer(200, {"success": True})

    routes: ClassVar[tuple[Route, ...]] = (
        ("GET", r"/v26\.0/me", True, _me),
        ("GET", r"/v26\.0/me/accounts", True, _accounts),
        ("GET", r"/v26\.0/debug_token", False, _debug),
        ("GET", r"/v26\.0/dialog/oauth", False, _dialog),
        ("GET", r"/v26\.0/oauth/access_token", False, _facebook_token),
        ("POST", rf"/v26\.0/{USER}/media", True, _create),
        ("GET", rf"/v26\.0/{USER}/media", True, _list),
        ("POST", rf"/v26\.0/{USER}/media_publish", True, _publish),
        ("GET", rf"/v26\.0/{USER}/content_publishing_limit", True, _limit),
        ("GET", r"/v26\.0/(\d+)", True, _node),
        ("DELETE", r"/v26\.0/(\d+)", True, _delete),
        ("POST", r"/v26\.0/(\d+)/comments", True, _comment),
        ("GET", r"/v26\.0/(\d+)/comments", True, _comments),
        ("POST", r"/ig-api-upload/v26\.0/(\d+)", False, _upload),
        *LOGIN_ROUTES,
    )


def _alts(post: Post) -> tuple[str, ...]:
    shown = post.container.children or [post.container]
    return tuple(one.form.get("alt_text", "") for one in shown)


def _row(post: Post, fields: set[str]) -> dict[str, Any]:
    whole = {
        "id": post.id, "media_type": "IMAGE", "shortcode": f"C{post.id}",
        "permalink": f"https://www.instagram.com/p/C{post.id}/", "caption": post.caption,
        "timestamp": iso(post.at),
    }  # fmt: skip
    return {name: value for name, value in whole.items() if name in fields and value != ""}


def _check_media(url: str | None, suffixes: set[str]) -> None:
    address = urlsplit(url or "")
    if address.scheme not in ("https", "http") or "missing" in address.path:
        raise Refusal(9004, 2207052, "The media could not be fetched from this URI")
    if PurePosixPath(address.path).suffix.lower() not in suffixes:
        raise Refusal(36001, 2207005, "The image format is not supported")
