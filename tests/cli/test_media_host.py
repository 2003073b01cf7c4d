"""Files for networks that fetch media, through a media host: a strict S3 on loopback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from postsched.testing import Answer, Fault, FaultKind
from postsched.testing.graph import TOKEN
from tests.cli.posting import Posting
from tests.servers.bucket import ACCESS_KEY, BUCKET, KEYS, SECRET_KEY, BucketServer
from tests.servers.fetching import Fetching, FetchingInstagram, FetchingThreads
from tests.servers.process import free_port

pytestmark = pytest.mark.slow
"""The crash matrix and the contract of adapters go through the same in the gate."""

pytest.importorskip("botocore", reason="botocore, of the extra s3, is not installed")
Image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
FULL = Fault(FaultKind.ANSWER, Answer(507, b""))
BUSY = Fault(FaultKind.ANSWER, Answer(503, b"", {"Retry-After": "7"}))
PUT, DELETE = ("PUT", ".*"), ("DELETE", ".*")


@pytest.fixture
def bucket() -> Iterator[BucketServer]:
    with BucketServer() as server:
        yield server


@pytest.fixture
def network() -> Iterator[Fetching]:
    with FetchingInstagram() as server:
        yield server


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A JPEG that Instagram takes as it is."""
    path = tmp_path / "cat.jpg"
    Image.new("RGB", (640, 640), (90, 120, 30)).save(path)
    return path


@pytest.fixture
def person(cli: Posting, network: Fetching, bucket: BucketServer) -> Posting:
    """One with an Instagram account and a bucket."""
    cli.call.set(POSTSCHED_TOKEN_IG=TOKEN)  # its own processes have another keyring
    cli("account", "add", "ig", "--platform", "instagram", "--url", network.url)
    cli.call.set(**bucket.settings, POSTSCHED_MEDIA_HOST_SECRET=json.dumps(KEYS))
    return cli


def add(person: Posting, picture: Path, *words: str, to: str = "ig") -> None:
    person("add", "Look", "--media", str(picture), "--to", to, *(words or ("--at", "now")))


def delivery(person: Posting, number: int = 1) -> dict[str, Any]:
    (found,) = person.json("show", str(number))["deliveries"]
    return dict(found)


def left(person: Posting) -> list[dict[str, Any]]:
    """What is on record of the host."""
    return list(person.json("media-host", "show")["objects"])


def wait_until(condition: Callable[[], object], patience: float = 15.0) -> None:
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)


def test_a_picture_of_this_machine_is_fetched_and_then_gone(
    person: Posting, network: Fetching, bucket: BucketServer, picture: Path
) -> None:
    add(person, picture, "--alt", "A cat", "--at", "now")
    answer = person("publish-due")
    assert delivery(person)["status"] == "published", answer
    assert [found[:3] for found in network.fetched] == [b"\xff\xd8\xff"]
    (name,) = bucket.ever
    assert name.startswith("postsched-")
    assert name.endswith(".jpg")
    assert len(name) > 40
    assert (bucket.objects, left(person)) == ({}, [])
    assert [r.method for r in bucket.requests] == ["PUT", "GET", "DELETE"]
    for column in ("text", "steps", "evidence"):
        table = {"text": "posts", "steps": "deliveries", "evidence": "attempts"}[column]
        assert "X-Amz" not in str(person.rows(f"SELECT {column} FROM {table}"))


def test_a_file_is_refused_when_written_where_it_can_not_be_put_in_public(
    person: Posting, bucket: BucketServer, picture: Path
) -> None:
    words = ("add", "Look", "--media", str(picture), "--to", "ig", "--at", "now")
    person.call.set(POSTSCHED_MEDIA_HOST_SECRET="")
    del os.environ["POSTSCHED_MEDIA_HOST_SECRET"]
    assert "has no secret. Give it: postsched media-host set" in person.refused(2, *words)
    person("media-host", "set", "--secret-stdin", stdin=json.dumps(KEYS))
    person(*words, "--dry-run")
    person("media-host", "remove")
    assert "has no secret" in person.refused(2, *words)
    for name in bucket.settings:
        del os.environ[name]
    said = person.refused(2, *words)
    assert "fetches media itself: give a public address of it instead, or name a place" in said
    assert "[media_host]" in said
    person("add", "Look", "--media", "https://a.example/b.jpg", "--to", "ig", "--in", "1h")


