"""The passphrase: by environment, by descriptor, by a person; and all that can be wrong with it."""

from __future__ import annotations

import os
import pty
from collections.abc import Callable, Iterator

import pytest

from postsched.domain.errors import SecretUnavailable
from postsched.secrets import Passphrase

WORDS = "correct horse"


@pytest.fixture
def descriptor() -> Iterator[Callable[[bytes], str]]:
    """Gives the number of a descriptor from which a content can be read."""
    opened: list[int] = []

    def given(content: bytes) -> str:
        reading, writing = os.pipe()
        os.write(writing, content)
        os.close(writing)
        opened.append(reading)
        return str(reading)

    yield given
    for number in opened:
        os.close(number)


def refusal(passphrase: Passphrase, *, new: bool = False) -> str:
    with pytest.raises(SecretUnavailable) as caught:
        passphrase.text("FILE", new=new)
    assert caught.value.hint
    said = str(caught.value)
    assert "horse" not in said
    assert "\n" not in said
    return said


def answering(*answers: str | None) -> Callable[[str], str | None]:
    """A person with these answers; asking more of them fails."""
    left = list(answers)
    return lambda question: left.pop(0)


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_by_environment(end: str) -> None:
    passphrase = Passphrase({"POSTSCHED_PASSPHRASE": WORDS + end})
    assert passphrase.given
    assert passphrase.text("FILE", new=True) == WORDS


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_by_descriptor(descriptor: Callable[[bytes], str], end: bytes) -> None:
    passphrase = Passphrase({"POSTSCHED_PASSPHRASE_FD": descriptor(WORDS.encode() + end)})
    assert passphrase.given
    assert passphrase.text("FILE", new=False) == WORDS
    assert passphrase.text("FILE", new=False) == WORDS, "it is read once"


def test_blanks_belong_to_it(descriptor: Callable[[bytes], str]) -> None:
    assert Passphrase({"POSTSCHED_PASSPHRASE": "  \n"}).text("FILE", new=False) == "  "
    fd = descriptor(b" a \n\n")
    assert "more than one line" in refusal(Passphrase({"POSTSCHED_PASSPHRASE_FD": fd}))


def test_accents_are_one_however_they_are_typed() -> None:
    typed = [Passphrase({"POSTSCHED_PASSPHRASE": x}) for x in ("u\u0308ber", "\u00fcber")]
    assert typed[0].text("FILE", new=False) == typed[1].text("FILE", new=False)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("", "in POSTSCHED_PASSPHRASE is empty"),
        ("\n", "is empty"),
        ("horse\nhorse", "more than one line"),
        ("horse" * 1000, "longer than 4096 bytes"),
        ("horse\udcff", "is not UTF-8"),
    ],
)
def test_what_is_no_passphrase(value: str, said: str) -> None:
    assert said in refusal(Passphrase({"POSTSCHED_PASSPHRASE": value}))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "from POSTSCHED_PASSPHRASE_FD is empty"),
        (b"\n", "is empty"),
        (b"horse\xff", "is not UTF-8"),
        (b"horse" * 1000, "longer than"),
        (b"horse\0", "more than one line"),
    ],
)
def test_what_is_none_from_a_descriptor(
    descriptor: Callable[[bytes], str], content: bytes, said: str
) -> None:
    passphrase = Passphrase({"POSTSCHED_PASSPHRASE_FD": descriptor(content)})
    assert said in refusal(passphrase)
    assert "was read already" in refusal(passphrase)


@pytest.mark.parametrize("number", ["", "x", "-1", "3.0", " 3", "٣", "1e3", "9" * 30])
def test_a_descriptor_that_is_no_number(number: str) -> None:
    said = refusal(Passphrase({"POSTSCHED_PASSPHRASE_FD": number}))
    assert "is not the number of a file descriptor" in said


@pytest.mark.parametrize("number", ["1", "2"])
def test_a_descriptor_for_output(number: str) -> None:
    assert "which is for output" in refusal(Passphrase({"POSTSCHED_PASSPHRASE_FD": number}))


def test_a_descriptor_that_is_not_open() -> None:
    assert "no file is open under that number" in refusal(
        Passphrase({"POSTSCHED_PASSPHRASE_FD": "999999"})
    )


def test_what_is_opened_later_is_not_taken_for_it() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    passphrase = Passphrase({"POSTSCHED_PASSPHRASE_FD": str(reading)})
    assert os.dup(writing) == reading, "the number was free"
    os.close(writing)
    os.close(reading)
    assert "no file is open" in refusal(passphrase)


def test_a_descriptor_for_writing_and_a_folder(tmp_path: object) -> None:
    writing = os.open(os.path.join(str(tmp_path), "x"), os.O_WRONLY | os.O_CREAT)
    folder = os.open(str(tmp_path), os.O_RDONLY)
    for number in (writing, folder):
        said = refusal(Passphrase({"POSTSCHED_PASSPHRASE_FD": str(number)}))
        assert "POSTSCHED_PASSPHRASE_FD can't be read" in said
        os.close(number)


def test_a_terminal_is_no_place_to_type_it_in_clear() -> None:
    ours, its = pty.openpty()
    assert "a terminal" in refusal(Passphrase({"POSTSCHED_PASSPHRASE_FD": str(its)}))
    os.close(ours)
    os.close(its)


def test_both_variables_are_refused() -> None:
    environ = {"POSTSCHED_PASSPHRASE": WORDS, "POSTSCHED_PASSPHRASE_FD": "0"}
    assert "are both set" in refusal(Passphrase(environ))


def test_a_person_is_asked_once_for_an_old_file_and_twice_for_a_new_one() -> None:
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        return WORDS

    old = Passphrase({}, ask)
    assert not old.given
    assert [old.text("FILE", new=False), old.text("FILE", new=False)] == [WORDS, WORDS]
    assert asked == ["Passphrase for FILE: "]
    assert Passphrase({}, ask).text("FILE", new=True) == WORDS
    assert asked[1:] == ["New passphrase for FILE: ", "Once more: "]


def test_a_person_who_mistypes_or_says_nothing() -> None:
    assert "differ" in refusal(Passphrase({}, answering(WORDS, "horses")), new=True)
    assert "is empty" in refusal(Passphrase({}, answering(WORDS, None)), new=True)
    assert "is empty" in refusal(Passphrase({}, answering("")))


def test_nobody_to_ask() -> None:
    for passphrase in (Passphrase({}), Passphrase({}, answering(None))):
        said = refusal(passphrase)
        assert "no passphrase is given for FILE" in said
        assert "Set POSTSCHED_PASSPHRASE or POSTSCHED_PASSPHRASE_FD" in said
    late = Passphrase({}, answering())
    late.stop_asking()
    assert "no passphrase is given" in refusal(late)
