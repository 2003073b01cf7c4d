"""Environment first, keyring after it; each failure of a keyring in its own words."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from postsched.domain.errors import InvalidInput
from postsched.domain.secret import Secret
from postsched.secrets import Secrets, check_names, variable

ROOT = Path(__file__).parents[2]
FAKES = "tests.secrets.backends"
SCRIPT = """
import json, logging, os, sys
logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
from postsched.domain.errors import PostschedError
from postsched.domain.secret import Secret
from postsched.secrets import Secrets
secrets = Secrets(os.environ, "--plain" in sys.argv)
def tell(value):
    return value.reveal() if isinstance(value, Secret) else value
answers = {}
for name, act in {
    "write": lambda: secrets.write("me", Secret("SESAME")),
    "read": lambda: secrets.read("me"),
    "source": lambda: secrets.source("me"),
    "name": lambda: secrets.keyring_name(),
    "delete": lambda: secrets.delete("me"),
    "again": lambda: secrets.delete("me"),
    "gone": lambda: secrets.read("me"),
}.items():
    try:
        answers[name] = tell(act())
    except PostschedError as error:
        kind = next(k for k in type(error).__mro__ if k.__module__.startswith("postsched.domain"))
        answers[name] = [kind.__name__, error.message, error.hint]
        assert error.__cause__ is None and "SESAME" not in repr((error.__context__, str(error)))
