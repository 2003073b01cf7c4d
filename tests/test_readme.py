"""The README: every command is run, every table and picture is what the program says."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, fields
from importlib import import_module
from pathlib import Path

import pytest

from postsched.config import PlatformSettings, Settings, load
from postsched.domain.delivery import DeliveryStatus
from postsched.domain.duration import parse_duration
from postsched.domain.hosting import MediaHost
from postsched.domain.moves import MOVES
from postsched.domain.setting import KEYS
from postsched.testing import Loopback
from postsched.testing.bluesky import APP_PASSWORD, HANDLE
from postsched.testing.discord import WEBHOOK_TOKEN
from postsched.testing.discord_state import WEBHOOK
from postsched.testing.graph import TOKEN as META_TOKEN
from postsched.testing.linkedin import TOKEN as LINKEDIN_TOKEN
from postsched.testing.loopback import NETWORKS
from postsched.testing.mastodon import TOKEN
from postsched.testing.picture import png
from postsched.testing.telegram import TOKEN as TELEGRAM_TOKEN
from postsched.testing.x_oauth import TOKEN as X_TOKEN
from tests import readme
from tests.servers.process import free_port

TEXT = readme.README.read_text(encoding="utf-8")
BLOCK = re.compile(r"(?:<!-- ([^>]+?) -->\n)?^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DIRECTIVES = ("generated: ", "not run: ", "stdin: ", "until: ", "may fail: ", "file: ", "slow")
PLACES = ("media_dir", "state_dir", "secrets_file", "archive_dir")
"""The settings whose default is a place that depends on others."""
PATIENCE = 120.0


@dataclass(frozen=True)
class Block:
    """A block of code, with what is said of it in a comment before."""

    line: int
    directive: str
    language: str
    code: str

    def says(self, word: str) -> str | None:
        """What follows a word in the directive, None if it has another."""
        return self.directive.partition(": ")[2] if self.directive.startswith(word) else None


def blocks() -> list[Block]:
    """All blocks of the README."""
    return [
        Block(TEXT.count("\n", 0, found.start()) + 1, found[1] or "", found[2], found[3])
        for found in BLOCK.finditer(TEXT)
    ]


@pytest.mark.parametrize("name", sorted(readme.PARTS))
def test_what_is_made_from_the_program_is_what_it_says(name: str) -> None:
    (part,) = [found for found in readme.PART.finditer(TEXT) if found[2] == name]
    wanted = f"<!-- generated: {name} -->\n{readme.PARTS[name]()}\n<!-- end -->"
    assert part[0] == wanted, "run: python -m tests.readme"


def test_the_picture_is_what_the_program_shows() -> None:
    there = readme.words(readme.PICTURE.read_text(encoding="utf-8"))
    assert there == readme.words(readme.picture()), "run: python -m tests.readme"
    assert "examples/terminal.svg" in TEXT


def test_the_life_of_a_delivery_is_that_of_the_code() -> None:
    drawn: dict[str, tuple[set[DeliveryStatus], set[DeliveryStatus]]] = {}
    for start, end, _, names in readme.LIFE:
        for name in names.split():
            starts, ends = MOVES[name]
            assert start in starts, f"{name} does not start from {start}"
            assert end in ends, f"{name} does not lead to {end}"
            seen = drawn.setdefault(name, (set(), set()))
            seen[0].add(start)
            seen[1].add(end)
    assert drawn == {name: (set(starts), set(ends)) for name, (starts, ends) in MOVES.items()}


def test_every_setting_is_there_with_its_default() -> None:
    settings = TEXT.partition("## Settings")[2].partition("## Develop")[0]
    table = dict(re.findall(r"^\| `([a-z_]+)` \| ([^|]+) \|", settings, re.MULTILINE))
    assert set(table) == set(KEYS)
    defaults = {field.name: field.default for field in fields(Settings)}
    for name, said in table.items():
        default, value = defaults[name], said.strip("`")
        if default is None:
            assert not said.startswith("`") or name in PLACES
        elif isinstance(default, bool | int | str):
            assert value == str(default).lower(), name
        else:
            assert parse_duration(value) == default, name
    for field in (*fields(PlatformSettings), *fields(MediaHost)):
        assert f"`{field.name}`" in TEXT


def test_what_is_shown_of_a_file_is_in_it() -> None:
    shown = [(block, name) for block in blocks() if (name := block.says("file: "))]
    assert shown
    for block, name in shown:
        assert block.code in (readme.ROOT / name).read_text(encoding="utf-8"), name


def test_every_file_it_names_is_there() -> None:
    names = re.findall(r"\]\(([^)#:]+)\)|`((?:tests|examples|postsched|\.ci)/[\w/.]+)`", TEXT)
    for name in {one or other for one, other in names}:
        assert (readme.ROOT / name).exists(), name
    for module in set(re.findall(r"python -m (tests[\w.]+)", TEXT)):
        path = module.replace(".", "/")
        places = (f"{path}.py", f"{path}/__main__.py")
        assert any((readme.ROOT / place).exists() for place in places), module


def test_every_block_is_run_or_says_why_not() -> None:
    for block in blocks():
        known = not block.directive or block.directive.startswith(DIRECTIVES)
        assert known, f"line {block.line}: {block.directive}"
        runs = block.language == "sh"
        shown = block.language in ("mermaid", "toml") or block.says("file: ")
        assert runs or shown, f"line {block.line}"


def test_every_piece_of_a_configuration_can_be_read(tmp_path: Path) -> None:
    pieces = [block.code for block in blocks() if block.language == "toml"]
    assert pieces
    for piece in pieces:
        file = tmp_path / "config.toml"
        file.write_text(piece, encoding="utf-8")
        assert load(str(file), None, {}) != load(None, None, {"POSTSCHED_CONFIG": ""})


SECRETS = {
    "mastodon": TOKEN,
    "bluesky": APP_PASSWORD,
    "linkedin": LINKEDIN_TOKEN,
    "x": X_TOKEN,
    "telegram": TELEGRAM_TOKEN,
    "facebook": META_TOKEN,
    "discord": f"https://discord.com/api/webhooks/{WEBHOOK}/{WEBHOOK_TOKEN}",
}
"""The networks that the README posts to, and the secret that each takes on standard input."""
Networks = dict[str, Loopback]


@pytest.fixture
def networks() -> Iterator[Networks]:
    """All of them, by name."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(started(name)) for name in SECRETS}


