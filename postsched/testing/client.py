"""The HTTP client that the tests of an adapter give it."""

from __future__ import annotations

import ssl

import httpx

PATIENCE = 10.0
"""Seconds a request may take where nothing is to go wrong."""


def client(timeout: float) -> httpx.AsyncClient:
    """A client as the adapters get it. It knows no certificates, as loading them takes longer than
    a test."""
    bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return httpx.AsyncClient(timeout=timeout, trust_env=False, verify=bare)
