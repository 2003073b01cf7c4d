"""The files in examples/."""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from postsched.testing import MastodonServer
from postsched.testing.bluesky import APP_PASSWORD, HANDLE, BlueskyServer
from postsched.testing.mastodon import TOKEN
from tests import readme
from tests.cli.calling import Caller
from tests.cli.posting import Posting
from tests.servers import postgres

EXAMPLES = readme.ROOT / "examples"
PATIENCE = 120.0
"""Seconds that one step of an example may take."""


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    unit = (EXAMPLES / "postsched.service").read_text()
    file = tmp_path / "postsched.service"
    file.write_text(unit.replace("%h/.local/bin/postsched", "/bin/true"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--user", str(file)], capture_output=True, text=True,
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
    )  # fmt: skip
    # It ends with 0 on unknown keys and bad values too: any line is a fault.
    about_us = [line for line in done.stderr.splitlines() if "postsched" in line]
    assert (done.returncode, about_us) == (0, []), done.stderr


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="there is no cron on Windows")
def test_the_line_for_cron_works_with_what_cron_gives(tmp_path: Path) -> None:
    (line,) = re.findall(r"^\* \* \* \* \* (.+)$", (EXAMPLES / "crontab").read_text(), re.M)
    assert "%" not in line, "cron makes a line break of it"
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "postsched"
    command.write_text(
        f'#!/bin/sh\nPYTHONPATH={readme.ROOT} exec "{sys.executable}" -m postsched "$@"\n'
    )
    command.chmod(0o755)
    environ = {"HOME": str(tmp_path), "LOGNAME": "me", "SHELL": "/bin/sh",
               "PATH": f"{tmp_path}/bin:/usr/bin:/bin"}  # fmt: skip

    def sh(code: str) -> str:
        done = subprocess.run(["/bin/sh", "-c", code], env=environ, cwd=tmp_path, text=True,
                              capture_output=True, timeout=60)  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    sh("postsched account add blog --platform outbox --set dir=~/blog")
    sh("postsched add Hello --to blog --at now")
    assert sh(line) == "", "cron would send a mail"
    (tmp_path / ".postsched").write_text("POSTSCHED_TIMEZONE=Europe/Berlin\n")
    assert "1 published" in sh("postsched status")
    assert sh(line) == ""


# ---- a month of posts


