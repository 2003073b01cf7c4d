"""The secrets file on a real disk: what is kept, who may read it, and each failure's sentence."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from postsched.domain.errors import SecretUnavailable
from postsched.secrets import Passphrase, SecretsFile, durable
from postsched.secrets.passphrase import NEW_VARIABLE
from postsched.secrets.sealed import Cost

CHEAP = Cost(2**14, 8, 1)
ROOT = Path(__file__).parents[2]
not_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may do all of it"
)


def opened(path: Path, words: str | None = "open up", cost: Cost = CHEAP) -> SecretsFile:
    """The file, as a new process would see it."""
    environ = {} if words is None else {"POSTSCHED_PASSPHRASE": words}
    return SecretsFile(path, Passphrase(environ), cost)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file is to be."""
    return tmp_path / "postsched-secrets.json"


@pytest.fixture
def filled(path: Path) -> Path:
    """A file with two accounts."""
    file = opened(path)
    file.write("me", "SESAME")
    file.write("work", "SESAME2")
    return path


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(SecretUnavailable) as caught:
        act()
    assert caught.value.hint
    said = str(caught.value)
    assert "SESAME" not in said
    assert "open up" not in said
    assert "\n" not in said
    return said


def every_act(file: SecretsFile) -> list[Callable[[], object]]:
    """All that can be done with a file and needs the passphrase."""
    return [
        lambda: file.read("me"),
        lambda: file.write("me", "SESAME3"),
        lambda: file.delete("me"),
        file.open,
    ]


def test_what_is_written_is_read_by_another(path: Path) -> None:
    file = opened(path)
    assert not path.exists()
    assert (file.read("me"), file.holds("me"), file.accounts()) == (None, False, frozenset())
    file.write("me", "SESAME")
    file.write("work", '{"access_token": "SESAME \U0001f511"}')
    other = opened(path)
    assert other.read("me") == "SESAME"
    assert other.read("work") == '{"access_token": "SESAME \U0001f511"}'
    assert other.read("nobody") is None
    other.write("me", "SESAME3")
    assert file.read("me") == "SESAME3", "what others wrote is seen"
    file.delete("me")
    file.delete("me")
    file.delete("nobody")
    assert other.accounts() == {"work"}
    assert other.read("me") is None
    assert not any(b"SESAME" in p.read_bytes() for p in path.parent.iterdir())


def test_only_its_owner_may_read_it(path: Path) -> None:
    before = os.umask(0)
    try:
        opened(path).write("me", "SESAME")
        path.chmod(0o600)
        opened(path).write("me", "SESAME2")
    finally:
        os.umask(before)
    assert {stat.S_IMODE(p.stat().st_mode) for p in path.parent.iterdir()} == {0o600}


def test_names_need_no_passphrase_and_no_key(filled: Path) -> None:
    file = opened(filled, None)
    assert file.holds("me")
    assert not file.holds("you")
    code = (
        "import sys; from pathlib import Path; from postsched.secrets import *;"
        f"f = SecretsFile(Path({str(filled)!r}), Passphrase({{}}));"
        "assert f.holds('me'); print('cryptography' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_the_key_is_made_once(path: Path) -> None:
    file = opened(path, cost=Cost())
    start = time.process_time()
    file.write("me", "SESAME")
    dear = time.process_time() - start
    start = time.process_time()
    for _ in range(20):
        assert file.read("me") == "SESAME"
    assert (time.process_time() - start) / 20 < dear / 5


def test_a_new_key_is_made_for_another_file_in_its_place(path: Path) -> None:
    file = opened(path)
    file.write("me", "SESAME")
    path.unlink()
    opened(path).write("me", "SESAME2")
    assert file.read("me") == "SESAME2"
    file.write("me", "SESAME3")
    assert opened(path).read("me") == "SESAME3"


def test_a_wrong_passphrase_changes_nothing(filled: Path) -> None:
    before = filled.read_bytes()
    for act in every_act(opened(filled, "close down")):
        said = refusal(act)
        assert f"the passphrase is not that of the secrets file {filled}" in said
    assert filled.read_bytes() == before
    assert opened(filled, "close down").holds("me")


def test_no_passphrase(filled: Path) -> None:
    before = filled.read_bytes()
    for act in every_act(opened(filled, None)):
        assert f"no passphrase is given for {filled}" in refusal(act)
    assert filled.read_bytes() == before
    empty = opened(filled.with_name("new"), "")
    assert "is empty" in refusal(lambda: empty.write("me", "SESAME"))
    assert not empty.path.exists()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda b: b[: len(b) // 2], "is damaged: it is cut off, or no JSON"),
        (lambda b: b"", "is damaged: it is cut off, or no JSON"),
        (lambda b: b"{}", "is no secrets file of postsched"),
        (lambda b: b.replace(b'"version": 1', b'"version": 2'), "written by a newer postsched"),
        (lambda b: b.replace(b'"work"', b'"week"'), "is damaged: its content is not what"),
        (lambda b: b.replace(b'"n": 16384', b'"n": 1073741824'), "costs too little or too much"),
        (lambda b: b + b" " * 9 * 2**20, "is larger than any secrets file"),
    ],
)
def test_a_broken_file_is_left_as_it_is(
    filled: Path, damage: Callable[[bytes], bytes], said: str
) -> None:
    filled.write_bytes(damage(filled.read_bytes()))
    before = filled.read_bytes()
    acts = every_act(opened(filled))
    for act in acts:
        found = refusal(act)
        assert said in found
        assert str(filled) in found
    assert filled.read_bytes() == before


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o777, 0o620, 0o601])
def test_a_file_that_others_may_use_is_refused(filled: Path, mode: int) -> None:
    filled.chmod(mode)
    for act in [*every_act(opened(filled)), opened(filled).accounts]:
        said = refusal(act)
        assert f"others than you may use the secrets file {filled} (mode {mode:o})" in said
        assert f"chmod 600 {filled}" in said


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may chown")
def test_the_file_of_another_user_is_refused(filled: Path) -> None:
    os.chown(filled, 12345, -1)
    said = refusal(lambda: opened(filled).read("me"))
    assert "belongs to another user" in said
    assert "12345" in said