def started(name: str) -> Loopback:
    """The loopback server of a network."""
    module, _, server = NETWORKS[name].partition(":")
    made: Loopback = getattr(import_module(module), server)()
    return made


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """The folder of a person who follows the README, with the files that it names."""
    (tmp_path / "cat.png").write_bytes(png())
    (tmp_path / "post.txt").write_text("From a file\n---\nin two parts\n")
    (tmp_path / "evergreen.txt").write_text("Read the manual\n---\nTake a break\n")
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "postsched"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m postsched "$@"\n')
    command.chmod(0o755)
    return tmp_path


def environment(place: Path, networks: Networks) -> dict[str, str]:
    """What that person's shell has."""
    servers = {
        f"POSTSCHED_PLATFORMS_{name.upper()}_URL": server.url
        for name, server in networks.items()
        if name != "mastodon"  # an account there names its own
    }
    return {
        **servers,
        "HOME": str(place),
        "PATH": f"{place / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(readme.ROOT),
        "PYTHON_KEYRING_BACKEND": "keyrings.alt.file.PlaintextKeyring",
        "POSTSCHED_ALLOW_PLAINTEXT_KEYRING": "true",
        "BROWSER": f"{sys.executable} -m tests.servers.visitor %s",
        "POSTSCHED_CALLBACK_PORT": str(free_port()),
        "NO_PROXY": "*",
        "TZ": "UTC",
    }


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="the README's commands are for a Unix shell")
@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_every_command_works(place: Path, networks: Networks) -> None:
    mastodon = networks["mastodon"]
    environ = environment(place, networks)
    ran = 0
    for block in blocks():
        left_out = block.says("not run: ") is not None or block.directive == "slow"
        if block.language != "sh" or left_out:
            continue
        code = block.code.replace("https://mastodon.example", mastodon.url)
        code = code.replace("me.bsky.social", HANDLE)
        if awaited := block.says("until: "):
            run_until(awaited, code, place, environ)
        else:
            given = SECRETS.get(block.says("stdin: ") or "", "")
            run(block, code, given, place, environ)
        ran += 1
    assert ran >= 15
    assert [seen.text for seen in mastodon.posts()] == ["Hello"]
    assert (place / "blog" / "index.html").exists()


def run(block: Block, code: str, given: str, place: Path, environ: Mapping[str, str]) -> None:
    """Run a block as a script that ends at the first failure."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", code], input=given, cwd=place, env=dict(environ),
        capture_output=True, text=True, timeout=PATIENCE,
    )  # fmt: skip
    failed = done.returncode != 0 and block.says("may fail: ") is None
    assert not failed, f"README.md, line {block.line}:\n{code}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr


def run_until(awaited: str, code: str, place: Path, environ: Mapping[str, str]) -> None:
    """Run a block that stays, until it has said a word; then end it as Ctrl-C does."""
    with subprocess.Popen(
        ["bash", "-c", f"exec {code}"], cwd=place, env=dict(environ), stderr=subprocess.PIPE,
        text=True,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        said = ""
        deadline = time.monotonic() + PATIENCE
        for line in process.stderr:
            said += line
            if awaited in line:
                break
            assert time.monotonic() < deadline
        process.send_signal(signal.SIGINT)
        said += process.stderr.read()
        assert process.wait(PATIENCE) == 0, said
        assert awaited in said, said


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="the README's commands are for a Unix shell")
def test_the_first_command_works_in_a_clean_place(tmp_path: Path) -> None:
    (block,) = [block for block in blocks() if block.directive == "slow"]
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    source = tmp_path / "source"
    unwanted = shutil.ignore_patterns(".*", "*.egg-info", "__pycache__", "build", "tests")
    shutil.copytree(readme.ROOT, source, ignore=unwanted)
    environ = {**os.environ, "PATH": f"{tmp_path / 'venv' / 'bin'}:{os.environ['PATH']}",
               "TMPDIR": str(tmp_path)}  # fmt: skip
    done = subprocess.run(["bash", "-ec", block.code], cwd=source, env=environ, text=True,
                          capture_output=True, timeout=600)  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Look at what went out" in done.stdout