REFUSED = [
    ("wrong key", "failed", "refuses the secret", "SignatureDoesNotMatch"),
    ("no bucket", "failed", "has no such bucket", "set bucket under"),
    ("other region", "failed", "another region", 'region = "eu-central-1"'),
    ("moved", "failed", "says that it is at http://127.0.0.1:1/internal", "HTTP 307"),
    ("full", "retrying", "is full", "Make room there"),
    ("busy", "retrying", "can't do it now", "503"),
    ("down", "retrying", "can't be reached", "connect"),
    ("slow", "retrying", "gave no answer in time", ""),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("case", "status", "said", "more"),
    [case if n < 3 else pytest.param(*case, marks=pytest.mark.slow)
     for n, case in enumerate(REFUSED)],
)  # fmt: skip
def test_what_the_host_refuses_is_said_in_a_sentence(
    person: Posting, network: Fetching, bucket: BucketServer, picture: Path,
    case: str, status: str, said: str, more: str,
) -> None:  # fmt: skip
    moved = Answer(307, b"", {"Location": "http://127.0.0.1:1/internal?X=1"})
    faults = {"full": FULL, "busy": BUSY, "moved": Fault(FaultKind.ANSWER, moved),
              "slow": Fault(FaultKind.HANG)}  # fmt: skip
    if case in faults:
        bucket.program(faults[case], *PUT)
    changes = {
        "wrong key": {"SECRET": json.dumps({**KEYS, "secret_key": "another-secret-0002"})},
        "no bucket": {"BUCKET": "other"},
        "other region": {"REGION": "us-west-2"},
        "down": {"URL": f"http://127.0.0.1:{free_port()}"},
    }
    add(person, picture)
    person.call.set(
        POSTSCHED_TIMEOUT="1s",
        **{f"POSTSCHED_MEDIA_HOST_{k}": v for k, v in changes.get(case, {}).items()},
    )
    answer = person.call("publish-due")
    found = delivery(person)
    assert found["status"] == status, answer
    assert (
        f"the media host {person.json('media-host', 'show')['url'][7:]}"
        in (found["error"]["message"])
    )
    whole = f"{found['error']['message']} {found['error']['hint']}"
    assert said in whole
    assert more in whole
    assert (network.ledger, network.addresses, bucket.objects) == ([], [], {})
    for secret in (SECRET_KEY, "another-secret-0002", ACCESS_KEY):
        assert secret not in answer.err + answer.out + json.dumps(found)
    assert [one["stored_at"] for one in left(person)] in ([], [None])


@pytest.mark.slow
def test_what_needs_a_host_that_is_no_longer_set_waits_for_it(
    person: Posting, network: Fetching, bucket: BucketServer, picture: Path
) -> None:
    add(person, picture)
    person.call.set(**dict.fromkeys(bucket.settings, ""))
    for _ in range(4):  # more than there are tries
        person.call("publish-due")
        with person.database() as base:
            base.execute("UPDATE deliveries SET next_at = occurrence, due_at = occurrence")
    found = delivery(person)
    assert (found["status"], found["attempts"]) == ("retrying", 0)
    assert found["error"]["message"].endswith("for this network, and no media host is set")
    assert "Name a place to put files under [media_host]" in found["error"]["hint"]
    person.call.set(**bucket.settings)
    person.call("publish-due")
    assert (delivery(person)["status"], len(network.ledger)) == ("published", 1)