answers["imported"] = "keyring" in sys.modules
print(json.dumps(answers))
"""


def scene(tmp_path: Path, backend: str | None, *more: str, **environ: str) -> dict[str, Any]:
    """What writing, reading, deleting come to, in a process with that backend and no terminal."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("POSTSCHED_", "DBUS_", "PY"))}
    home = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    chosen = {"PYTHON_KEYRING_BACKEND": backend} if backend is not None else {}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *more],
        env={**kept, **home, **chosen, "PYTHONPATH": str(ROOT), **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        start_new_session=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "SESAME" not in done.stderr
    answers: dict[str, Any] = json.loads(done.stdout)
    return answers


def test_a_keyring_keeps_it(tmp_path: Path) -> None:
    assert scene(tmp_path, f"{FAKES}.Memory") == {
        "write": None, "read": "SESAME", "source": "keyring", "name": f"{FAKES}.Memory",
        "delete": None, "again": None, "gone": None, "imported": True,
    }  # fmt: skip


def test_with_the_variable_the_keyring_is_not_even_imported(tmp_path: Path) -> None:
    found = scene(tmp_path, "no.such.Backend", POSTSCHED_TOKEN_ME="from here")
    assert found["read"] == "from here"
    assert found["source"] == "environment"
    assert found["delete"] is None
    assert found["write"][:2] == [
        "SecretUnavailable",
        "POSTSCHED_TOKEN_ME is set, and would win over what is kept for 'me'",
    ]
    only = "import os,sys; from postsched.secrets import Secrets; s=Secrets(os.environ)"
    code = f"{only}; s.read('me'); s.source('me'); s.delete('me'); print('keyring' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "POSTSCHED_TOKEN_ME": "x", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "False\n"


@pytest.mark.parametrize(
    ("backend", "words"),
    [
        ("Missing", "there is no keyring on this system"),
        ("Locked", "is locked, or was opened with a wrong password"),
        ("NoCollection", "has no collection, and the prompt to make one was dismissed"),
        ("Dismissed", "prompt was dismissed"),
        ("WrongMac", "can't be decrypted: the password was wrong"),
        ("Asking", "there is no terminal to answer on"),
        ("Exploding", "failed (ZeroDivisionError)"),
    ],
)
def test_each_failure_has_its_sentence(tmp_path: Path, backend: str, words: str) -> None:
    found = scene(tmp_path, f"{FAKES}.{backend}")
    for name in ("write", "read", "source", "delete", "name"):
        kind, message, hint = found[name]
        assert kind == "SecretUnavailable"
        assert words in message
        assert "set POSTSCHED_TOKEN_" in hint
        assert "\n" not in message + hint


def test_no_keyring_at_all(tmp_path: Path) -> None:
    found = scene(tmp_path, "keyring.backends.fail.Keyring")
    assert "there is no keyring on this system" in found["read"][1]
    assert "there is no keyring on this system" in found["write"][1]


@pytest.mark.parametrize("backend", ["keyring.backends.null.Keyring", f"{FAKES}.Garbling"])
def test_a_backend_that_drops_it_is_found_out(tmp_path: Path, backend: str) -> None:
    kind, message, hint = scene(tmp_path, backend)["write"]
    assert kind == "SecretUnavailable"
    assert "did not keep the secret of account 'me'" in message
    assert "PYTHON_KEYRING_BACKEND" in hint


def test_a_backend_that_refuses_to_save(tmp_path: Path) -> None:
    assert "refused to save" in scene(tmp_path, f"{FAKES}.Refusing")["write"][1]


def test_a_damaged_entry_is_said(tmp_path: Path) -> None:
    kind, message, _ = scene(tmp_path, f"{FAKES}.Broken")["read"]
    assert kind == "SecretUnavailable"
    assert "entry for account 'me' can't be used: the secret has a line break" in message


@pytest.mark.parametrize(
    "backend",
    [
        "no.such.Backend", "", "nonsense", f"{FAKES}.Absent", f"{FAKES}.Unviable",
        f"{FAKES}.NotABackend",
    ],
)  # fmt: skip
def test_a_wrong_backend_is_said(tmp_path: Path, backend: str) -> None:
    kind, message, hint = scene(tmp_path, backend)["read"]
    assert kind == "SecretUnavailable"
    assert "can't be loaded" in message
    assert "PYTHON_KEYRING_BACKEND" in hint


def test_plain_text_is_refused_unless_allowed(tmp_path: Path) -> None:
    for backend in (f"{FAKES}.PlaintextMemory", "keyrings.alt.file.PlaintextKeyring"):
        if backend.startswith("keyrings"):
            pytest.importorskip("keyrings.alt.file", reason="keyrings.alt is not installed")
        refused = scene(tmp_path, backend)
        for name in ("write", "read", "delete"):
            assert "would keep secrets as plain text" in refused[name][1]
        assert not any("SESAME" in p.read_text() for p in tmp_path.rglob("*") if p.is_file())
        allowed = scene(tmp_path, backend, "--plain")
        assert (allowed["read"], allowed["gone"]) == ("SESAME", None)


def test_a_chain_neither_asks_nor_falls_back_to_plain_text(tmp_path: Path) -> None:
    pytest.importorskip("keyrings.alt.file", reason="keyrings.alt is not installed")
    found = scene(
        tmp_path,
        "keyring.backends.chainer.ChainerBackend",
    )
    assert found["read"][0] == "SecretUnavailable"
    assert "plain text" in found["read"][1]
    allowed = scene(
        tmp_path,
        "keyring.backends.chainer.ChainerBackend",
        "--plain",
    )
    assert allowed["read"] == "SESAME"


def test_a_bad_variable_is_named_and_not_shown() -> None:
    secrets = Secrets({"POSTSCHED_TOKEN_ME": "SESAME\nSESAME", "POSTSCHED_TOKEN_YOU": ""})
    with pytest.raises(InvalidInput, match="POSTSCHED_TOKEN_ME: the secret has a line break") as e:
        secrets.read("me")
    assert "SESAME" not in str(e.value)
    with pytest.raises(InvalidInput, match="POSTSCHED_TOKEN_YOU: the secret is empty"):
        secrets.read("you")


def test_a_platforms_client_secret_comes_from_the_environment_only() -> None:
    names = {"POSTSCHED_CLIENT_SECRET_MY_NET": "SESAME\n", "POSTSCHED_CLIENT_SECRET_B": "a\nSESAME"}
    secrets = Secrets(names)
    found = secrets.client_secret("my-net")
    assert found is not None
    assert found.text == "SESAME"
    assert secrets.client_secret("x") is None
    with pytest.raises(InvalidInput, match="POSTSCHED_CLIENT_SECRET_B: the secret has a") as e:
        secrets.client_secret("b")
    assert "SESAME" not in str(e.value)


def test_an_object_in_the_environment() -> None:
    found = Secrets({"POSTSCHED_TOKEN_A": '{"access_token": "a", "expires_at": 1}'}).read("a")
    assert found is not None
    assert (found.text, found.get("expires_at")) == ("a", 1)
    assert repr(found) == "<secret>"


@pytest.mark.parametrize(
    ("account", "name"),
    [
        ("me", "ME"), ("me.work", "ME_WORK"), ("acme-x", "ACME_X"), ("a@b", "A_B"), ("2nd", "2ND"),
    ],
)  # fmt: skip
def test_the_variable_of_an_account(account: str, name: str) -> None:
    assert variable(account) == f"POSTSCHED_TOKEN_{name}"


def test_names_that_share_a_variable_are_refused() -> None:
    check_names(["me", "work", "me"])
    with pytest.raises(InvalidInput, match=r"'me-work' and 'me\.work' .* POSTSCHED_TOKEN_ME_WORK"):
        check_names(["x", "me-work", "me.work"])
    with pytest.raises(InvalidInput, match="share"):
        check_names(["me", "Me"])


def test_a_secret_that_would_not_come_back_is_not_written() -> None:
    with pytest.raises(InvalidInput):
        Secrets({}).write("me", Secret("two\nlines"))
