"""Who is let in by a bearer token: attacks are refused, each with its reason."""

from __future__ import annotations

import base64
import hmac
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

jwt = pytest.importorskip("jwt", reason="the extra web is not installed")
pytest.importorskip("fastapi", reason="the extra web is not installed")

from cryptography.hazmat.primitives.asymmetric import ed25519, rsa  # noqa: E402
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: E402
from starlette.exceptions import HTTPException  # noqa: E402

from postsched.domain.errors import InvalidInput  # noqa: E402
from postsched.domain.scope import Scope  # noqa: E402
from postsched.domain.serving import Algorithm, Web  # noqa: E402
from postsched.web import keys  # noqa: E402
from postsched.web.auth import Principal  # noqa: E402
from postsched.web.bearer import Jwts  # noqa: E402

SECRET = "s3cret-of-the-tests-0123456789abcdef"
WEB = Web(jwt_algorithm=Algorithm.HS256, jwt_issuer="https://id.test", jwt_audience="postsched")


def claims(**changed: Any) -> dict[str, Any]:
    """What a good token says; None takes a claim out."""
    said = {"sub": "alice", "iss": WEB.jwt_issuer, "aud": WEB.jwt_audience,
            "exp": time.time() + 60, "scope": "read draft", **changed}  # fmt: skip
    return {name: value for name, value in said.items() if value is not None}


def signed(
    key: Any = SECRET, algorithm: str = "HS256", kid: str | None = None, **changed: Any
) -> str:
    """A token."""
    headers = {"kid": kid} if kid else None
    return str(jwt.encode(claims(**changed), key, algorithm, headers))


def refused(jwts: Jwts, shown: str) -> str:
    """Why it is refused; with the status."""
    with pytest.raises(HTTPException) as caught:
        jwts.principal(shown)
    assert "error=" in (caught.value.headers or {})["WWW-Authenticate"]
    return f"{caught.value.status_code} {caught.value.detail}"


def unsigned(**changed: Any) -> str:
    """A token that says that it is not signed."""
    return ".".join(_part(one) for one in ({"alg": "none", "typ": "JWT"}, claims(**changed))) + "."


def _part(document: dict[str, Any]) -> str:
    return _text(json.dumps(document).encode())


def _text(piece: bytes) -> str:
    return base64.urlsafe_b64encode(piece).decode().rstrip("=")


def test_a_good_token_says_who_it_is_and_what_it_may() -> None:
    jwts = Jwts(WEB, SECRET, time.monotonic)
    assert jwts.principal(signed()) == Principal("jwt:alice", Scope.DRAFT)
    wide = signed(scope="openid postsched:write")
    assert jwts.principal(wide).scope is Scope.WRITE


@pytest.mark.parametrize(
    ("shown", "why"),
    [
        (lambda: unsigned(), "401 this token can't be taken: "),
        (lambda: signed("another-secret-0123456789abcdefgh"), "401 this token can't be taken: sig"),
        (lambda: signed(algorithm="HS512", key=SECRET * 2), "401 this token can't be taken: "),
        (lambda: signed(exp=time.time() - 60), "401 this token has expired"),
        (lambda: signed(exp=None), '401 this token can\'t be taken: token is missing the "exp"'),
        (lambda: signed(aud="others"), "401 this token can't be taken: audience"),
        (lambda: signed(aud=None), '401 this token can\'t be taken: token is missing the "aud"'),
        (lambda: signed(iss="https://evil.test"), "401 this token can't be taken: invalid issuer"),
        (lambda: signed(nbf=time.time() + 60), "401 this token can't be taken: "),
        (lambda: signed(sub="a\nb"), "401 this token can't be taken: its sub is no name"),
        (lambda: signed(scope="openid"), "403 this token has none of the scopes"),
        (lambda: "a.b.c", "401 this token can't be taken: "),
        (lambda: _text(b"[" * 5000) + ".e30.x", "401 this token can't be taken: "),
        (lambda: signed(exp=float("inf")), "401 this token can't be taken: "),
        (lambda: "é", "401 this token can't be taken: "),
    ],
)  # fmt: skip
def test_what_is_no_good_token_is_refused(shown: Callable[[], str], why: str) -> None:
    assert refused(Jwts(WEB, SECRET, time.monotonic), shown()).startswith(why)


