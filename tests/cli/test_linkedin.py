"""LinkedIn through the command line, from the account to the post's end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from postsched.testing import Fault, FaultKind
from postsched.testing.linkedin import NAME, ORGANIZATION, TOKEN, LinkedInServer
from postsched.testing.picture import png
from tests.cli.posting import Posting
from tests.platforms.linkedin.playing import PDF

QUICK = {"POSTSCHED_RETRY_DELAY": "1s"}
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("quick")]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in QUICK.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def server() -> Iterator[LinkedInServer]:
    with LinkedInServer(reads_media=True) as running:
        yield running


@pytest.fixture
def page() -> Iterator[LinkedInServer]:
    with LinkedInServer(page=True) as running:
        yield running


def connect(cli: Posting, server: LinkedInServer, *more: str) -> None:
    words = ("account", "add", "work", "--platform", "linkedin", "--url", server.url)
    cli(*words, "--token-stdin", *more, stdin=TOKEN)


def test_a_post_with_a_picture_and_a_comment(
    cli: Posting, server: LinkedInServer, tmp_path: Path
) -> None:
    connect(cli, server)
    (account,) = [one for one in cli.json("account", "list") if one["name"] == "work"]
    assert (account["platform"], account["user"]) == ("linkedin", NAME)
    image = tmp_path / "a.png"
    image.write_bytes(png())
    cli(
        "add", "Look (here) #tag", "--to", "work", "--at", "now", "--media", str(image),
        "--alt", "A square", "--comment", "More (below)",
    )  # fmt: skip
    cli("run", "--until-idle", "--no-live")
    (delivery,) = cli.json("show", "1")["deliveries"]
    (post,) = server.posts()
    assert (delivery["status"], delivery["remote_id"]) == ("published", post.remote_id)
    assert delivery["url"] == f"https://www.linkedin.com/feed/update/{post.remote_id}/"
    assert (post.text, post.alts) == ("Look (here) #tag", ("A square",))
    assert server.state.posts[post.remote_id].comments == ["More (below)"]
    assert len(delivery["parts"]) >= 1
    assert post.remote_id in cli("show", "1").out
    cli("delete", "1", "--yes")
    assert not server.posts()


def test_a_page_with_a_document(cli: Posting, page: LinkedInServer, tmp_path: Path) -> None:
    connect(cli, page, "--user", "5515715")
    (tmp_path / "report.pdf").write_bytes(PDF)
    cli("add", "Read", "--to", "work", "--at", "now", "--media", str(tmp_path / "report.pdf"))
    cli("run", "--until-idle", "--no-live")
    (post,) = page.state.posts.values()
    assert post.body["author"] == ORGANIZATION
    assert post.body["content"]["media"]["title"] == "report.pdf"


@pytest.mark.parametrize("fault", [FaultKind.RESET, FaultKind.RESET_AFTER])
def test_a_lost_answer_is_settled_by_sending_again(
    cli: Posting, server: LinkedInServer, fault: FaultKind
) -> None:
    connect(cli, server)
    server.program_publishing(Fault(fault))
    cli("add", "Once", "--to", "work", "--at", "now")
    cli("run", "--until-idle", "--no-live")
    (delivery,) = cli.json("show", "1")["deliveries"]
    (post,) = server.posts()
    assert (delivery["status"], delivery["remote_id"]) == ("published", post.remote_id)


@pytest.mark.slow
@pytest.mark.parametrize("fault", [FaultKind.RESET_AFTER])
def test_a_pages_lost_answer_is_looked_up(
    cli: Posting, page: LinkedInServer, fault: FaultKind
) -> None:
    connect(cli, page, "--user", ORGANIZATION)
    page.program_publishing(Fault(fault))
    cli("add", "Once", "--to", "work", "--at", "now")
    cli("run", "--until-idle", "--no-live")
    (delivery,) = cli.json("show", "1")["deliveries"]
    assert delivery["status"] == "published"
    assert len(page.published_requests()) == 1


def test_the_same_again_is_a_duplicate(cli: Posting, server: LinkedInServer) -> None:
    connect(cli, server)
    cli("add", "Once", "--to", "work", "--at", "now")
    cli("publish-due")
    cli("add", "Once", "--to", "work", "--at", "now", "--key", "again")
    cli("publish-due", code=1)
    (delivery,) = cli.json("show", "2")["deliveries"]
    assert (delivery["status"], delivery["error"]["kind"]) == ("failed", "duplicate")
    assert delivery["error"]["http_status"] == 422
    assert len(server.posts()) == 1


@pytest.mark.slow
def test_a_duplicate_whose_answer_is_lost_is_not_the_other(
    cli: Posting, server: LinkedInServer
) -> None:
    """LinkedIn refuses it for the first post, a moment old: that is not this one."""
    connect(cli, server)
    cli("add", "Once", "--to", "work", "--at", "now")
    cli("publish-due")
    server.program_publishing(Fault(FaultKind.RESET_AFTER))
    cli("add", "Once", "--to", "work", "--at", "now", "--key", "again")
    cli("run", "--until-idle", "--no-live", code=1)
    (delivery,) = cli.json("show", "2")["deliveries"]
    assert (delivery["status"], delivery["error"]["kind"]) == ("failed", "duplicate")


def test_after_a_deletion_a_person_decides(cli: Posting, server: LinkedInServer) -> None:
    """LinkedIn refuses with the URN of a post that does not exist."""
    connect(cli, server)
    cli("add", "Once", "--to", "work", "--at", "now")
    cli("publish-due")
    cli("delete", "1", "--yes")
    server.program_publishing(Fault(FaultKind.RESET_AFTER))
    cli("add", "Once", "--to", "work", "--at", "now", "--key", "again")
    cli("publish-due")
    (delivery,) = cli.json("show", "2")["deliveries"]
    assert delivery["status"] == "confirming"
    cli.set_delivery(2, next_at=0)
    cli("publish-due", code=1)
    (delivery,) = cli.json("show", "2")["deliveries"]
    assert delivery["status"] == "unconfirmed"
    assert "an equal one was deleted lately" in delivery["error"]["message"]
    assert not server.posts()


def test_a_comment_that_is_not_allowed(cli: Posting, server: LinkedInServer) -> None:
    connect(cli, server)
    server.comments = False
    cli("add", "Post", "--to", "work", "--at", "now", "--comment", "First")
    cli("publish-due", code=1)
    (delivery,) = cli.json("show", "1")["deliveries"]
    assert (delivery["status"], delivery["error"]["http_status"]) == ("failed", 403)
    assert delivery["remote_id"] == server.posts()[0].remote_id


def test_a_lost_comment_is_left_to_a_person(cli: Posting, server: LinkedInServer) -> None:
    connect(cli, server)
    server.program(Fault(FaultKind.RESET_AFTER), "POST", "/rest/socialActions/.*")
    cli("add", "Post", "--to", "work", "--at", "now", "--comment", "First")
    cli("run", "--until-idle", "--no-live", code=1)
    (delivery,) = cli.json("show", "1")["deliveries"]
    (post,) = server.state.posts.values()
    assert (delivery["status"], delivery["remote_id"]) == ("unconfirmed", post.urn)
    assert post.comments == ["First"]
    cli("resolve", "1", "published")
    assert cli.json("show", "1")["status"] == "published"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("x", "--then", "y"), "there are no threads"),
        (("(" * 1501,), "3,002 code points"),
        (("x", "--comment", "y" * 1251), "1,251 code points"),
        (("x", "--visibility", "unlisted"), "unlisted can't be chosen"),
        (("x", "--warning", "food"), "content warning"),
    ],
)
def test_what_can_not_be_is_refused_at_once(
    cli: Posting, server: LinkedInServer, words: tuple[str, ...], said: str
) -> None:
    connect(cli, server)
    assert said in cli.refused(2, "add", *words, "--to", "work", "--in", "1h")


@pytest.mark.slow  # a new token may be refused for some seconds: it is tried again
def test_a_token_that_is_refused(cli: Posting, server: LinkedInServer) -> None:
    words = ("account", "add", "work", "--platform", "linkedin", "--url", server.url)
    said = cli.refused(1, *words, "--token-stdin", stdin="AQXsomethingelse")
    assert "LinkedIn refuses the login of work" in said
    assert "60 days" in said
