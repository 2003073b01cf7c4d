"""A strict Facebook on loopback, from the fact sheet.

It keeps two Pages of one person. Photos by an address whose name has "missing" in it can't be
fetched. What equals the post before is refused, and so is a photo that a post shows already.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from postsched.testing import facebook_posts as rules
from postsched.testing.facebook_login import FacebookLogin, PageRow
from postsched.testing.facebook_posts import PIECE, Film, Photo, Post
from postsched.testing.graph import Refusal, invalid, known
from postsched.testing.graph_server import GraphServer, Route, iso
from postsched.testing.network import Seen
from postsched.testing.wire import Answer

PAGE, NAME = "20500000000000001", "The Bakery"
OTHER, OTHER_NAME = "20500000000000002", "The Mill"
FEED = {"message", "link", "attached_media", "published", "fields", "access_token"}
PHOTO = {"url", "published", "alt_text_custom", "caption", "access_token"}
FILM = {"file_url", "description", "title", "upload_phase", "upload_session_id", "file_size",
        "start_offset", "access_token"}  # fmt: skip


class FacebookServer(GraphServer):
    """See the module. `since` says whether the list of posts heeds it: yes, ignored or refused;
    `delay` is the seconds after which a post is in the list; `bearer` whether tokens are taken
    from the header."""

    publishing: ClassVar[tuple[str, str]] = ("POST", rf"/v26\.0/{PAGE}/feed")
    first_id: ClassVar[int] = 122_000_000_000_000_000
    tokens: FacebookLogin

    def __init__(
        self, *, since: str = "yes", delay: float | str = 0, bearer: str = "yes", **more: Any
    ) -> None:
        super().__init__(**more)
        pages = PageRow(PAGE, NAME), PageRow(OTHER, OTHER_NAME)
        self.tokens = FacebookLogin(self.clock, *pages, in_header=bearer == "yes")
        self.since, self.delay = since, float(delay)
        self.out: dict[str, Post] = {}
        self.photos: dict[str, Photo] = {}
        self.films: dict[str, Film] = {}
        self.comments: dict[str, tuple[str, str, int]] = {}

    def posts(self) -> list[Seen]:
        """What is out, oldest first: posts, then films."""
        films = [film for film in self.films.values() if film.at is not None]
        return [
            Seen(post.id, post.content[0], None, tuple(photo.alt for photo in post.photos))
            for post in self.out.values()
        ] + [Seen(film.id, film.form.get("description", "")) for film in films]

    def put(self, text: str, at: int | None = None, *photos: Photo) -> Post:
        """Have a post out that somebody made elsewhere."""
        form = {"message": text} if text else {}
        number = f"{PAGE}_{self.new_id()}"
        post = Post(number, self.clock() if at is None else at, form, photos)
        for photo in photos:
            photo.post = number
        self.out[number] = post
        return post

    # Who

    def _me(self, given: Mapping[str, str]) -> Answer:
        return self.tokens.me(given)

    def _accounts(self, given: Mapping[str, str]) -> Answer:
        return self.tokens.accounts(given, f"{self.url}/v26.0/me/accounts")

    def _debug(self, given: Mapping[str, str]) -> Answer:
        return self.tokens.about(given)

    def _authorize(self, given: Mapping[str, str]) -> Answer:
        return self.tokens.authorize(given)

    def _token(self, given: Mapping[str, str]) -> Answer:
        return self.tokens.token(given)

    def _own(self, given: Mapping[str, str], page: str) -> None:
        if self.tokens.page(given["access_token"]).id != page:
            raise Refusal(200, None, "(#200) This token is of another Page", 403)

    # Posts

    def _feed(self, given: Mapping[str, str], page: str) -> Answer:
        self._own(given, page)
        known(given, FEED)
        photos = rules.attached(given, self.photos)
        last = next(reversed(self.out.values()), None)
        rules.check_post(given, photos, last)
        post = self.put(given.get("message", ""), None, *photos)
        hidden = ("access_token", "fields")
        form = {name: value for name, value in given.items() if name not in hidden}
        self.out[post.id] = post = Post(post.id, post.at, form, photos)
        self.ledger.append({"id": post.id, "at": post.at, **form})
        return Answer(200, post.row(set(given.get("fields", "id").split(",")) | {"id"}))

    def _photo(self, given: Mapping[str, str], page: str) -> Answer:
        self._own(given, page)
        known(given, PHOTO)
        rules.check_photo(given, self.files.get("source"))
        photo = Photo(self.new_id(), given.get("alt_text_custom", ""))
        self.photos[photo.id] = photo
        if given.get("published") == "false":
            return Answer(200, {"id": photo.id})
        post = self.put(given.get("caption", ""), None, photo)
        return Answer(200, {"id": photo.id, "post_id": post.id})

    def _list(self, given: Mapping[str, str], page: str) -> Answer:
        self._own(given, page)
        known(given, {"fields", "limit", "after", "access_token"}
              | ({"since"} if self.since != "refused" else set()))  # fmt: skip
        since = int(given.get("since", "0")) * 10**9 if self.since == "yes" else 0
        found = [
            post for post in sorted(self.out.values(), key=lambda post: -post.at)
            if post.at >= since and self.clock() - post.at >= self.delay * 10**9
        ]  # fmt: skip
        first, size = int(given.get("after", "0")), int(given.get("limit", "25"))
        fields = {name.partition("{")[0] for name in given.get("fields", "id").split(",")}
        body: dict[str, Any] = {"data": [p.row(fields) for p in found[first : first + size]]}
        if found[first + size :]:
            after = str(first + size)
            body["paging"] = {"cursors": {"after": after}, "next": f"{self.url}/?after={after}"}
        return Answer(200, body)

    def _node(self, given: Mapping[str, str], number: str) -> Answer:
        known(given, {"fields", "access_token"})
        fields = set(given.get("fields", "id").split(","))
        if film := self.films.get(number):
            if fields - {"id", "status"}:
                raise invalid(f"Tried accessing nonexisting field {fields}")
            return Answer(200, {"id": number, "status": film.status()})
        if post := self.out.get(number):
            return Answer(200, post.row(fields))
        raise _gone(number)

    def _delete(self, given: Mapping[str, str], number: str) -> Answer:
        if self.out.pop(number, None) is None and self.films.pop(number, None) is None:
            raise _gone(number)
        return Answer(200, {"success": True})

    # Films

    def _video(self, given: Mapping[str, str], page: str) -> Answer:
        self._own(given, page)
        known(given, FILM)
        phase = given.get("upload_phase")
        if phase is None:
            return self._whole_film(given)
        if phase == "start":
            number = self.new_id()
            film = Film(number, f"session{number}", int(given["file_size"]))
            self.films[number] = film
            return Answer(200, {"video_id": number, "upload_session_id": film.session,
                                **_wanted(film)})  # fmt: skip
        film = self._film_of(given)
        if phase == "transfer":
            piece = self.files.get("video_file_chunk", b"")
            if int(given.get("start_offset", "-1")) != len(film.content) or not piece:
                raise Refusal(6000, 1363037, "There was a problem uploading your video file")
            film.content += piece[:PIECE]
            return Answer(200, _wanted(film))
        if phase != "finish" or len(film.content) != film.size or film.at is not None:
            raise Refusal(6000, 1363019, "There was a problem uploading your video file")
        self._publish(film, given)
        return Answer(200, {"success": True})

    def _whole_film(self, given: Mapping[str, str]) -> Answer:
        content = self.files.get("source")
        if (content is None) is ("file_url" not in given) or content == b"":
            raise Refusal(100, 1363030, "There must be one of source and file_url")
        film = Film(self.new_id(), "", len(content or b""), content or b"")
        self.films[film.id] = film
        self._publish(film, given)
        return Answer(200, {"id": film.id})

    def _publish(self, film: Film, given: Mapping[str, str]) -> None:
        film.form = {n: v for n, v in given.items() if n in ("description", "title", "file_url")}
        film.at = self.clock()
        self.ledger.append({"id": film.id, "at": film.at, **film.form})

    def _film_of(self, given: Mapping[str, str]) -> Film:
        for film in self.films.values():
            if film.session and film.session == given.get("upload_session_id"):
                return film
        raise Refusal(6000, 1363033, "The upload session is not known")

    # Comments

    def _comment(self, given: Mapping[str, str], number: str) -> Answer:
        known(given, {"message", "access_token"})
        there = number in self.out or number in self.films
        if not there or not given.get("message", "").strip():
            raise invalid("message, or the post")
        comment = f"{number.rpartition('_')[2]}_{self.new_id()}"
        self.comments[comment] = (number, given["message"], self.clock())
        return Answer(200, {"id": comment})

    def _comments(self, given: Mapping[str, str], number: str) -> Answer:
        known(given, {"fields", "access_token"})
        author = {"id": PAGE, "name": NAME}
        rows = [
            {"id": one, "message": text, "created_time": iso(at), "from": author}
            for one, (post, text, at) in self.comments.items() if post == number
        ]  # fmt: skip
        return Answer(200, {"data": rows})

    routes: ClassVar[tuple[Route, ...]] = (
        ("GET", r"/v26\.0/me", True, _me),
        ("GET", r"/v26\.0/me/accounts", True, _accounts),
        ("GET", r"/v26\.0/debug_token", False, _debug),
        ("GET", r"/v26\.0/dialog/oauth", False, _authorize),
        ("GET", r"/v26\.0/oauth/access_token", False, _token),
        ("POST", r"/v26\.0/(\d+)/feed", True, _feed),
        ("POST", r"/v26\.0/(\d+)/photos", True, _photo),
        ("POST", r"/v26\.0/(\d+)/videos", True, _video),
        ("GET", r"/v26\.0/(\d+)/published_posts", True, _list),
        ("POST", r"/v26\.0/([\d_]+)/comments", True, _comment),
        ("GET", r"/v26\.0/([\d_]+)/comments", True, _comments),
        ("GET", r"/v26\.0/([\d_]+)", True, _node),
        ("DELETE", r"/v26\.0/([\d_]+)", True, _delete),
    )


def _wanted(film: Film) -> dict[str, str]:
    """Which bytes of a film come next."""
    there = len(film.content)
    return {"start_offset": str(there), "end_offset": str(min(film.size, there + PIECE))}


def _gone(number: str) -> Refusal:
    return Refusal(100, 33, f"Unsupported request. Object with ID '{number}' does not exist, "
                   "cannot be loaded due to missing permissions")  # fmt: skip
