"""preview: what it says of posts, that it writes nothing, and what it ends with."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from postsched.cli.looks.networks import LOOKS
from postsched.testing.picture import png
from tests.cli.posting import Posting
from tests.cli.previewing import COLOURS, move_in, ours

STEP = {
    "n", "text", "sent", "length", "limit", "unit", "bytes", "byte_limit", "over_at", "cuts",
    "media", "link_card",
}  # fmt: skip
ACCOUNT = {
    "account", "platform", "fits", "parts", "comment", "title", "warning", "visibility", "lang",
    "dropped", "findings",
}  # fmt: skip
LATER = "2030-05-01 09:00"


@pytest.fixture
def everywhere(cli: Posting, monkeypatch: pytest.MonkeyPatch) -> Posting:
    """A person with an account on every network, and a picture."""
    move_in(cli)
    (cli.call.home / "cat.png").write_bytes(png(48, 32))
    monkeypatch.chdir(cli.call.home)
    return cli


def one(cli: Posting, *words: str, code: int = 0) -> Any:
    """The JSON of the only account."""
    document = cli.json("preview", *words, code=code)
    (account,) = document["accounts"]
    assert document["fits"] == (code == 0)
    assert account.keys() == ACCOUNT
    for step in (*account["parts"], *filter(None, [account["comment"]])):
        assert step.keys() == STEP
    return account


def test_every_member_is_there(everywhere: Posting) -> None:
    account = one(
        everywhere, "See *this*\n---\nand that", "--to", "linkedin", "--link",
        "https://example.com/a", "--title", "T", "--comment", "c", "--lang", "en", code=2,
    )  # fmt: skip
    first, second = account["parts"]
    assert first == {
        "n": 1, "text": "See *this*", "sent": r"See \*this\*", "length": 12, "limit": 3000,
        "unit": "code points", "bytes": 10, "byte_limit": None, "over_at": None, "cuts": [],
        "media": [], "link_card": {"url": "https://example.com/a", "by": "us"},
    }  # fmt: skip
    assert (second["n"], second["text"], second["link_card"]) == (2, "and that", None)
    assert account["comment"]["limit"] == 1250
    assert (account["title"], account["lang"]) == ("T", None)
    assert [one["field"] for one in account["findings"]] == ["then"]
    assert [one["field"] for one in account["dropped"]] == ["lang"]


def test_media_have_a_verdict(everywhere: Posting) -> None:
    words = ("Look", "--media", "cat.png", "--alt", "A cat", "--to")
    (medium,) = one(everywhere, *words, "bluesky")["parts"][0]["media"]
    path = str(Path.cwd() / "cat.png")
    assert medium == {
        "path": path, "url": None, "alt": "A cat", "type": "image/png", "bytes": len(png(48, 32)),
        "width": 48, "height": 32, "verdict": "as is", "message": None,
    }  # fmt: skip
    account = one(everywhere, *words, "threads", code=2)
    (medium,) = account["parts"][0]["media"]
    assert medium["verdict"] == "refused"
    assert "fetches media itself" in medium["message"]
    assert path not in medium["message"]
    (medium,) = one(everywhere, "x", "--media", "https://example.com/a.jpg", "--to", "threads")[
        "parts"
    ][0]["media"]
    assert medium["verdict"] == "fetched"


def test_a_file_that_is_not_there_is_refused_and_the_rest_is_shown(everywhere: Posting) -> None:
    account = one(everywhere, "Look", "--media", "dog.png", "--to", "x", code=2)
    (medium,) = account["parts"][0]["media"]
    assert (medium["verdict"], medium["path"]) == ("refused", str(Path.cwd() / "dog.png"))
    assert [finding["field"] for finding in account["findings"]] == ["media"]
    assert "there is no file" in account["findings"][0]["message"]
    shown = everywhere("preview", "Look", "--media", "dog.png", "--to", "x", code=2).out
    assert "✗ refused: there is no file" in shown
    assert "4/280" in shown


def test_a_text_that_is_too_long_is_marked_and_parted(everywhere: Posting) -> None:
    text = "A sentence of words. " * 20
    (part,) = one(everywhere, text, "--to", "bluesky", code=2)["parts"]
    assert (part["length"], part["limit"], part["over_at"]) == (419, 300, 300)
    (cut,) = part["cuts"]
    assert part["text"][:cut].endswith("words. ")
    shown = everywhere("preview", text, "--to", "bluesky", code=2).out
    assert "limit: 300 graphemes" in shown
    assert "2 parts would fit" in shown
    parted = f"{text[:cut]}\n---\n{text[cut:]}"
    assert len(one(everywhere, parted, "--to", "bluesky")["parts"]) == 2
    assert not one(everywhere, "word " * 900, "--to", "linkedin", code=2)["parts"][0]["cuts"]


@pytest.mark.sqlite
def test_it_writes_nothing(everywhere: Posting) -> None:
    before = everywhere.call.database.read_bytes()
    there = sorted(everywhere.call.home.rglob("*"))
    everywhere("preview", "x", "--media", "cat.png", "--to", "x,bluesky", "--at", LATER)
    everywhere("preview", "x" * 900, "--to", "x", "--key", "k", code=2)
    assert everywhere.count("posts") == 0
    assert everywhere.call.database.read_bytes() == before
    left = {path.suffix for path in sorted(everywhere.call.home.rglob("*")) if path not in there}
    assert left <= {".db-wal", ".db-shm"}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("x", "--to", "nobody"), 3, "there is no account or group 'nobody'"),
        (("x",), 2, "which account"),
        (("--to", "x"), 2, "there is no text"),
        (("x", "--file", "a.md", "--to", "x"), 2, "a text and a --file"),
        (("x", "--to", "x", "--for", "me=y"), 2, "does not go there"),
        (("x", "--to", "x", "--link", "nowhere"), 2, "no web address"),
        (("x", "--to", "x", "--media", "ftp"), 2, None),
    ],
)
def test_what_cant_be_shown(
    everywhere: Posting, words: tuple[str, ...], code: int, said: str | None
) -> None:
    answer = everywhere.call("preview", *words)
    assert answer.code == code
    assert (said or "there is no file") in answer.err + answer.out
    assert "Traceback" not in answer.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--at", "2020-01-01 09:00"), "is past"),
        (("--at", "gestern"), "not understood"),
        (("--grace", "soon"), "grace"),
        (("--key", ""), "--key is empty"),
        (("--key", "k" * 201), "a key has"),
    ],
)
def test_what_add_would_refuse_anywhere_is_refused(
    everywhere: Posting, words: tuple[str, ...], said: str
) -> None:
    answer = everywhere.call("preview", "Hello", "--to", "x", *words)
    answer.refused(2, said)
    refused_by_add = everywhere.call("add", "Hello", "--to", "x", "--draft", *words)
    assert (refused_by_add.code, refused_by_add.err) == (2, answer.err)


def test_the_time_is_said_where_there_is_one(everywhere: Posting) -> None:
    document = everywhere.json("preview", "x", "--to", "x", "--at", LATER, "--tz", "Europe/Berlin")
    assert document["at"] == "2030-05-01T07:00:00Z"
    assert document["error"] is None
    shown = everywhere("preview", "x", "--to", "x", "--at", LATER, "--tz", "Europe/Berlin").out
    assert "goes out Wed 1 May 2030, 09:00 CEST" in shown
    everywhere("add", "x", "--to", "x", "--at", LATER, "--key", "k")
    document = everywhere.json("preview", "x", "--to", "x", "--at", LATER, "--key", "k")
    assert "post 1 is there already" in document["notes"][0]


def test_a_file_and_stdin_are_read_as_by_add(everywhere: Posting) -> None:
    Path("post.md").write_text(
        "---\nto: x\nlink: https://example.com/a\n---\n\nOne\n\n---\n\nTwo\n"
    )
    account = one(everywhere, "--file", "post.md")
    assert [part["text"] for part in account["parts"]] == ["One\n\nhttps://example.com/a", "Two"]
    document = everywhere.json("preview", "-", "--to", "x", stdin="From stdin\n")
    assert document["accounts"][0]["parts"][0]["text"] == "From stdin"


def test_nobody_is_asked_and_no_key_is_used(everywhere: Posting) -> None:
    everywhere.call.set(PYTHON_KEYRING_BACKEND="keyring.backends.fail.Keyring")
    names = ",".join(ours())
    document = everywhere.json(
        "preview",
        "Hello @maria.bsky.social",
        "--to",
        names,
        "--link",
        "https://example.com",
        code=2,
    )
    assert [account["platform"] for account in document["accounts"]] == ours()
    refused = [one["platform"] for one in document["accounts"] if not one["fits"]]
    assert refused == ["instagram"]


def test_it_says_what_add_says(everywhere: Posting) -> None:
    words = ("Two\n---\nparts", "--title", "T", "--lang", "en", "--to", "discord,mastodon,x")
    document = everywhere.json("preview", *words)
    dropped = [one["message"] for account in document["accounts"] for one in account["dropped"]]
    assert len(dropped) == 6
    added = everywhere("add", *words, "--at", LATER)
    assert added.err.splitlines() == [f"note: {sentence}" for sentence in dropped]
    edited = everywhere("edit", "1", "--at", "2030-05-02 09:00")
    assert edited.err.splitlines() == added.err.splitlines()
    row = {"text": words[0], "title": "T", "lang": "en", "to": words[-1], "at": LATER}
    rows = "".join(json.dumps({**row, "key": f"{n}"}) + "\n" for n in range(3))
    imported = everywhere("import", "-", "--format", "jsonl", stdin=rows)
    assert sorted(imported.err.splitlines()) == sorted(added.err.splitlines())


@pytest.mark.parametrize("width", [40, 80, 120])
def test_the_frame_is_straight_whatever_is_in_it(everywhere: Posting, width: int) -> None:
    everywhere.call.set(COLUMNS=str(width))
    text = (
        "日本語のテキスト 👨‍👩‍👧‍👦🇩🇪 שלום עולם \u202eRLO\u2069 e\u0301 \t\x1b[2J\x07 " * 9
        + "x" * 200
    )
    shown = everywhere(
        "preview", text, "--to", ",".join(ours()), "--media", "cat.png", "--alt", text[:900],
        "--comment", "c", "--warning", "nudity", "--then", "next", "--tag", "a", code=2,
    ).out  # fmt: skip
    assert "\x1b" not in shown
    assert "\x07" not in shown
    framed = [line for line in shown.splitlines() if line[:1] in "╭│├╰"]
    assert len(framed) > 100
    assert {cell_len(re.sub("[\u2066\u2069]", "", line)) for line in framed} == {width}


def test_colour_is_for_terminals(everywhere: Posting) -> None:
    words = ("preview", "Hello #tag", "--to", "bluesky", "--media", "cat.png")
    everywhere.call.set(**COLOURS)
    assert "▀" in everywhere.call.terminal(*words).out
    everywhere.call.set(NO_COLOR="1")
    plain = everywhere.call.terminal(*words).out
    assert "\x1b" not in plain
    assert "▀" not in plain


def test_where_the_encoding_has_no_lines(everywhere: Posting) -> None:
    everywhere.call.set(PYTHONIOENCODING="ascii")
    answer = everywhere.call.process("preview", "Hello", "--to", "x")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith("+- X ")
    assert "\\" not in answer.out


def test_every_network_of_ours_has_a_look() -> None:
    assert set(LOOKS) >= set(ours())


def test_a_series_is_shown_by_its_first(cli: Posting) -> None:
    words = ("x {{n}}", "--cron", "0 9 * * *", "--from", "2030-05-01", "--tz", "UTC")
    found = cli.json("preview", *words, "--except", "2031-01-01T08:00")
    assert found["at"] == "2030-05-01T09:00:00Z"
    assert found["notes"][0] == "Except 2031-01-01T08:00:00 names nothing of it"
    assert found["notes"][1].startswith("the series is every day at 09:00 UTC")
    assert "first Wed 1 May 2030, 09:00 UTC" in cli("add", *words, "--draft").out
