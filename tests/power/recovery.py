"""After the power is back: the files are put where they were, the networks know what they knew,
postsched goes on, and the networks' ledgers are the judge."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any

from postsched import transport
from tests.matrix.stands import STANDS
from tests.power.disk import Disk, Fate, Kind
from tests.power.scene import NETWORKS, Recording

HANGS = 120
"""Seconds after which going on counts as hanging."""
UNDECIDED = {"t"}
"""Accounts on networks that can't be asked: there a person decides, at worst."""


@dataclass(frozen=True)
class Ruin:
    """What a power loss left, at nanoseconds since the epoch; the tree as `Disk.after` gives it."""

    name: str
    at: int
    tree: Mapping[str, tuple[Kind, bytes]]

    @property
    def fingerprint(self) -> str:
        """Equal for what is equal."""
        whole = sha256()
        for path, (kind, content) in self.tree.items():
            whole.update(f"{path} {kind} {len(content)} ".encode() + content)
        return whole.hexdigest()


def ruins(recording: Recording, seed: int, torn: int) -> Iterator[Ruin]:
    """Every power loss: right before each sync is done, with nothing, all, or (`torn` times) some
    of what is not durable yet, and right after it; each different tree with each ledger once."""
    rng = Random(f"{seed} ruins")
    disk, seen = _disk_before(recording), set()
    for number, event in enumerate(recording.events):
        if event.sync:
            fates = [Fate.NOTHING, Fate.ALL, *[Fate.SOME] * torn]
            before = [_ruin(disk, number, event.at - 1, fate, rng) for fate in fates]
            event.done(disk)
            found = [*before, _ruin(disk, number, event.at, Fate.NOTHING, rng)]
        else:
            event.done(disk)
            found = []
        for ruin in found:
            known = ruin.fingerprint, _known(recording, ruin.at)
            if known not in seen:
                seen.add(known)
                yield ruin
    yield _ruin(disk, len(recording.events), sys.maxsize, Fate.NOTHING, rng)


def _disk_before(recording: Recording) -> Disk:
    """The disk before the recording, by its names then."""
    disk = Disk(recording.before)
    old, new = str(recording.before), str(recording.home)
    disk.root = recording.home
    for names in (disk.names, disk.firm):
        moved = {new + name.removeprefix(old): node for name, node in names.items()}
        names.clear()
        names.update(moved)
    return disk


def _ruin(disk: Disk, number: int, at: int, fate: Fate, rng: Random) -> Ruin:
    return Ruin(f"event {number}, {fate}", at, disk.after(fate, rng))


def _known(recording: Recording, at: int) -> tuple[int, ...]:
    """How much each network had been asked, and how much acknowledged, by then."""
    counts = [sum(r.at <= at for r in requests) for requests in recording.requests.values()]
    return (*counts, sum(when <= at for when, _ in recording.acknowledged))


def differences(recording: Recording) -> list[str]:
    """Where the disk that was made of the recording differs from the real one at its end: then
    something was done to it that nobody recorded."""
    disk = _disk_before(recording)
    for event in recording.events:
        event.done(disk)
    made = {n: bytes(node.now) for n, node in disk.names.items() if node.kind is Kind.FILE}
    real = {str(p): p.read_bytes() for p in recording.home.rglob("*") if p.is_file()}
    return [name for name in sorted({*made, *real})
            if made.get(name) != real.get(name) and not name.endswith("-shm")]  # fmt: skip


