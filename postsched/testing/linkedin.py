"""A strict LinkedIn on loopback, from the fact sheet: one author, a person or an organization.

Refused are properties that it does not know, headers that are missing or wrong, media that is not
processed, and URNs in the path that are not percent-encoded. It keeps texts as LinkedIn shows them
(`posts()`), while the API repeats them whole, and refuses what equals a post of the last day with
that post's URN.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from hashlib import sha256
from typing import Any, ClassVar
from urllib.parse import unquote

from postsched.domain.secret import Secret
from postsched.platforms.base import Login
from postsched.testing.linkedin_state import Post, Refusal, State, only, plain, wrong
from postsched.testing.linkedin_uploads import Uploads
from postsched.testing.loopback import Loopback
from postsched.testing.network import Seen
from postsched.testing.wire import Answer, Request

TOKEN = "AQXNnd2kXITHELmWblJigbHEuoFdfRhOwGA0QNnumBI8XOVSs0HtOHEU"  # noqa: S105 - of a test server
REFRESH_TOKEN = "AQWAft_WjYZKwuWXLC5hQlghgTam-tuT8CvFej9-XxGyqeER"  # noqa: S105 - the same
CLIENT = {"client_id": "client", "client_secret": "very secret"}
"""The app that the tokens are of."""
SUBJECT = "782bbtaQ"
NAME = "Ada Lovelace"
ORGANIZATION = "urn:li:organization:5515715"
PERSONAL = "openid profile w_member_social"
FOR_PAGES = "w_organization_social r_organization_social rw_organization_admin"
OLDEST = 202510
"""The oldest version of the API that is still spoken."""


class LinkedInServer(Loopback):
    """See the module.

    `page` makes the author an organization. `scopes` are the token's, `quota` the calls it has for
    a day. `reads_media` lets a person look at uploads. `names_duplicates` says whether a refusal of
    a duplicate names the post. `comments` says whether this app may comment.
    """

    publishing: ClassVar[tuple[str, str]] = ("POST", r"/rest/posts")

    def __init__(
        self,
        *,
        page: bool | str = False,
        scopes: str | None = None,
        quota: int | str = 1_000_000,
        part_size: int | str = 4 * 1024 * 1024,
        processing: int | str = 0,
        reads_media: bool = False,
        **more: Any,
    ) -> None:
        super().__init__(**more)
        self.page = bool(page)
        self.scopes = scopes or (FOR_PAGES if page else PERSONAL)
        self.quota = int(quota)
        author = ORGANIZATION if page else f"urn:li:person:{SUBJECT}"
        self.state = State(author, self.clock)
        self.uploads = Uploads(self.state, TOKEN, int(part_size), int(processing))
        self.uploads.readable = reads_media or self.page
        self.token = TOKEN
        self.names_duplicates = True
        self.comments = True
        self.lag = 0
        """Nanoseconds after which a new post is listed."""

    def login(self, account: str = "me") -> Login:
        """A login to the server's one author."""
        return Login(account, self.url, Secret(self.token), ORGANIZATION if self.page else None)

    def posts(self) -> list[Seen]:
        """What is out, oldest first."""
        return [
            Seen(post.urn, post.shown, None, post.alts, _key(post))
            for post in self.state.posts.values()
            if not post.deleted
        ]

    def put(self, text: str, *, at: int | None = None, **more: Any) -> Post:
        """A post that somebody else wrote for this author; `at` in nanoseconds."""
        body = {
            "author": self.state.author, "commentary": text, "visibility": "PUBLIC",
            "lifecycleState": "PUBLISHED", **more,
        }  # fmt: skip
        return self.state.add(body, at)

    def answer(self, request: Request) -> Answer:
        """What LinkedIn answers."""
        self.quota -= 1
        try:
            if self.quota < 0:
                words = "Resource level throttle limit for calls to this resource is reached."
                raise plain(429, "TOO_MANY_REQUESTS", words, 101)
            return self._route(request)
        except Refusal as refusal:
            return Answer(refusal.status, refusal.body, {"x-li-uuid": "AAYAAA=="})
        except ValueError:
            return Answer(400, {"status": 400, "message": "the body is no JSON"})

    def _route(self, request: Request) -> Answer:
        for method, path, rest_method, act in ROUTES:
            match = re.fullmatch(path, request.path)
            if match and method == request.method:
                if request.path.startswith("/rest/"):
                    self._check_headers(request, rest_method)
                return act(self, request, *(unquote(group) for group in match.groups()))
        raise plain(404, "RESOURCE_NOT_FOUND", f"No virtual resource found for {request.path}")

    def _check_headers(self, request: Request, rest_method: str | None) -> None:
        headers = request.headers
        version = headers.get("linkedin-version")
        if version is None:
            raise plain(400, "VERSION_MISSING", "A version must be present")
        if not re.fullmatch("[0-9]{6}", version) or int(version) < OLDEST:
            raise plain(426, "NONEXISTENT_VERSION", f"Requested version {version} is not active")
        self._authorize(request)
        if headers.get("x-restli-protocol-version") != "2.0.0":
            raise plain(400, "BAD_REQUEST", "X-Restli-Protocol-Version must be 2.0.0")
        if headers.get("x-restli-method") != rest_method:
            raise plain(400, "BAD_REQUEST", f"X-RestLi-Method must be {rest_method}")
        if request.body and headers.get("content-type") != "application/json":
            raise plain(415, "UNSUPPORTED_MEDIA_TYPE", "application/json is expected")

    def _authorize(self, request: Request) -> None:
        if request.headers.get("authorization") != f"Bearer {self.token}":
            raise plain(401, "REVOKED_ACCESS_TOKEN", "The token used in the request has been "
                        "revoked by the user", 65601)  # fmt: skip

    def _need(self, scope: str, what: str) -> None:
        if scope not in self.scopes.split():
            words = f"Not enough permissions to access: {what}"
            raise plain(403, "ACCESS_DENIED", words, 100)

    def _who(self, request: Request) -> Answer:
        self._authorize(request)
        self._need("openid", "userinfo.GET")
        locale = {"country": "GB", "language": "en"}
        return Answer(200, {"sub": SUBJECT, "name": NAME, "picture": "https://x", "locale": locale})

    def _initialize(self, request: Request, kind: str) -> Answer:
        if request.query != {"action": "initializeUpload"}:
            return self._finalize(request, kind)
        return self.uploads.initialize(kind, request.json, self.url)

    def _finalize(self, request: Request, kind: str) -> Answer:
        if request.query != {"action": "finalizeUpload"} or kind != "video":
            raise plain(400, "BAD_REQUEST", "no such action")
        return self.uploads.finalize(request.json)

    def _look(self, request: Request, kind: str, urn: str) -> Answer:
        return self.uploads.look(kind, urn)

    def _put(self, request: Request, number: str, part: str) -> Answer:
        return self.uploads.put(request, int(number), int(part))

    def _publish(self, request: Request) -> Answer:
        self._need("w_organization_social" if self.page else "w_member_social", "posts.CREATE")
        body = request.json
        known = self.state.equal(body) if isinstance(body, dict) else None
        if known:
            named = f" of {known.urn}" if self.names_duplicates else ""
            message = f"com.linkedin.BadRequestResponseException: Content is a duplicate{named}"
            raise wrong("DUPLICATE_POST", "Duplicate post is detected", "", 422, message)
        post = self.state.create(body)
        self.ledger.append(
            {
                "id": post.urn, "at": post.at, "text": post.shown, "author": body["author"],
                "commentary": body["commentary"], "alts": list(post.alts),
                "content": body.get("content"), "visibility": body["visibility"], "key": _key(post),
            }
        )  # fmt: skip
        return Answer(201, headers={"x-restli-id": post.urn})

    def _comment(self, request: Request, urn: str) -> Answer:
        if not self.comments:
            raise plain(403, "ACCESS_DENIED", "Not enough permissions to access: "
                        "partnerApiSocialActions.CREATE", 100)  # fmt: skip
        post = self.state.found(urn)
        fields = {"actor", "object", "message"}
        body = only(request.json, fields, fields)
        message = only(body["message"], {"text"}, {"text"}, "/message")
        if (body["actor"], body["object"]) != (self.state.author, urn):
            raise wrong("INVALID_VALUE_FOR_FIELD", "not this actor or object", "/actor")
        if not message["text"].strip() or len(message["text"]) > 1250:
            raise wrong("FIELD_LENGTH_TOO_LONG", "1 to 1250 characters", "/message/text")
        post.comments.append(message["text"])
        number = str(self.state.new_number())
        named = f"urn:li:comment:({urn},{number})"
        self.ledger.append(
            {"id": named, "at": self.clock(), "parent": urn, "text": message["text"]}
        )
        answer = {"id": number, "object": urn, "commentUrn": named, "message": message}
        return Answer(201, answer, {"x-restli-id": number})

    def _delete(self, request: Request, urn: str) -> Answer:
        if not re.fullmatch(r"urn:li:(share|ugcPost):\d+", urn):
            raise wrong("INVALID_URN_TYPE", f"{urn} is no share or ugcPost")
        if urn in self.state.posts:
            self.state.posts[urn].deleted = True
        return Answer(204)

    def _list(self, request: Request) -> Answer:
        self._need("r_organization_social" if self.page else "r_member_social", "posts.FINDER")
        query = request.query
        if query.keys() != {"author", "q", "count", "sortBy"} or query["q"] != "author":
            raise plain(400, "BAD_REQUEST", "author, q, count and sortBy are expected")
        count = int(query["count"])
        if query["author"] != self.state.author or not 0 < count <= 100:
            raise plain(400, "BAD_REQUEST", "not this author, or too many")
        ripe = self.clock() - self.lag
        rows = [p for p in self.state.posts.values() if not p.deleted and p.at <= ripe]
        newest = sorted(rows, key=lambda post: post.at, reverse=True)[:count]
        paging = {"start": 0, "count": count, "links": []}
        return Answer(200, {"paging": paging, "elements": [_row(post) for post in newest]})

    def _introspect(self, request: Request) -> Answer:
        form = {name: value.decode() for name, (_, value) in request.form.items()}
        if form.pop("token", "") != self.token or form != CLIENT:
            return Answer(200, {"active": False})
        end = self.clock() // 10**9 + 30 * 86400
        return Answer(
            200, {"active": True, "status": "active", "expires_at": end, "scope": self.scopes}
        )

    def _token(self, request: Request) -> Answer:
        """Only approved partners can renew; the refresh token stays the same."""
        form = {name: value.decode() for name, (_, value) in request.form.items()}
        wanted = {"grant_type": "refresh_token", "refresh_token": REFRESH_TOKEN, **CLIENT}
        if form != wanted:
            words = {"error": "invalid_grant", "error_description": "The token is not valid"}
            return Answer(400, words)
        self.token = f"{TOKEN}{len(self.requests)}"
        self.uploads.token = self.token
        lives = {"expires_in": 5184000, "refresh_token_expires_in": 31536000}
        return Answer(200, {"access_token": self.token, "refresh_token": REFRESH_TOKEN, **lives})


