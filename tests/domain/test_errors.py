"""Errors: one sentence that says what, and a hint that says what to do."""

from __future__ import annotations

from postsched.domain.errors import PostschedError, advised


def test_what_and_what_to_do() -> None:
    assert str(PostschedError("it is locked", "Unlock it")) == "it is locked. Unlock it"
    assert str(PostschedError("it is locked")) == "it is locked"


def test_a_sentence_of_a_server_that_has_its_stop() -> None:
    assert advised("The code was invalid.", "Log in again") == "The code was invalid. Log in again"
    assert advised("The code was invalid.", None) == "The code was invalid."