def faults(recording: Recording, ruin: Ruin) -> list[str]:
    """What is wrong after that power loss, in a process of its own; nothing, if all is well."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        signal.alarm(HANGS)
        try:
            found = _recover(recording, ruin)
        except BaseException as error:  # noqa: BLE001 - it is told by the parent
            found = [f"{type(error).__name__}: {error}"]
        with os.fdopen(writer, "w") as answer:
            json.dump([found, list(sys.modules)], answer)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answer:
        said = answer.read()
    os.waitpid(child, 0)
    if not said:
        return ["it hung, or died"]
    found, modules = json.loads(said)
    _load(modules)
    return list(found)


def _load(modules: Sequence[str]) -> None:
    """Import what the last one needed, so that the next one has it."""
    for name in modules:
        if name not in sys.modules:
            with suppress(ImportError):
                import_module(name)
    transport.tls()


def _recover(recording: Recording, ruin: Ruin) -> list[str]:
    from postsched.store.copies import faults as faults_in

    rebuild(recording.home, ruin, Random(ruin.name))
    os.environ.clear()
    os.environ.update(recording.environment)
    place = recording.home / "posts.db"
    with _networks(recording, ruin) as servers:
        before = _posts()
        damage = faults_in(place) if place.exists() else []
        code, said = _call("run", "--until-idle", "--no-live") if before else (0, "")
        after = _posts()
        damage += faults_in(place) if place.exists() else []
        out = {name: Counter(s.text for s in STANDS[PLATFORMS[name]].out(server, recording.home))
               for name, server in servers.items()}  # fmt: skip
    found = [f"damaged: {one}" for one in damage]
    found += [f"run ended with {code}: {said}"] if code > 1 else []  # 1: a person is needed
    wanted = {text for when, text in recording.acknowledged if when <= ruin.at}
    found += [f"{text!r} is forgotten" for text in wanted - set(after)]
    for name in recording.accounts:
        statuses = {text: deliveries[name] for text, deliveries in after.items()}
        found += _judge(name, out[name], statuses)
    return found


PLATFORMS = {"m": "mastodon", "t": "telegram", "o": "outbox"}


def _judge(account: str, out: Counter[str], statuses: Mapping[str, str]) -> Iterator[str]:
    """Never twice, never lost, nothing out that is not known."""
    for text in out.keys() - statuses.keys():
        yield f"{text!r} is out on {account} and not known"
    for text, status in statuses.items():
        count = out[text]
        decided = status == "published" and count == 1
        doubtful = status == "unconfirmed" and count <= 1 and account in UNDECIDED
        if not decided and not doubtful:
            yield f"{text!r} is {status} and {count} times out on {account}"


@contextmanager
def _networks(recording: Recording, ruin: Ruin) -> Iterator[dict[str, Any]]:
    """The networks as they were: each is told again what it was told until then."""
    with ExitStack() as stack:
        servers: dict[str, Any] = {}
        for name in recording.accounts:
            if name == "o":
                servers[name] = None
                continue
            server = stack.enter_context(NETWORKS[name](port=recording.ports[name]))
            for request in recording.requests[name]:
                if request.at <= ruin.at:
                    server.answer(request)
            servers[name] = server
        yield servers


def rebuild(home: Path, ruin: Ruin, rng: Random) -> None:
    """Put the files there; what SQLite keeps in shared memory is anything, after a power loss."""
    shutil.rmtree(home)
    home.mkdir()
    for name, (kind, content) in ruin.tree.items():
        path = Path(name)
        if kind is Kind.FOLDER:
            path.mkdir(0o700)
        elif kind is Kind.BELL:
            os.mkfifo(path, 0o600)
        else:
            path.touch(0o600)
            shared = name.endswith("-shm")
            path.write_bytes(rng.randbytes(len(content)) if shared else content)


def _posts() -> dict[str, dict[str, str]]:
    """Text -> account -> status, of all posts that postsched knows."""
    code, said = _call("list", "--all", "--json")
    assert code == 0, said
    return {
        post["parts"][0]["text"]: {d["account"]: d["status"] for d in post["deliveries"]}
        for post in json.loads(said)
    }


def _call(*words: str) -> tuple[int, str]:
    """A command in this process; its exit code, and what it said."""
    from postsched.cli.app import run

    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
    with redirect_stdout(out), redirect_stderr(err):
        code = run(words)
    for stream in (out, err):
        stream.flush()
    text = out if code == 0 else err
    return code, text.buffer.getvalue().decode()
