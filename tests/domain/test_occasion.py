"""What a post says at one of its occurrences."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from postsched.domain import occasion, placeholders
from postsched.domain.errors import InvalidInput
from postsched.domain.occasion import Turn, check, rendered, turn_of
from postsched.domain.post import Content, Media, Part

FIRST, LAST = (end.replace(tzinfo=UTC) for end in (datetime.min, datetime.max))  # noqa: DTZ901
LOCAL = datetime(2026, 12, 4, 9, 5, 7)  # noqa: DTZ001 - the local time of an occurrence
THIRD = Turn(3, LOCAL)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{date}} {{ time }} {{weekday}}", "2026-12-04 09:05 Friday"),
        ("{{month}} {{year}} no. {{n}}", "December 2026 no. 3"),
        ("{{date:%d %B %Y}}, {{date: %-d/%-m/%y }}", "04 December 2026, 4/12/26"),
        ("{{time:%-I:%M %p}} {{date:%a %b %e %j %G-W%V-%u %F %R %H%S 100%%}}",
         "9:05 AM Fri Dec 4 338 2026-W49-5 2026-12-04 09:05 0907 100%"),
        (r"\{{date}} is {{date}}", "{{date}} is 2026-12-04"),
        ("{{{n}}} { {n} } {{\n}}", "{3} { {n} } {{\n}}"),
        ("{{city}}, {{odd}}", "Rome, {{date}} {{n}}"),
    ],
)  # fmt: skip
def test_placeholders_are_filled_in(text: str, said: str) -> None:
    content = Content(text, vars={"city": "Rome", "odd": "{{date}} {{n}}"})
    assert rendered(content, THIRD).text == said


def test_every_text_of_a_post_may_name_what_differs() -> None:
    content = Content(
        "{{n}}", (Media("a.png", alt="picture {{n}}"),), (Part("then {{n}}"),), "comment {{n}}",
        "https://example.org/{{n}}", "title {{n}}", {"work": "for work {{n}}"}, None, "cats {{n}}",
    )  # fmt: skip
    check(content)
    said = rendered(content, THIRD)
    assert (said.media[0].alt, said.then[0].text, said.comment) == (
        "picture 3",
        "then 3",
        "comment 3",
    )
    assert (said.link, said.title, said.warning) == (
        "https://example.org/3",
        "title 3",
        "cats 3",
    )
    assert [part.text for part in said.parts("work")] == ["for work 3"]
    assert said.media[0].path == "a.png"


def test_texts_take_turns_and_may_be_threads_in_a_frame() -> None:
    content = Content("", texts=("one {{n}}", "two\n---\nmore", "three"))
    check(content)
    turns = [rendered(content, Turn(n, LOCAL)).parts() for n in range(1, 6)]
    texts = [[part.text for part in parts] for parts in turns]
    assert texts == [["one 1"], ["two", "more"], ["three"], ["one 4"], ["two", "more"]]
    framed = replace(content, text="{{weekday}}: {{text}}", variants={"work": "W {{text}}"})
    check(framed)
    said = rendered(framed, Turn(4, LOCAL))
    assert said.text == "Friday: one 4"
    assert said.parts("work")[0].text == "W one 4"


@pytest.mark.parametrize(
    ("content", "field", "words"),
    [
        (Content("{{dat}}"), "text", "{{dat}} stands for nothing. Did you mean {{date}}?"),
        (Content("{{Date}}"), "text", "Did you mean {{date}}?"),
        (Content("{{cty}}", vars={"city": "Rome"}), "text", "Did you mean {{city}}?"),
        (Content("{{}}"), "text", "{{}} stands for nothing. There are {{date}}, {{month}}, {{n}}"),
        (Content("x", comment="{{text}}", texts=()), "comment", "{{text}} stands for nothing"),
        (Content("", texts=("{{text}}",)), "texts", "{{text}} stands for nothing"),
        (Content("a {{date"), "text", "is not closed: '{{date'"),
        (Content("{{n:03}}"), "text", "only date and time take a format"),
        (Content("{{date:}}"), "text", "has no format"),
        (Content("{{date:%Q}}"), "text", "%Q stands for nothing. There are %Y"),
        (Content("{{date:%}}"), "text", "% stands for nothing"),
        (Content("x", texts=("a", "b")), "texts", "there is a text, and there are texts"),
        (Content("", texts=("a", " ")), "texts", "one of the texts is empty"),
        (Content("", texts=("a",) * 1001), "texts", "more than 1,000 texts"),
        (Content("x", vars={"n": "1"}), "vars", "{{n}} has a meaning already"),
        (Content("x", vars={"a b": "1"}), "vars", "'a b' can't be the name of a variable"),
        (Content("{{x}}" * 1100, vars={"x": "y" * 1000}), "text", "more than 1,000,000 characters"),
        (Content("{{text}}" * 1100, texts=("y" * 1000,)), "text", "more than 1,000,000"),
    ],
)  # fmt: skip
def test_what_stands_for_nothing_is_refused(content: Content, field: str, words: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check(content)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.field == field


def fault(text: str) -> InvalidInput | None:
    try:
        check(Content(text, vars={"x": "1"}))
    except InvalidInput as error:
        return error
    return None


def test_random_text_is_rendered_without_an_error_and_literals_stay_what_they_are() -> None:
    chance = random.Random(7)
    alphabet = [
        "{{", "}}", "{", "}", "\\", "%", "-", ":", "date", "time", "n", "text", "x", " ", "\n",
        "%d", "%-Q", "---", "é", "\0",
    ]  # fmt: skip
    turns = [Turn(1, FIRST), Turn(10**9, LAST), THIRD]
    for _ in range(4000):
        text = "".join(chance.choices(alphabet, k=chance.randrange(12)))
        turn = chance.choice(turns)
        whole = Content(text, texts=(text,) if chance.random() < 0.3 else (), vars={"x": text})
        rendered(whole, turn).parts("me")
        literally = placeholders.literal(text)
        assert rendered(Content(literally), turn).text == text
        if "{{" not in text:
            assert rendered(Content(text), turn) == Content(text)
        if fault(text) is None and list(placeholders.mentioned(text)):
            assert rendered(Content(text, vars={"x": "1"}), turn).text != text
        form = "".join(chance.choices("%%%-dBYQx \\é", k=chance.randrange(8)))
        rendered(Content(f"{{{{date:{form}}}}}"), turn)


def test_the_local_time_is_that_of_the_zone_whatever_comes() -> None:
    late = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    assert rendered(Content("{{date}}"), turn_of(1, late, "Asia/Tokyo")).text == "2027-01-01"
    assert turn_of(None, late, "Gone/Zone") == Turn(1, late.replace(tzinfo=None))
    assert turn_of(7, LAST, "Asia/Tokyo") == Turn(7, LAST.replace(tzinfo=None))


def test_worded_parts_are_said_to_the_letter_with_the_media_of_their_places() -> None:
    content = Content("a", (Media("1.png"),), (Part("b", (Media("2.png"),)),))
    worded = replace(content, worded=("---", r"\---", "third {{n}}"))
    assert [part.text for part in worded.parts("me")] == ["---", r"\---", "third {{n}}"]
    assert [len(part.media) for part in worded.parts("me")] == [1, 1, 0]
    assert occasion.ignored(Content("a {{ date }}")) == "{{date}}"
    assert occasion.ignored(Content("a {{ jinja }}")) is None