@pytest.mark.slow
def test_what_is_retried_later_uses_what_is_there(
    person: Posting, network: Fetching, bucket: BucketServer, picture: Path
) -> None:
    network.program(Fault(FaultKind.ANSWER), "POST", r".*/media", count=2)
    add(person, picture)
    for lost in (False, True):
        person("publish-due")
        assert delivery(person)["status"] == "retrying"
        assert "  tried " in person("show", "1").out  # nothing was sent yet
        assert len(bucket.objects) == len(left(person)) == len(bucket.ever) == 1
        assert left(person)[0]["stored_at"]
        person.set_delivery(next_at=1, due_at=1)  # its next try is due
        if lost:
            bucket.objects.clear()  # somebody has taken it away: it is stored again
    person("publish-due")
    assert delivery(person)["status"] == "published"
    assert "  sent " in person("show", "1").out
    methods = [request.method for request in bucket.requests]
    assert (methods.count("PUT"), methods.count("DELETE")) == (2, 1)
    assert (len(set(bucket.ever)), bucket.objects, left(person)) == (1, {}, [])


def test_a_removal_that_fails_harms_nothing_is_said_and_made_up_for(
    person: Posting, bucket: BucketServer, picture: Path
) -> None:
    bucket.program(BUSY, *DELETE)
    add(person, picture)
    answer = person("publish-due")
    assert delivery(person)["status"] == "published"
    assert "can't be removed from the media host" in answer.err
    (one,) = left(person)
    assert (one["tries"], len(bucket.objects)) == (1, 1)
    found = [f for f in person.call("doctor", "--json").json if f["check"] == "media host"][-1]
    assert found["state"] == "warning"
    assert one["name"] in found["message"]
    assert "503" in found["message"]
    person("publish-due")  # not yet: it waits a minute
    assert bucket.objects
    with person.database() as base:
        base.execute("UPDATE hosted SET remove_at = 0")
    person("publish-due")
    assert (bucket.objects, left(person)) == ({}, [])


@pytest.mark.slow
def test_what_is_cancelled_or_deleted_is_removed(
    person: Posting, bucket: BucketServer, picture: Path
) -> None:
    """Prepared ahead by a daemon, which is told of it by its bell."""
    add(person, picture, "--in", "5m")
    words = [sys.executable, "-m", "postsched", "run", "--no-live"]
    with subprocess.Popen(words, env=person.call.environ(), stderr=subprocess.PIPE) as daemon:
        try:
            wait_until(lambda: bucket.objects)
            wait_until(lambda: left(person)[0]["stored_at"])
            person("cancel", "1")
            wait_until(lambda: not bucket.objects)
            wait_until(lambda: not left(person))
        finally:
            daemon.terminate()
            assert daemon.stderr is not None
            said = daemon.stderr.read().decode()
    assert "Traceback" not in said
    assert daemon.returncode == 0, said


KILLED = [
    ("PUT", FaultKind.HANG),
    ("PUT", FaultKind.HANG_AFTER),
    ("DELETE", FaultKind.HANG),
    ("DELETE", FaultKind.HANG_AFTER),
]


@pytest.mark.parametrize("settled", [True, False], ids=["sent", "cancelled"])
@pytest.mark.parametrize(("method", "kind"), KILLED)
@pytest.mark.slow
def test_whenever_it_is_killed_nothing_is_left(
    person: Posting, network: Fetching, bucket: BucketServer, picture: Path,
    method: str, kind: FaultKind, settled: bool,
) -> None:  # fmt: skip
    _kill_in(person, bucket, picture, method, kind)
    if not settled and method == "PUT":
        bucket.program(FULL, *PUT)
        person("publish-due")
        person("cancel", "1")
    person("publish-due")
    assert (bucket.objects, left(person)) == ({}, [])
    assert len(network.ledger) == (settled or method == "DELETE")
    if settled or method == "DELETE":
        assert delivery(person)["status"] == "published"


@pytest.mark.slow
def test_killed_between_upload_and_record(
    person: Posting, network: Fetching, bucket: BucketServer, picture: Path
) -> None:
    _kill_in(person, bucket, picture, "PUT", FaultKind.HANG_AFTER)
    assert len(bucket.objects) == 1
    assert [one["name"] for one in left(person)] == list(bucket.objects), "it is known"
    person("publish-due")
    assert len(network.ledger) == 1
    assert (bucket.objects, left(person)) == ({}, [])