def test_where_keys_are_is_never_taken_from_a_token() -> None:
    """What a header says of keys is signed by nobody who is known."""
    jwts = Jwts(WEB, SECRET, time.monotonic)
    for said in (
        {"kid": "../../../dev/null"},
        {"kid": "http://127.0.0.1:9/key", "jku": "http://127.0.0.1:9/jwks"},
        {"x5u": "http://127.0.0.1:9/x5u", "jwk": {"kty": "oct", "k": ""}},
    ):
        for key in ("", "x" * 32):
            head = ".".join(_part(one) for one in ({"alg": "HS256", **said}, claims()))
            shown = f"{head}.{_text(hmac.digest(key.encode(), head.encode(), 'sha256'))}"
            assert refused(jwts, shown).startswith("401")


def confusing(public: Any, kid: str) -> str:
    """A token signed with a public key as if it were a shared secret."""
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    head = ".".join(_part(one) for one in ({"alg": "HS256", "kid": kid}, claims()))
    return f"{head}.{_text(hmac.digest(pem, head.encode(), 'sha256'))}"


@pytest.fixture
def key_server() -> Iterator[tuple[str, dict[str, Any]]]:
    """A key set at a URL, and how often it was asked for."""
    served: dict[str, Any] = {"keys": [], "asked": 0}

    class Serving(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served["asked"] += 1
            self.send_response(served.get("status", 200))
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            self.wfile.write(json.dumps({"keys": served["keys"]}).encode())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Serving) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/jwks", served
        server.shutdown()
        thread.join()