def test_what_is_no_file_is_refused_and_never_waited_for(path: Path) -> None:
    path.mkdir()
    assert "is no file" in refusal(lambda: opened(path).write("me", "SESAME"))
    path.rmdir()
    os.mkfifo(path, 0o600)
    assert "is no file" in refusal(lambda: opened(path).read("me"))
    path.unlink()
    path.symlink_to("elsewhere")
    assert "can't be read" in refusal(lambda: opened(path).write("me", "SESAME"))
    assert not (path.parent / "elsewhere").exists()


def test_a_folder_that_is_missing_is_made(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "secrets"
    opened(path).write("me", "SESAME")
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    (tmp_path / "file").touch()
    below = tmp_path / "file" / "secrets"
    assert "Not a directory" in refusal(lambda: opened(below).write("me", "SESAME"))


@not_root
def test_a_folder_that_may_not_be_written(filled: Path) -> None:
    filled.parent.chmod(0o500)
    try:
        assert "Permission denied" in refusal(lambda: opened(filled).write("me", "SESAME3"))
        assert opened(filled).read("me") == "SESAME"
    finally:
        filled.parent.chmod(0o700)


def test_a_lock_that_can_not_be_made(filled: Path) -> None:
    lock = filled.with_name(filled.name + ".lock")
    lock.unlink()
    lock.mkdir()
    before = filled.read_bytes()
    said = refusal(lambda: opened(filled).write("me", "SESAME3"))
    assert "can't be written: Is a directory" in said
    assert filled.read_bytes() == before


def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="limits as on Unix")
    path = tmp_path / "secrets"
    opened(path).write("me", "SESAME")
    code = f"""
import resource, signal
from pathlib import Path
from postsched.domain.errors import SecretUnavailable
from postsched.secrets import Passphrase, SecretsFile
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
file = SecretsFile(Path({str(path)!r}), Passphrase({{"POSTSCHED_PASSPHRASE": "open up"}}))
try:
    file.write("work", "x" * 5000)
except SecretUnavailable as error:
    print(error)
"""
    assert resource
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "can't be written: File too large" in done.stdout
    assert opened(path).read("me") == "SESAME"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["secrets", "secrets.lock"]


def test_a_writer_that_hangs_is_not_waited_for_for_ever(path: Path) -> None:
    with durable.locked(path):

        def wait() -> None:
            with durable.locked(path, patience=0.05):
                pass

        assert "another process has been writing" in refusal(wait)
    with durable.locked(path, patience=0.05):
        pass


def test_threads_of_one_process_lose_nothing(path: Path) -> None:
    file = opened(path)

    def write(name: str) -> None:
        for n in range(5):
            file.write(name, f"{name} {n}")
            assert file.read(name) == f"{name} {n}"

    threads = [threading.Thread(target=write, args=(f"a{n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {name: opened(path).read(name) for name in file.accounts()} == {
        f"a{n}": f"a{n} 4" for n in range(6)
    }


def test_each_writing_has_its_nonce_and_all_have_the_salt(path: Path) -> None:
    file, seen = opened(path), []
    for n in range(3):
        file.write("me", str(n))
        document: dict[str, Any] = json.loads(path.read_bytes())
        seen.append((document["nonce"], document["kdf"]["salt"]))
    assert [len(set(column)) for column in zip(*seen, strict=True)] == [3, 1]
    before = path.read_bytes()
    file.write("me", "2")
    assert path.read_bytes() == before, "nothing new is not written"


def new_words(text: str | None) -> Passphrase:
    """A new passphrase, in the environment."""
    given = {} if text is None else {NEW_VARIABLE: text}
    return Passphrase(given, None, NEW_VARIABLE)


def test_another_passphrase(filled: Path) -> None:
    file, before = opened(filled), filled.read_bytes()
    running = opened(filled)
    assert running.read("me") == "SESAME"
    file.change_passphrase(new_words("close it"))
    assert file.read("me") == "SESAME"
    assert opened(filled, "close it").read("work") == "SESAME2"
    assert stat.S_IMODE(filled.stat().st_mode) == 0o600
    assert json.loads(before)["kdf"]["salt"] != json.loads(filled.read_bytes())["kdf"]["salt"]
    for act in (*every_act(running), *every_act(opened(filled))):
        assert "the passphrase is not that of" in refusal(act)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("wrong", "close it", "the passphrase is not that of"),
        (None, "close it", "no passphrase is given for"),
        ("open up", None, "no new passphrase is given for"),
        ("open up", "", "POSTSCHED_NEW_PASSPHRASE is empty"),
    ],
)
def test_another_passphrase_that_can_not_be(
    filled: Path, old: str | None, new: str | None, said: str
) -> None:
    before = filled.read_bytes()
    assert said in refusal(lambda: opened(filled, old).change_passphrase(new_words(new)))
    assert filled.read_bytes() == before


def test_another_passphrase_is_written_whole_or_not_at_all(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    before = filled.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr("os.replace", killed)
        with pytest.raises(KeyboardInterrupt):
            opened(filled).change_passphrase(new_words("close it"))
    assert filled.read_bytes() == before
    opened(filled).change_passphrase(new_words("close it"))
    assert opened(filled, "close it").accounts() == {"me", "work"}
    assert "there is no secrets file" in refusal(
        lambda: opened(filled.with_name("none")).change_passphrase(new_words("close it"))
    )