def _key(post: Post) -> str:
    return sha256(json.dumps(post.body, sort_keys=True).encode()).hexdigest()


def _row(post: Post) -> dict[str, Any]:
    millis = post.at // 10**6
    times = dict.fromkeys(("createdAt", "publishedAt", "lastModifiedAt"), millis)
    return {**post.body, **times, "id": post.urn}


URN = r"(urn%3A[A-Za-z0-9_%.-]+)"
ROUTES: tuple[tuple[str, str, str | None, Callable[..., Answer]], ...] = (
    ("POST", "/rest/posts", None, LinkedInServer._publish),
    ("GET", "/rest/posts", "FINDER", LinkedInServer._list),
    ("DELETE", f"/rest/posts/{URN}", "DELETE", LinkedInServer._delete),
    ("POST", f"/rest/socialActions/{URN}/comments", None, LinkedInServer._comment),
    ("POST", "/rest/(image|document|video)s", None, LinkedInServer._initialize),
    ("GET", f"/rest/(image|document|video)s/{URN}", None, LinkedInServer._look),
    ("PUT", r"/dms-uploads/(\d+)/(\d+)", None, LinkedInServer._put),
    ("GET", "/v2/userinfo", None, LinkedInServer._who),
    ("POST", "/oauth/v2/accessToken", None, LinkedInServer._token),
    ("POST", "/oauth/v2/introspectToken", None, LinkedInServer._introspect),
)
"""Method, path, the Rest.li method it must name, and what answers it."""