@pytest.fixture
def cli(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Posting:
    """A person with an empty home, and no keyring."""
    posting = Posting(Caller(tmp_path, monkeypatch, capsys))
    posting.call.set(POSTSCHED_TOKEN_ME=TOKEN, POSTSCHED_TOKEN_SKY=APP_PASSWORD)
    return posting


def test_a_month_of_posts_as_csv_and_as_markdown(cli: Posting, tmp_path: Path) -> None:
    """Both are the same posts, they fit real networks, and come back as they went in."""
    files = [str(file) for file in sorted((EXAMPLES / "month").glob("*.md"))]
    with MastodonServer() as mastodon, BlueskyServer() as bluesky:

        def move(name: str) -> None:
            cli.call.set(POSTSCHED_DB=postgres.place(tmp_path / name / "posts.db"))
            cli("account", "add", "me", "--platform", "mastodon", "--url", mastodon.url)
            cli("account", "add", "sky", "--platform", "bluesky", "--url", bluesky.url,
                "--user", HANDLE)  # fmt: skip

        move("one")
        read = cli.json("import", str(EXAMPLES / "month" / "month.csv"))
        assert (read["added"], read["known"], read["errors"]) == (len(files), 0, [])
        read = cli.json("import", *files)
        assert (read["added"], read["known"], read["errors"]) == (0, len(files), [])
        cli("check", "--drafts")
        whole = cli("export", "--format", "json").out
        cli("export", "--output", str(tmp_path / "back.csv"))
        for number in range(1, len(files) + 1):
            cli("export", str(number), "--output", str(tmp_path / f"{number:02}.md"))

        for copies in (
            [str(tmp_path / "back.csv")],
            [str(f) for f in sorted(tmp_path.glob("*.md"))],
        ):
            move(Path(copies[0]).stem)
            assert cli.json("import", *copies)["added"] == len(files)
            assert without_places(cli("export", "--format", "json").out) == without_places(whole)
    assert not mastodon.posts()


def without_places(exported: str) -> list[Any]:
    """Posts as data, without the folders that their media are kept in."""

    def placeless(one: dict[str, Any]) -> dict[str, Any]:
        return {**one, "path": Path(one["path"]).name} if "path" in one else one

    found: list[Any] = json.loads(exported, object_hook=placeless)
    return found


# ---- a platform


def test_the_platform_names_its_class() -> None:
    project = tomllib.loads((EXAMPLES / "matrix" / "pyproject.toml").read_text())["project"]
    module, _, name = project["entry-points"]["postsched.platforms"]["matrix"].partition(":")
    assert f"class {name}(Platform):" in (EXAMPLES / "matrix" / f"{module}.py").read_text()


@pytest.mark.slow
def test_the_platform_is_installed_keeps_the_contract_and_posts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, place, tests = tmp_path / "matrix", tmp_path / "installed", tmp_path / "tests"
    shutil.copytree(EXAMPLES / "matrix", source, ignore=shutil.ignore_patterns("__pycache__"))
    tests.mkdir()
    (source / "test_postsched_matrix.py").rename(tests / "test_postsched_matrix.py")
    (tmp_path / "home").mkdir()
    environ = {**os.environ, "PYTHONPATH": f"{place}:{readme.ROOT}", "HOME": str(tmp_path / "home"),
               "POSTSCHED_DB": str(tmp_path / "home" / "posts.db"), "NO_PROXY": "*"}  # fmt: skip

    def python(*words: str) -> str:
        return called([sys.executable, "-m", *words], environ, tests)

    python("pip", "install", "--no-deps", "--no-build-isolation", "--target", str(place),
           str(source))  # fmt: skip
    said = python("pytest", "-q", "-p", "no:cacheprovider", "-W", "error", ".")
    assert int(re.findall(r"(\d+) passed", said)[0]) > 50, said

    monkeypatch.syspath_prepend(str(place))
    monkeypatch.syspath_prepend(str(tests))
    example = importlib.import_module("test_postsched_matrix")
    with example.MatrixServer() as server:
        listed = json.loads(python("postsched", "platforms", "--json"))
        (matrix,) = [one for one in listed if one["name"] == "matrix"]
        assert (matrix["text_limit"], matrix["guarantee"]) == (16_000, "effectively once")
        environ["POSTSCHED_TOKEN_ROOM"] = example.TOKEN
        python("postsched", "account", "add", "room", "--platform", "matrix", "--user",
               example.ROOM, "--url", server.url)  # fmt: skip
        python("postsched", "add", "Hello", "--then", "and more", "--link", "https://example.org/",
               "--at", "now")  # fmt: skip
        python("postsched", "publish-due")
        one, two = server.posts()
    assert (one.text, two.text) == ("Hello\n\nhttps://example.org/", "and more")
    assert two.parent == one.remote_id


def called(
    words: Sequence[str], environ: Mapping[str, str], folder: Path, code: int | None = 0
) -> str:
    """What a program says that ends with that code (None: any)."""
    done = subprocess.run(words, env=environ, cwd=folder, text=True, timeout=PATIENCE,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip
    assert code in (None, done.returncode), done.stdout
    return done.stdout


# ---- the workflow

WORKFLOW = EXAMPLES / "github-actions.yml"


def test_github_takes_the_workflow() -> None:
    pytest.importorskip("check_jsonschema", reason="check-jsonschema is not installed")
    words = [sys.executable, "-m", "check_jsonschema", "--builtin-schema",
             "vendor.github-workflows", str(WORKFLOW)]  # fmt: skip
    called(words, os.environ, EXAMPLES)


class Runner:
    """As much of GitHub as the workflow needs: a repository, a machine with Python for each run,
    and its steps one after the other until one fails."""

    def __init__(self, folder: Path, server: str) -> None:
        self.folder, self.origin = folder, folder / "origin.git"
        text = WORKFLOW.read_text().replace("https://mastodon.example", server)
        # PyYAML reads YAML 1.1, where `on` is a truth value.
        self.workflow = {("on" if k is True else k): v for k, v in yaml.safe_load(text).items()}
        self.environ = {
            "HOME": str(folder), "NO_PROXY": "*", "GIT_CONFIG_NOSYSTEM": "1",
            "PATH": f"{self._python()}:{os.environ['PATH']}",
            # What the wheel needs is there already, and so is another copy of it.
            "PIP_NO_DEPS": "1", "PIP_NO_INDEX": "1", "PIP_IGNORE_INSTALLED": "1",
        }  # fmt: skip
        self.runs = 0
        self.git("init", "--quiet", "--bare", "--initial-branch=main", str(self.origin))
        self.mine = folder / "mine"
        self.git("clone", "--quiet", str(self.origin), str(self.mine))
        called([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index",
                "--no-build-isolation", "-w", str(self.mine / "wheels"), str(self._source())],
               os.environ, folder)  # fmt: skip

    def _python(self) -> Path:
        venv.create(self.folder / "venv", with_pip=True)
        (site,) = (self.folder / "venv").glob("lib/*/site-packages")
        (site / "rest.pth").write_text(sysconfig.get_path("purelib") + "\n")
        return self.folder / "venv" / "bin"

    def _source(self) -> Path:
        """A copy, for a build leaves its traces."""
        copy = self.folder / "source"
        shutil.copytree(readme.ROOT / "postsched", copy / "postsched",
                        ignore=shutil.ignore_patterns("__pycache__"))  # fmt: skip
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(readme.ROOT / name, copy)
        return copy

    def git(self, *words: str) -> str:
        who = ("-c", "user.name=me", "-c", "user.email=me@example.org")
        return called(["git", *who, *words], self.environ, self.folder).strip()

    def push(self, branch: str = "main", **posts: str) -> None:
        """Push these posts, by their keys."""
        for key, text in posts.items():
            file = self.mine / "posts" / f"{key}.md"
            file.parent.mkdir(exist_ok=True)
            file.write_text(f"---\nkey: {key}\nto: me\nat: 2099-03-01 09:00\n---\n{text}\n")
        self.git("-C", str(self.mine), "add", "--all")
        self.git("-C", str(self.mine), "commit", "--quiet", "--message", "Posts")
        self.git("-C", str(self.mine), "push", "--quiet", "origin", f"HEAD:{branch}")

    @property
    def state(self) -> str:
        """The commit that the state is at, empty where there is none."""
        found = self.git("ls-remote", str(self.origin), "refs/heads/postsched-state")
        return found.partition("\t")[0]

    def run(self, event: str, command: str = "", branch: str = "main", code: int = 0) -> str:
        """Run it for an event; what was said. `code` is how the last step ends that is run."""
        assert event in self.workflow["on"]
        given = {"github.event_name": event, "secrets.POSTSCHED_TOKEN_ME": TOKEN,
                 "inputs.command": command}  # fmt: skip
        self.runs += 1
        place = self.folder / f"run{self.runs}"
        (job,) = self.workflow["jobs"].values()
        said = ""
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout@"):
                self.git("clone", "--quiet", "--branch", branch, str(self.origin), str(place))
            if "run" not in step or not holds(step.get("if"), given):
                continue
            variables = {**job["env"], **step.get("env", {})}
            environ = {**self.environ, **{k: filled(v, given) for k, v in variables.items()}}
            options = ("-eo", "pipefail") if step.get("shell") == "bash" else ("-e",)
            assert "${{" not in step["run"], "what others wrote is no program"
            words = ["bash", "--noprofile", "--norc", *options, "-c", step["run"]]
            done = subprocess.run(words, env=environ, cwd=place, text=True, timeout=PATIENCE,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip
            said += done.stdout
            if done.returncode:
                break
        assert done.returncode == code, said
        return said


def filled(text: str, given: Mapping[str, str]) -> str:
    """A text with its expressions filled in."""
    return re.sub(r"\$\{\{ ([\w.]+) \}\}", lambda found: given[found[1]], text)


def holds(condition: str | None, given: Mapping[str, str]) -> bool:
    """Whether a step is to be run."""
    if condition is None:
        return True
    found = re.fullmatch(r"([\w.]+) (==|!=) '(\w+)'", condition)
    assert found, condition
    return (given[found[1]] == found[3]) == (found[2] == "==")


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("jq"), reason="jq is not installed, as it is at GitHub")
def test_the_workflow_sends_once_what_is_in_the_repository(tmp_path: Path) -> None:
    with MastodonServer() as server:
        github = Runner(tmp_path, server.url)
        github.push(hello="Hello", second="Second")
        assert "2 posts added" in github.run("push")
        begun = github.state
        assert begun
        github.run("schedule")
        assert (github.state, server.posts()) == (begun, []), "nothing was due"

        github.run("workflow_dispatch", "edit 1 --at now")
        assert [post.text for post in server.posts()] == ["Hello"]
        sent = github.state
        assert sent != begun
        github.run("schedule")
        assert github.state == sent
        assert len(server.published_requests()) == 1

        github.push("proposal", long="x" * 501)
        assert "1 more than the 500" in github.run("pull_request", branch="proposal", code=1)
        assert github.state == sent, "a proposal changes nothing"

        # One that dies before it could say what it has sent.
        hook = github.origin / "hooks" / "update"
        hook.write_text('#!/bin/sh\n! git log -1 --format=%s "$3" | grep -q sent\n')
        hook.chmod(0o755)
        github.run("workflow_dispatch", "edit 2 --at now", code=1)
        assert len(server.published_requests()) == 2
        hook.unlink()
        assert "::error::" in github.run("schedule", code=1)
        github.run("workflow_dispatch", "cancel 2")
        github.run("schedule")
        assert len(server.published_requests()) == 2
        assert "sending" not in github.git("-C", str(github.origin), "ls-tree", "--name-only",
                                           "postsched-state")  # fmt: skip
