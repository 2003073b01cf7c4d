"""Characters that need a backslash before them, and what is left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postsched.domain.capabilities import Capabilities, CommentAs, TextRules, Unit
from postsched.domain.counting import length
from postsched.domain.escaping import escaped
from postsched.domain.fitting import judge
from postsched.domain.post import Content

RULES = TextRules(
    10,
    Unit.CODE_POINTS,
    escapes=r"\*()",
    unescaped=r"\*[a-z]+\*|\((?P<inner>[^()]+)\)!",
)
"""A network on which `*so*` and `(so)!` mean something."""


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("plain", "plain"),
        ("", ""),
        ("a*b", r"a\*b"),
        ("a *b* c", "a *b* c"),
        ("*b* *", r"*b* \*"),
        ("\\", r"\\"),
        ("(x)", r"\(x\)"),
        ("(x)!", "(x)!"),
        ("(a*b\\)!", r"(a\*b\\)!"),
        ("é*", r"é\*"),
    ],
)
def test_what_is_sent(text: str, sent: str) -> None:
    assert escaped(text, RULES) == sent
    assert length(text, RULES) == len(sent)


@given(st.text())
def test_without_rules_nothing_is_escaped(text: str) -> None:
    assert escaped(text, TextRules()) == text


@given(st.text(r"\*()ab !"))
def test_every_other_reserved_character_is_escaped(text: str) -> None:
    """Taken apart again, the text is whole."""
    rules = TextRules(escapes=r"\*()")
    sent = escaped(text, rules)
    shown, rest = "", sent
    while rest:
        if rest[0] == "\\":
            rest = rest[1:]
        else:
            assert rest[0] not in r"\*()"
        shown, rest = shown + rest[0], rest[1:]
    assert shown == text


def test_what_is_escaped_counts() -> None:
    can = Capabilities(text=RULES)
    assert not judge(Content("*" * 5), "me", "Net", can)
    (finding,) = judge(Content("*" * 5 + "x"), "me", "Net", can)
    assert "has 11 code points" in finding.message


def test_a_comment_may_have_rules_of_its_own() -> None:
    can = Capabilities(
        text=RULES, comment=CommentAs.COMMENT, comment_text=TextRules(12, Unit.CODE_POINTS)
    )
    assert not judge(Content("x", comment="*" * 12), "me", "Net", can)
    (finding,) = judge(Content("x", comment="*" * 13), "me", "Net", can)
    assert finding.field == "comment"
    assert "13 code points, 1 more than the 12" in finding.message
