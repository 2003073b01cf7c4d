"""A real WebDAV server on loopback, wsgidav on cheroot: in threads, over a folder."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

USER, PASSWORD = "me", "planted-dav-password-0001"
LOGIN = {"user": USER, "password": PASSWORD}


@dataclass
class WebDav:
    """Where it is, and what was asked of it: method, path, status."""

    url: str
    folder: Path
    asked: list[tuple[str, str, int]] = field(default_factory=list)


@contextmanager
def webdav(folder: Path) -> Iterator[WebDav]:
    """Serve a folder; everyone may read, one login may write."""
    from cheroot.wsgi import Server
    from wsgidav.wsgidav_app import WsgiDAVApp

    logging.getLogger("wsgidav").setLevel(logging.ERROR)
    users = {USER: {"password": PASSWORD}}
    app = WsgiDAVApp({
        "provider_mapping": {"/": str(folder)},
        "http_authenticator": {"accept_basic": True, "accept_digest": False},
        "simple_dc": {"user_mapping": {"*": users}},
        "logging": {"enable": False}, "verbose": 0,
    })  # fmt: skip
    asked: list[tuple[str, str, int]] = []

    def judged(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """As WsgiDAV, but that reading needs no login."""
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        file = folder / path.lstrip("/")
        if method == "GET" and file.is_file():
            asked.append((method, path, 200))
            start("200 OK", [("Content-Type", "image/jpeg")])
            return [file.read_bytes()]

        def noted(status: str, headers: Any, *more: Any) -> Any:
            asked.append((method, path, int(status[:3])))
            return start(status, headers, *more)

        return app(environ, noted)  # type: ignore[no-any-return]  # it has no types

    server = Server(("127.0.0.1", 0), judged, numthreads=4)
    server.shutdown_timeout = 1
    server.prepare()
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield WebDav(f"http://127.0.0.1:{server.bind_addr[1]}", folder, asked)
    finally:
        server.stop()
        thread.join(10)
