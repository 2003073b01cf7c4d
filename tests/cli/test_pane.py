"""The block at the bottom of a terminal, seen on one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.text import Text

from postsched.cli.pane import Pane
from tests.cli.terminal import Terminal


class Drawing:
    """A pane on a terminal."""

    def __init__(self, columns: int = 30, rows: int = 8) -> None:
        self.screen = Terminal(columns, rows)
        self.pane = Pane(self.screen.feed, lambda: (self.screen.columns, self.screen.rows))

    def draw(self, staying: str = "", block: str = "next") -> None:
        """Draw lines, given as one text each."""
        self.pane.draw(*([Text(line) for line in text.split("\n") if line]
                         for text in (staying, block)))  # fmt: skip


def test_lines_that_stay_are_above_the_block() -> None:
    one = Drawing()
    one.draw("a", "x\ny")
    assert one.screen.lines == ["a", "x", "y"]
    one.draw("b\nc", "x\nz")
    assert one.screen.lines == ["a", "b", "c", "x", "z"]


@pytest.mark.parametrize("block", ["x", "x\ny\nz\nlast"])
def test_the_block_grows_and_shrinks_without_leaving_anything(block: str) -> None:
    one = Drawing()
    one.draw("a", "one\ntwo\nthree")
    one.draw("", block)
    assert one.screen.lines == ["a", *block.split("\n")]
    one.draw("b", "one\ntwo\nthree")
    assert one.screen.lines == ["a", "b", "one", "two", "three"]


def test_what_scrolls_away_can_still_be_read() -> None:
    one = Drawing(rows=4)
    for number in range(10):
        one.draw(f"line {number}", "x\ny")
    assert one.screen.lines == ["line 8", "line 9", "x", "y"]
    assert one.screen.gone == [f"line {number}" for number in range(8)]


def test_nothing_is_written_where_nothing_changed() -> None:
    sent: list[str] = []
    pane = Pane(sent.append, lambda: (80, 24))
    for _ in range(3):
        pane.draw([], [Text("the same")])
    assert len(sent) == 1


def test_every_picture_is_one_write() -> None:
    sent: list[str] = []
    pane = Pane(sent.append, lambda: (80, 24))
    pane.draw([Text("a"), Text("b")], [Text("x"), Text("y")])
    pane.draw([Text("c")], [Text("x")])
    assert len(sent) == 2
    assert all(one.startswith("\x1b[?2026h") and one.endswith("\x1b[?2026l") for one in sent)


def test_a_line_of_the_block_is_cut_and_one_that_stays_is_not() -> None:
    one = Drawing(columns=10)
    one.draw("0123456789abc", "0123456789abc\nx")
    assert one.screen.lines == ["0123456789", "abc", "01234567…", "x"]
    one.draw("d", "0123456789abc\nx")
    assert one.screen.lines == ["0123456789", "abc", "d", "01234567…", "x"]


@pytest.mark.parametrize(
    "text",
    [
        "日本語のテキスト",
        "👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦",
        "e\u0301" * 20,
        "\u200f" * 9 + "abcdefghijkl",
    ],
)
def test_wide_and_joined_characters_never_break_the_block(text: str) -> None:
    one = Drawing(columns=10)
    one.draw("a", f"{text}\nlast")
    one.draw("b", f"{text}\nlast")
    assert one.screen.lines[:2] == ["a", "b"]
    assert one.screen.lines[3:] == ["last"]


def test_it_is_never_higher_than_the_terminal() -> None:
    one = Drawing(rows=3)
    for number in range(5):
        one.draw(f"line {number}", "1\n2\n3\n4\n5\n6")
    assert one.screen.lines == ["line 4", "1", "2"]
    assert one.screen.gone == ["line 0", "line 1", "line 2", "line 3"]


@pytest.mark.parametrize("size", [(1, 1), (2, 1), (1, 2), (3, 2)])
def test_a_tiny_terminal_is_survived(size: tuple[int, int]) -> None:
    one = Drawing(*size)
    for number in range(5):
        one.draw(f"line {number}", "first of the block\nsecond")
    one.pane.close([Text("done")])


def test_a_smaller_terminal_shows_no_pieces() -> None:
    one = Drawing(columns=40, rows=10)
    one.draw("posted: a long line that stays, 123", "next in five minutes and some seconds\nthen")
    for columns, rows in ((20, 10), (12, 6), (12, 3)):
        one.screen.resize(columns, rows)
        one.draw("", "next in five minutes and some seconds\nthen")
        assert one.screen.lines[-2:] == [
            "next in five minutes and some seconds"[: columns - 2] + "…",
            "then",
        ]
        assert sum(line.startswith("next") for line in one.screen.lines) == 1


def test_a_larger_one_again_shows_what_went_before() -> None:
    one = Drawing(columns=40, rows=10)
    one.draw("a\nb\nc", "next in five minutes\nthen")
    one.screen.resize(12, 3)
    one.draw("d", "next in five minutes\nthen")
    one.screen.resize(40, 10)
    one.draw("", "next in five minutes\nthen")
    assert one.screen.lines == ["a", "b", "c", "d", "next in five minutes", "then"]


def test_the_end_takes_the_block_away() -> None:
    one = Drawing()
    one.draw("a", "x\ny\nz")
    one.pane.close([Text("stopped")])
    assert one.screen.lines == ["a", "stopped"]


def test_what_another_program_wrote_is_left_alone() -> None:
    one = Drawing()
    one.draw("a", "x\ny")
    one.screen.feed("\r\n$ ls\r\n")
    one.pane.forget()
    one.draw("b", "x\ny")
    assert one.screen.lines == ["a", "x", "y", "$ ls", "b", "x", "y"]


STAYING = st.text("abc日 ", min_size=1, max_size=30).map(lambda text: f"|{text}|")
BLOCK = st.text("xyz語 ", min_size=1, max_size=30).map(lambda text: f"<{text}>")
PICTURE = st.tuples(st.lists(STAYING, max_size=3), st.lists(BLOCK, min_size=1, max_size=5))


@given(st.lists(PICTURE, max_size=12))
def test_whatever_is_drawn_all_that_stays_is_there_once(
    pictures: list[tuple[list[str], list[str]]],
) -> None:
    screen = Terminal(20, 6)
    pane = Pane(screen.feed, lambda: (20, 6))
    stayed: list[str] = []
    for staying, block in pictures:
        pane.draw([Text(line) for line in staying], [Text(line) for line in block])
        stayed += staying
        assert all(cell_len(line) < 20 for line in screen.lines[-len(block) :])
    pane.close()
    assert "".join([*screen.gone, *screen.lines]).replace(" ", "") == "".join(stayed).replace(
        " ", ""
    )
