"""The socket that HTTP is served at: bound before anything else, so that a port in use is known at
once, while requests wait in it until somebody answers."""

from __future__ import annotations

import socket

from postsched.domain.errors import InvalidInput

BACKLOG = 512


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0 takes any that is free. Raises InvalidInput."""
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise InvalidInput(f"nothing can listen at {where}: {why}", "Give another --host") from None
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(BACKLOG)
    except OSError as error:
        bound.close()
        why = (error.strerror or str(error)).lower()
        raise InvalidInput(
            f"nothing can listen at {where}: {why}", "Give another --port, or --host"
        ) from None
    return bound


def address_of(bound: socket.socket) -> str:
    """The address of a socket for people and browsers."""
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
