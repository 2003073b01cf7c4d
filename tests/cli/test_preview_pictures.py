"""What `preview` shows of posts on every network, compared with the pictures in tests/golden/.

    pytest tests/cli/test_preview_pictures.py --renew-golden      writes them anew

Look at them then, and at what git says has changed.
"""

from __future__ import annotations

import difflib
import re
from pathlib import Path

import pytest
from rich.text import Text

from postsched.testing.picture import png
from tests.cli.posting import Posting
from tests.cli.previewing import COLOURS, move_in, ours

pytestmark = pytest.mark.slow

GOLDEN = Path(__file__).parents[1] / "golden" / "preview"
ADDRESS = "https://media.example/cat.jpg"
FETCHING = {"instagram", "threads"}
"""They take media by address only."""
THREAD = (
    "Fresh bread from @maria.bsky.social today: see https://www.example.org/shop/bread/rye?size=2"
    " for **rye** (500_g) #bread #rye\n---\n"
    "Und ein zweiter Teil: 日本語のテキスト, שלום עולם, 👨‍👩‍👧‍👦."
)
WISHES = ("--link", "https://example.com/news", "--title", "Bread", "--lang", "en",
          "--comment", "First come, first served", "--tag", "bread")  # fmt: skip
CARD = ("A card: *see*", "--link", "https://example.com/news", "--title", "News",
        "--visibility", "public")  # fmt: skip
SENTENCE = "This sentence is here to make the text too long for its network. "


def long_text(name: str) -> str:
    """A text that is too long there, by a little."""
    limits = {"outbox": 200, "linkedin": 3000, "telegram": 4096, "discord": 2000,
              "instagram": 2200, "facebook": 63_206}  # fmt: skip
    return SENTENCE * (limits.get(name, 500) // len(SENTENCE) + 1) + "https://example.com/a/b"


@pytest.fixture
def shown(cli: Posting, monkeypatch: pytest.MonkeyPatch) -> Posting:
    """A person with all accounts, and pictures beside them."""
    move_in(cli)
    (cli.call.home / "cat.png").write_bytes(png(48, 32))
    monkeypatch.chdir(cli.call.home)
    cli.call.set(COLUMNS="80")
    return cli


def pictures(cli: Posting, name: str) -> str:
    """A thread with everything, a link card, and a text that is too long."""
    medium = ADDRESS if name in FETCHING else "cat.png"
    first = cli.call("preview", THREAD, "--to", name, "--media", medium, "--alt", "A loaf", *WISHES)
    card = cli.call("preview", *CARD, "--to", name)
    long = cli.call("preview", long_text(name), "--to", name, "--media", medium)
    for answer in (first, card, long):
        assert answer.code in (0, 2), answer
        assert not answer.err
    return "\n".join(answer.out for answer in (first, card, long))


def compare(made: str, file: Path, renew: bool) -> None:
    """Fail with the difference, or write the picture anew."""
    if renew:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(made, encoding="utf-8")
    there = file.read_text(encoding="utf-8") if file.exists() else ""
    changes = list(difflib.unified_diff(there.splitlines(), made.splitlines(), str(file), "now",
                                        lineterm=""))  # fmt: skip
    assert not changes, "\n".join([*changes, "Renew it with: pytest --renew-golden"])


@pytest.mark.parametrize("name", ours())
def test_a_post_looks_as_it_did(shown: Posting, name: str, request: pytest.FixtureRequest) -> None:
    made = pictures(shown, name)
    assert max(map(len, made.splitlines())) <= 80
    compare(made, GOLDEN / f"{name}.txt", request.config.getoption("--renew-golden"))


@pytest.mark.parametrize("name", ["bluesky", "discord"])
def test_it_has_the_colours_that_it_had(
    shown: Posting, name: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As escape sequences, for `cat`; compared by what they mean, whatever rich writes."""
    shown.call.set(**COLOURS)
    monkeypatch.delenv("NO_COLOR", raising=False)
    answer = shown.call.terminal("preview", THREAD, "--to", name, "--media", "cat.png", *WISHES)
    file, made = GOLDEN / f"{name}.ansi", answer.out
    if request.config.getoption("--renew-golden"):
        file.write_text(made, encoding="utf-8")
    assert "▀" in made, "there is no picture"
    difference = difflib.unified_diff(
        styled(file.read_text(encoding="utf-8")), styled(made), str(file), "now", lineterm=""
    )
    assert not (changes := list(difference)), "\n".join(changes)


def styled(text: str) -> list[str]:
    """Each line with its styles in words."""
    return [Text.from_ansi(re.sub(r"\x1b\[[0-9]+G", "", line)).markup for line in text.splitlines()]