def _kill_in(
    person: Posting, bucket: BucketServer, picture: Path, method: str, kind: FaultKind
) -> None:
    """Kill publish-due while a request to the host has no answer."""
    bucket.program(Fault(kind), method, ".*")
    add(person, picture)
    words = [sys.executable, "-m", "postsched", "publish-due"]
    with subprocess.Popen(words, env=person.call.environ()) as process:
        try:
            wait_until(lambda: any(r.method == method for r in bucket.requests))
            wait_until(lambda: kind is FaultKind.HANG or bucket.objects or method == "DELETE")
        finally:
            os.kill(process.pid, signal.SIGKILL)


def test_a_thread_with_pictures_on_threads(
    cli: Posting, bucket: BucketServer, picture: Path, tmp_path: Path
) -> None:
    other = tmp_path / "dog.png"
    Image.new("RGB", (320, 320), (9, 9, 99)).save(other)
    with FetchingThreads() as network:
        words = ("account", "add", "th", "--platform", "threads", "--url", network.url)
        cli(*words, "--token-stdin", stdin=TOKEN)
        cli.call.set(**bucket.settings, POSTSCHED_MEDIA_HOST_SECRET=json.dumps(KEYS))
        cli("add", "Two", "--media", str(picture), "--media", str(other), "--then", "more",
            "--to", "th", "--at", "now")  # fmt: skip
        cli("publish-due")
        assert delivery(cli)["status"] == "published"
        assert len(network.fetched) == len(bucket.ever) == 2
    assert (bucket.objects, left(cli)) == ({}, [])


def test_over_webdav(person: Posting, network: Fetching, picture: Path, tmp_path: Path) -> None:
    """Which is asked for by a person who has no bucket; the secret is kept by the keyring."""
    pytest.importorskip("wsgidav", reason="wsgidav, a WebDAV server, is not installed")
    from tests.servers.webdav import LOGIN, PASSWORD, webdav

    for name in ("BUCKET", "REGION", "SECRET"):
        del os.environ[f"POSTSCHED_MEDIA_HOST_{name}"]
    served = tmp_path / "served"
    served.mkdir()
    with webdav(served) as server:
        person.call.set(POSTSCHED_MEDIA_HOST_URL=f"{server.url}/for/networks")
        person("media-host", "set", "--secret-stdin", stdin=json.dumps(LOGIN))
        shown = person("media-host", "show").out
        assert "secret: keyring" in shown
        assert PASSWORD not in shown
        add(person, picture)
        person("publish-due")
        assert delivery(person)["status"] == "published"
        assert [asked[:2] for asked in server.asked if asked[0] in ("PUT", "DELETE")] == [
            ("PUT", path := network.addresses[0].removeprefix(server.url)), ("DELETE", path),
        ]  # fmt: skip
    assert (list((served / "for/networks").iterdir()), left(person)) == ([], [])


