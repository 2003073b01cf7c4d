"""The token endpoint: one request, and what its answers mean (RFC 6749 sections 2.3, 5)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from postsched.domain.outcome import ErrorKind
from postsched.domain.secret import Secret
from postsched.platforms.base import PlatformError
from postsched.platforms.judging import raise_for_answer

if TYPE_CHECKING:
    import httpx

    from postsched.platforms.oauth import Client, OAuth

LONGEST_WORDS = 300
"""Characters of a server's own words that are passed on."""
FLEETING = frozenset({"server_error", "temporarily_unavailable"})
"""Codes of refusals that say nothing of the login (RFC 6749 section 4.1.2.1)."""
SENSITIVE = ("code", "code_verifier", "refresh_token")
"""What is sent and must not be in an error, though the server's words may repeat it."""


async def ask(
    oauth: OAuth, client: Client, http: httpx.AsyncClient, form: dict[str, str]
) -> Mapping[str, Any]:
    """One request of the client to the token endpoint; redirects are never followed.

    Raises PlatformError for refusals, httpx errors where no answer came.
    """
    headers = {"Accept": "application/json"}
    if client.secret is None or oauth.client_auth == "none":
        form["client_id"] = client.id
    elif oauth.client_auth == "body":
        form |= {"client_id": client.id, "client_secret": client.secret}
    else:
        headers["Authorization"] = _basic(client.id, client.secret)
    hidden = {**{name: form.get(name) for name in SENSITIVE}, "secret": client.secret}
    if oauth.code_in_query:
        from postsched.platforms.secret_address import send_unseen  # it loads httpx

        form.pop("grant_type", None)
        response = await send_unseen(http, "GET", oauth.token_url, form, headers)
    else:
        response = await http.post(
            oauth.token_url, data=form, headers=headers, follow_redirects=False
        )
    return _judged(response, Secret(hidden))


def _basic(client_id: str, secret: str) -> str:
    """Id and secret for HTTP Basic, encoded first as RFC 6749 section 2.3.1 wants it."""
    from base64 import b64encode
    from urllib.parse import quote_plus

    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return "Basic " + b64encode(pair.encode()).decode()


def _judged(response: httpx.Response, hidden: Secret) -> Mapping[str, Any]:
    """The tokens of an answer, or PlatformError for what it refuses; its words may repeat what was
    sent."""
    from oauthlib.oauth2 import OAuth2Error, WebApplicationClient

    status = response.status_code
    if status == 429 or status >= 500:
        raise_for_answer(response)
    try:
        tokens: Mapping[str, Any] = WebApplicationClient("").parse_request_body_response(
            _unwrapped(response.text)
        )
    except OAuth2Error as error:
        if error.error == "missing_token":
            raise _unreadable(response) from None
        code, words = hidden.scrub(str(error.error)), hidden.scrub(str(error.description or ""))
        raise _refusal(status, code, words) from None
    except Exception:  # noqa: BLE001 - oauthlib raises anything for what is no JSON object
        raise _unreadable(response) from None
    token = tokens.get("access_token")
    if not response.is_success or not isinstance(token, str) or not token:
        raise _unreadable(response)
    return tokens


def _unwrapped(text: str) -> str:
    """The answer itself, as RFC 6749 has it. Meta may put it into a list, `{"data": [{…}]}`, and
    its errors are objects: `{"error": {"message": …, "code": …}}`."""
    try:
        body = json.loads(text)
        error = body.get("error")
        if isinstance(error, dict):
            return json.dumps({"error": str(error.get("code")),
                               "error_description": str(error.get("message") or "")})  # fmt: skip
        inner = body["data"][0]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return text
    return json.dumps(inner) if isinstance(inner, dict) and "access_token" in inner else text


def _refusal(status: int, code: str, description: str) -> PlatformError:
    """What the error code of a token endpoint means (RFC 6749 section 5.2)."""
    words = " ".join((description.strip() or code).split())[:LONGEST_WORDS]
    if code in FLEETING:
        return PlatformError(ErrorKind.TRANSIENT, words, http_status=status)
    hint = None
    if code in ("invalid_client", "unauthorized_client"):
        hint = "Check the client id and client secret of the app, and what kind of app it is"
    return PlatformError(ErrorKind.AUTH, words, http_status=status, hint=hint)


def _unreadable(response: httpx.Response) -> PlatformError:
    """What an answer means that isn't OAuth's: 400 and 401 are refusals all the same."""
    status = response.status_code
    if status in (400, 401):
        return PlatformError(ErrorKind.AUTH, f"the network refuses (HTTP {status})",
                             http_status=status)  # fmt: skip
    return PlatformError(
        ErrorKind.TRANSIENT,
        f"the token endpoint's answer can't be read (HTTP {status})",
        http_status=status,
        hint="Check token_url; something between here and the network may answer in its place",
    )


def scopes_of(tokens: Mapping[str, Any]) -> frozenset[str] | None:
    """The scopes granted, None where the network doesn't say: then all. LinkedIn parts them by
    commas."""
    said = tokens.get("scope")
    words = said if isinstance(said, list) else [said] if isinstance(said, str) else []
    found = frozenset(one for word in words for one in re.split(r"[\s,]+", str(word)) if one)
    return found or None
