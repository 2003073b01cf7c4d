r"""One post as Markdown with YAML front matter: for import and export, `edit` and `add --file`.

The front matter holds the names of posts as data, the body the text. Every value is taken as it is
written: `at: 14:30` and `title: yes` are texts; only a bare `null` or `~` means not given. White
space around the body is not part of the text, and its lines end with `\n`; a text that needs either
stands in the front matter, as `text`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, TYPE_CHECKING, Any

from postsched.domain.draft import Draft
from postsched.domain.errors import InvalidInput
from postsched.transfer.record import draft_of, record_of
from postsched.transfer.rows import Found, Unreadable
from postsched.transfer.stream import ROW_LIMIT, TOO_LONG, chunks

if TYPE_CHECKING:
    from pathlib import Path

    import yaml

FENCE = re.compile(r"^---[ \t]*$", re.MULTILINE)


def parse(text: str, base: str = "") -> Draft:
    """The draft in a text; front matter is optional, and nothing has to be given. `base` is the
    folder that relative media paths start from. Raises InvalidInput."""
    try:
        draft, errors = draft_of(_record(text), base)
    except Unreadable as error:
        raise InvalidInput(f"line {error.line}: {error.message}") from None
    if errors:
        raise InvalidInput(f"{errors[0].field}: {errors[0].message}")
    return draft


def read_post(path: Path) -> Draft:
    """The draft in a file; relative media paths start from its folder. Raises InvalidInput."""
    try:
        with path.open("rb") as file:
            text = "".join(chunks(file))
    except OSError as error:
        raise InvalidInput(f"{path} can't be read: {error.strerror}") from None
    except Unreadable as error:
        raise InvalidInput(f"{path}: line {error.line}: {error.message}") from None
    try:
        return parse(text, str(path.absolute().parent))
    except InvalidInput as error:
        raise InvalidInput(f"{path}: {error.message}", error.hint) from None


def dump(draft: Draft, note: str = "") -> str:
    """The text that `parse` makes the draft of. `note` becomes comment lines at the top."""
    return _written(record_of(draft), note)


def read_markdown(pieces: Iterable[str]) -> Iterator[Found]:
    """The one post of a file. Raises Unreadable."""
    whole = ""
    for piece in pieces:
        whole += piece
        if len(whole) > ROW_LIMIT:
            raise Unreadable(TOO_LONG, 1)
    yield Found(1, 1, _record(whole))


def write_markdown(records: Iterable[Mapping[str, Any]], out: IO[bytes]) -> None:
    """The one post. Raises InvalidInput, with nothing written, if there are more."""
    rows = iter(records)
    first = next(rows, None)
    if next(rows, None) is not None:
        raise InvalidInput(
            "Markdown holds one post a file, and there are several to write",
            "Name a folder with --output, or export to json, jsonl or csv",
        )
    if first is not None:
        out.write(_written(first).encode())


def _record(text: str) -> dict[str, Any]:
    text = text.replace("\r\n", "\n")
    front, body = _split(text)
    record = _front(front) if front else {}
    if body and record.get("text"):
        raise Unreadable("the text is in the front matter and below it too", 1, "text")
    return {"text": body, **record} if body else record


def _split(text: str) -> tuple[str, str]:
    opening = FENCE.match(text)
    if not opening:
        return "", text.strip()
    closing = FENCE.search(text, opening.end() + 1)
    if not closing:
        raise Unreadable("the front matter that begins with --- is not closed by another ---", 1)
    return text[opening.end() + 1 : closing.start()], text[closing.end() :].strip()


def _front(text: str) -> dict[str, Any]:
    import yaml

    try:
        found = yaml.load(text, Loader=_loader())  # noqa: S506 - it makes strings, lists, dicts
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 2 if error.problem_mark else 1
        raise Unreadable(f"the front matter is no valid YAML: {error.problem}", line) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 2
        words = f"the front matter has a character that YAML forbids (U+{error.character:04X})"
        raise Unreadable(words, line) from None
    except (yaml.YAMLError, RecursionError):
        raise Unreadable("the front matter is no valid YAML", 1) from None
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise Unreadable("the front matter must be lines of `name: value`", 2)
    return found


def _loader() -> type[yaml.BaseLoader]:
    """A YAML loader that keeps scalars as they are written and refuses what would hide something:
    a name twice, and aliases, with which a small file can stand for a huge one."""
    import yaml

    class Loader(yaml.BaseLoader):
        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]  # no stub
                raise yaml.MarkedYAMLError(problem="aliases (*) are not taken", problem_mark=mark)
            return super().compose_node(parent, index)

        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
            seen: set[str] = set()
            for key, _ in node.value:
                if not isinstance(key, yaml.ScalarNode) or key.value in seen:
                    what = f"{key.value!r} is there twice"
                    problem = what if isinstance(key, yaml.ScalarNode) else "a name must be text"
                    raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
                seen.add(key.value)
            return super().construct_mapping(node, deep)

    null = "tag:yaml.org,2002:null"
    Loader.add_implicit_resolver(null, re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""])
    Loader.add_constructor(null, lambda loader, node: None)
    return Loader


def _written(record: Mapping[str, Any], note: str = "") -> str:
    text = record.get("text", "")
    front = dict(record)
    body = ""
    if text == text.strip() and "\r" not in text:
        body = front.pop("text", "")
    comments = "".join(f"# {line}\n" for line in note.splitlines())
    return f"---\n{comments}{_yaml(front)}---\n" + (f"\n{body}\n" if body else "")


def _yaml(front: Mapping[str, Any]) -> str:
    """YAML that people can edit: texts of several lines as blocks where YAML can hold them so."""
    import yaml

    class Dumper(yaml.SafeDumper):
        pass

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        several = "\n" in value or re.search("[\r\x85\u2028\u2029]", value)
        plain = not re.search("[\r\x85\u2028\u2029\ufeff]", value)
        style = ("|" if plain else '"') if several else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    Dumper.add_representer(str, text)
    if not front:
        return ""
    return yaml.dump(
        dict(front), Dumper=Dumper, allow_unicode=True, sort_keys=False, width=float("inf")
    )