def published(key: Any, algorithm: Any, kid: str) -> dict[str, Any]:
    """A public key as it is published."""
    return {**algorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig"}


@pytest.mark.parametrize("algorithm", [Algorithm.RS256, Algorithm.EDDSA])
def test_public_keys_come_from_their_set(
    key_server: tuple[str, dict[str, Any]], algorithm: Algorithm
) -> None:
    url, served = key_server
    if algorithm is Algorithm.RS256:
        mine: Any = rsa.generate_private_key(65537, 2048)
        kind: Any = jwt.algorithms.RSAAlgorithm
    else:
        mine, kind = ed25519.Ed25519PrivateKey.generate(), jwt.algorithms.OKPAlgorithm
    served["keys"] = [published(mine, kind, "one")]
    now = 0.0
    web = replace(WEB, jwt_algorithm=algorithm, jwt_jwks_url=url)
    jwts = Jwts(web, None, lambda: now)
    assert jwts.principal(signed(mine, algorithm.value, "one")).name == "jwt:alice"
    # The public key, taken for a shared secret: the attack on those who go by the token's header.
    confused = confusing(mine.public_key(), "one")
    assert refused(jwts, confused).startswith("401")
    for number in range(20):
        assert "not known" in refused(jwts, signed(mine, algorithm.value, f"guess {number}"))
    assert served["asked"] == 1
    served["keys"].append(published(mine, kind, "two"))
    now += 61
    assert jwts.principal(signed(mine, algorithm.value, "two")).name == "jwt:alice"
    assert served["asked"] == 2


def test_a_key_is_good_for_its_own_id_use_and_algorithm_only(
    key_server: tuple[str, dict[str, Any]],
) -> None:
    """In the set of whoever signs are keys for other things, and keys that anybody knows."""
    url, served = key_server
    mine, other, sealing = (ed25519.Ed25519PrivateKey.generate() for _ in range(3))
    kind, shared = jwt.algorithms.OKPAlgorithm, b"known to many: 0123456789abcdef!"
    served["keys"] = [
        published(mine, kind, "one"), published(other, kind, "two"),
        published(sealing, kind, "sealing") | {"use": "enc"},
        {"kty": "oct", "kid": "shared", "k": _text(shared), "alg": "HS256"},
        {"kty": "oct", "kid": "one", "k": _text(shared)},
    ]  # fmt: skip
    web = replace(WEB, jwt_algorithm=Algorithm.EDDSA, jwt_jwks_url=url)
    jwts = Jwts(web, None, time.monotonic)
    assert jwts.principal(signed(mine, "EdDSA", "one")).name == "jwt:alice"
    assert jwts.principal(signed(other, "EdDSA", "two")).name == "jwt:alice"
    for shown in (
        signed(mine, "EdDSA", "two"), signed(other, "EdDSA", "one"), signed(mine, "EdDSA"),
        signed(sealing, "EdDSA", "sealing"), signed(shared, "HS256", "shared"),
        signed(shared, "HS256", "one"), signed(shared, "HS256"),
        confusing(mine.public_key(), "one"),
        signed(mine, "EdDSA", "one", aud=["others"]), signed(mine, "EdDSA", "one", iss=None),
        f'{signed(mine, "EdDSA", "one").rpartition(".")[0]}.', unsigned(),
    ):  # fmt: skip
        assert refused(jwts, shown).startswith("401 "), shown
    served["keys"] = [published(mine, kind, "one") | {"kid": None}]
    assert Jwts(web, None, time.monotonic).principal(signed(mine, "EdDSA")).name == "jwt:alice"


def test_keys_that_cannot_be_had_leave_those_that_were(
    key_server: tuple[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, served = key_server
    mine = ed25519.Ed25519PrivateKey.generate()
    now = 0.0
    web = replace(WEB, jwt_algorithm=Algorithm.EDDSA, jwt_jwks_url=url)
    jwts = Jwts(web, None, lambda: now)
    shown = signed(mine, "EdDSA", "one", exp=time.time() + 3600)
    good = [published(mine, jwt.algorithms.OKPAlgorithm, "one")]
    answers: list[dict[str, Any]] = [{"status": 302}, {"keys": "none"}, {"keys": [5]}, {"keys": []}]
    for broken in answers:
        served.update({"status": 200, "keys": good} | broken)
        assert refused(jwts, shown).startswith("401")
        now += 61
    served.update({"status": 200, "keys": good})
    assert jwts.principal(shown).name == "jwt:alice"
    served["status"] = 500
    now += 3600
    assert jwts.principal(shown).name == "jwt:alice"
    assert served["asked"] == 6, "a redirect was followed"


def test_a_key_server_that_hangs_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "PATIENCE", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        at = f"http://127.0.0.1:{hanging.getsockname()[1]}/jwks"
        jwts = Jwts(
            replace(WEB, jwt_algorithm=Algorithm.EDDSA, jwt_jwks_url=at), None, time.monotonic
        )
        shown = signed(ed25519.Ed25519PrivateKey.generate(), "EdDSA", "one")
        threads = [threading.Thread(target=refused, args=(jwts, shown)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
            assert not thread.is_alive()


@pytest.mark.parametrize(
    ("web", "secret", "why"),
    [
        (replace(WEB, jwt_audience=None), SECRET, "no jwt_audience"),
        (replace(WEB, jwt_issuer=None), SECRET, "no jwt_issuer"),
        (WEB, None, "POSTSCHED_JWT_SECRET"),
        (WEB, "short", "too short"),
        (replace(WEB, jwt_algorithm=Algorithm.EDDSA), SECRET, "no jwt_jwks_url"),
    ],
)
def test_half_of_it_is_refused_at_the_start(web: Web, secret: str | None, why: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Jwts(web, secret, time.monotonic)
    assert why in f"{caught.value}"
