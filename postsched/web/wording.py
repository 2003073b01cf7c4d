"""What errors advise, for whoever asks over HTTP: they name commands and options; here these are
requests and members. Commands that only a person at the machine can give say so."""

from __future__ import annotations

import re
from collections.abc import Sequence

API = "/api/v1"
ID, NAME = r"(\d+|ID)", r"([\w.-]+)"
COMMANDS: Sequence[tuple[str, str]] = (
    (rf"show {ID}", rf"GET {API}/posts/\1"),
    (rf"edit {ID}", rf"PATCH {API}/posts/\1"),
    (rf"edit {ID} --at WHEN", rf"PATCH {API}/posts/\1 with at"),
    (rf"resolve {ID} published\|absent", rf"POST {API}/posts/\1/resolve"),
    (rf"(cancel|retry|approve|pause|resume) {ID}", rf"POST {API}/posts/\2/\1"),
    (r"cancel", f"POST {API}/posts/ID/cancel"),
    (rf"(pause|resume) --account {NAME}", rf"POST {API}/accounts/\2/\1"),
    (r"(pause|resume) --all", rf"POST {API}/\1"),
    (rf"list --account {NAME}", rf"GET {API}/posts?account=\1"),
    (rf"list --status {NAME}", rf"GET {API}/posts?status=\1"),
    (r"list(?: --all)?", f"GET {API}/posts"),
    (r"add", f"POST {API}/posts"),
    (r"queue", f"GET {API}/queue"),
    (rf"slots list {NAME}", rf"GET {API}/slots?name=\1"),
    (rf"slots add {NAME} [\w-]+(?: \d\d:\d\d)*", f"POST {API}/slots"),
    (r"webhook list(?: --failed)?", f"GET {API}/webhooks"),
    (r"platforms", f"GET {API}/platforms"),
)
"""A command -> the request that does the same."""
RULES = [(re.compile(command), words) for command, words in COMMANDS]
COMMAND = re.compile(r"postsched ((?:[^\s;,.()]|[.,](?=\S))+(?: (?:[^\s;,.()]|[.,](?=\S))+)*)")
"""What is to be typed, up to the end of its clause."""
OPTION = re.compile(r"(?<![\w-])--(no-)?([a-z][a-z-]*)")
MEMBERS = {"for": "variants", "var": "vars", "tag": "tags", "account": "accounts"}
"""Option -> the member that says the same, where it has another name."""
IN = ", --in DURATION"
"""The option that is no member: `at` takes "in 2 hours"."""
THERE = " (where postsched runs)"


def over_http(sentence: str) -> str:
    """The same, in words of the API."""
    if "postsched " not in sentence and "--" not in sentence:
        return sentence
    sentence = sentence.replace(IN, "")
    pieces, end = [], 0
    for found in COMMAND.finditer(sentence):
        pieces += [_members(sentence[end : found.start()]), _request(found)]
        end = found.end()
    return "".join([*pieces, _members(sentence[end:])])


def _request(found: re.Match[str]) -> str:
    for rule, words in RULES:
        if same := rule.fullmatch(found[1]):
            return same.expand(words)
    return found[0] + THERE


def _members(text: str) -> str:
    def member(found: re.Match[str]) -> str:
        name = MEMBERS.get(found[2], found[2].replace("-", "_"))
        return f"{name}: null" if found[1] else name

    return OPTION.sub(member, text)