def test_no_secret_is_shown_whatever_the_host_gives_back(
    person: Posting, network: Fetching, bucket: BucketServer, picture: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """It repeats the keys in each of its refusals, and the network repeats the address."""
    caplog.set_level("DEBUG", "postsched")
    told = f"<Error><Code>{SECRET_KEY}</Code><Message>{ACCESS_KEY} {SECRET_KEY}</Message></Error>"
    said = ""
    for status in (302, 403):
        answer = Answer(status, told.encode(), {"Location": f"http://a.example/{SECRET_KEY}"})
        bucket.program(Fault(FaultKind.ANSWER, answer), *PUT)
        add(person, picture)
        said += repr(person.call("-vv", "publish-due"))
        bucket.program(Fault(FaultKind.ANSWER, answer), *PUT)
        said += repr(person.call("-vv", "media-host", "check"))
    there = f"{bucket.url}/x.jpg?X-Amz-Credential=AK%2F1&X-Amz-Signature=5ec4e7"
    words = {"error": {"type": "OAuthException", "code": 100,
                       "message": f"{KEYS} is wrong, as is {there}"}}  # fmt: skip
    network.program(Fault(FaultKind.ANSWER, Answer(400, words)), "POST", r".*/media")
    add(person, picture)
    said += repr(person.call("-vv", "publish-due"))
    for word in (("doctor",), ("media-host", "show"), ("show", "1"), ("history",)):
        said += repr(person.call("-vv", *word)) + repr(person.call("-vv", *word, "--json"))
    assert "[secret]" in said
    assert ("X-Amz-Signature=[secret]" in said, "5ec4e7" in said) == (True, False)
    kept = b"".join(path.read_bytes() for path in person.call.home.rglob("*") if path.is_file())
    for secret in (SECRET_KEY, ACCESS_KEY):
        assert secret not in said
        assert secret not in caplog.text
        assert secret.encode() not in kept


def test_the_same_picture_for_two_accounts_is_there_for_each(
    person: Posting, network: Fetching, bucket: BucketServer, picture: Path
) -> None:
    """So that nothing is removed that another delivery still needs."""
    words = ("account", "add", "ig2", "--platform", "instagram", "--url", network.url)
    person(*words, "--token-stdin", stdin=TOKEN)
    add(person, picture, to="ig,ig2")
    person("publish-due")
    assert len(set(bucket.ever)) == len(bucket.ever) == len(network.ledger) == 2
    assert (bucket.objects, left(person)) == ({}, [])


def test_it_is_tried_out(person: Posting, bucket: BucketServer) -> None:
    person.call.set(POSTSCHED_ALLOW_PRIVATE_ADDRESSES="true")
    assert f"bucket {BUCKET}: stored, fetched and removed" in person("media-host", "check").out
    assert [r.method for r in bucket.requests] == ["PUT", "GET", "DELETE"]
    assert (bucket.objects, left(person)) == ({}, [])
    person.call.set(POSTSCHED_ALLOW_PRIVATE_ADDRESSES="")
    said = person.refused(1, "media-host", "check")
    assert "can't be fetched from its public address" in said
    assert "not a public address" in said
    bucket.program(Fault(FaultKind.ANSWER, Answer(403, b"")), *PUT)
    assert "refuses the secret" in person.refused(1, "media-host", "check")
    assert left(person) == []  # what surely is not there need not be removed
    bucket.program(BUSY, *PUT)
    assert "can't do it now (HTTP 503)" in person.refused(1, "media-host", "check")
    assert len(left(person)) == 1
    with person.database() as base:
        base.execute("UPDATE hosted SET busy_until = NULL")
    person("publish-due")
    assert (bucket.objects, left(person)) == ({}, [])


def test_doctor_looks_at_it(person: Posting, bucket: BucketServer) -> None:
    def found() -> dict[str, Any]:
        (one,) = [f for f in person.call("doctor", "--json").json if f["check"] == "media host"]
        return dict(one)

    assert found()["state"] == "ok"
    assert "secret in the environment" in found()["message"]
    person.call.set(POSTSCHED_MEDIA_HOST_SECRET="only-a-token")
    assert "does not have both keys" in found()["message"]
    del os.environ["POSTSCHED_MEDIA_HOST_SECRET"]
    assert found()["state"] == "problem"
    assert bucket.requests == []


def test_a_secret_that_is_of_no_use_is_not_kept(person: Posting) -> None:
    del os.environ["POSTSCHED_MEDIA_HOST_SECRET"]
    said = person.refused(2, "media-host", "set", "--secret-stdin", stdin='{"user": "me"}')
    assert "both keys" in said
    assert person.json("media-host", "show")["secret"] is None
    said = person.refused(2, "media-host", "set")
    assert "--secret-stdin" in said
    for name in ("URL", "BUCKET", "REGION"):
        del os.environ[f"POSTSCHED_MEDIA_HOST_{name}"]
    said = person.refused(2, "media-host", "set", "--secret-stdin", stdin=json.dumps(KEYS))
    assert "no media host is set" in said
