"""What kind of server an account is on, and what that server allows.

Read from /api/v2/instance, or /api/v1/instance on older and smaller servers. The kind is told from
the version: "4.5.1" and "4.4.0+glitch" are Mastodon, "0.20.1 git-f6a4c6d" is GoToSocial, others
say "2.7.2 (compatible; Pleroma 2.9.1)".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from postsched.domain.capabilities import (
    Capabilities,
    CommentAs,
    Guarantee,
    MediaRules,
    TextRules,
    Unit,
)
from postsched.domain.film import FilmRules
from postsched.domain.outcome import ErrorKind
from postsched.domain.quota import Counts, Quota
from postsched.platforms.base import PlatformError
from postsched.platforms.mastodon.api import Api, judge

TEXT_LIMIT = 500
URL_LENGTH = 23
MEDIA_COUNT = 4
ALT_LIMIT = 1500
IMAGE_SIZE = 16_777_216
VIDEO_SIZE = 103_809_024
TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp", "video/mp4", "video/webm",
         "video/quicktime", "audio/mpeg", "audio/ogg", "audio/wav", "audio/flac")  # fmt: skip
KEY_MEMORY = timedelta(minutes=50)
"""Mastodon knows a key for an hour; the rest is for slow requests and clocks that differ."""
COMPATIBLE = re.compile(r"\(compatible; (\w+)", re.I)
OWN_VERSION = re.compile(r"[1-9]\d*\.\d+(\.\d+)?[^()\s]*")
NOTES = {
    "mastodon": (),
    "gotosocial": ("counts every character, links and mentions in full",),
    "pleroma": ("counts links and mentions in full",),
    "pixelfed": ("takes no post without a picture", "counts links and mentions in full"),
}


async def read_facts(api: Api) -> dict[str, Any]:
    """The account's facts: who it is, and the limits that the server states."""
    who = await api.get("/api/v1/accounts/verify_credentials")
    if not isinstance(who, dict) or not who.get("id"):
        raise PlatformError(
            ErrorKind.INVALID,
            "the server does not answer as a Mastodon server does",
            hint="Check the account's URL",
        )
    instance = await _instance(api)
    name = str(who.get("acct") or who.get("username") or who["id"])
    domain = instance.get("domain") or urlsplit(str(instance.get("uri"))).hostname
    domain = domain or str(instance.get("uri") or "") or urlsplit(str(who.get("url"))).hostname
    return {
        "user": f"@{name}@{domain}" if domain else f"@{name}",
        "id": str(who["id"]),
        "version": str(instance.get("version", "")),
        "software": software(str(instance.get("version", "")), str(instance.get("source_url"))),
        **_limits(instance),
    }


async def _instance(api: Api) -> Mapping[str, Any]:
    for path in ("/api/v2/instance", "/api/v1/instance"):
        response = await api.call("GET", path)
        if response.status_code in (401, 403, 429) or response.status_code >= 500:
            judge(response)
        try:
            document = response.json() if response.is_success else None
        except ValueError:
            document = None
        if isinstance(document, dict) and document.get("version"):
            return document
    raise PlatformError(
        ErrorKind.INVALID, "the server does not state its limits", hint="Check the account's URL"
    )


def software(version: str, source_url: str = "") -> str:
    """mastodon, gotosocial, pleroma (and Akkoma), pixelfed, or other."""
    if named := COMPATIBLE.search(version):
        name = named.group(1).lower()
        return {"pleroma": "pleroma", "akkoma": "pleroma", "pixelfed": "pixelfed"}.get(
            name, "other"
        )
    if "gotosocial" in source_url.lower() or version.startswith("0.") or "git-" in version:
        return "gotosocial"
    return "mastodon" if OWN_VERSION.fullmatch(version) else "other"


def _limits(instance: Mapping[str, Any]) -> dict[str, Any]:
    configuration = _part(instance, "configuration")
    statuses, media = _part(configuration, "statuses"), _part(configuration, "media_attachments")
    upload = instance.get("upload_limit")  # Pleroma and Akkoma state theirs at the top
    stated = {
        "max_characters": statuses.get("max_characters") or instance.get("max_toot_chars"),
        "url_length": statuses.get("characters_reserved_per_url"),
        "max_media": statuses.get("max_media_attachments") or instance.get("max_media_attachments"),
        "alt_limit": media.get("description_limit") or instance.get("description_limit"),
        "image_size": media.get("image_size_limit") or upload,
        "image_pixels": media.get("image_matrix_limit"),
        "video_pixels": media.get("video_matrix_limit"),
        "video_rate": media.get("video_frame_rate_limit"),
        "video_size": media.get("video_size_limit") or upload,
    }
    limits: dict[str, Any] = {
        name: value for name, value in stated.items() if isinstance(value, int) and value > 0
    }
    types = media.get("supported_mime_types")
    if isinstance(types, list) and types:
        limits["types"] = [one for one in types if isinstance(one, str)]
    return limits


def _part(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = document.get(name)
    return part if isinstance(part, dict) else {}


def capabilities(facts: Mapping[str, Any]) -> Capabilities:
    """What an account can do; of an unknown server, what even the strictest does."""
    kind = str(facts.get("software", "other"))
    return Capabilities(
        text=_text_rules(kind, facts),
        media=replace(_media_rules(facts), needed=kind == "pixelfed"),
        guarantee=_guarantee(kind),
        thread=kind != "pixelfed",
        comment=CommentAs.REPLY,
        visibilities=frozenset({"public", "unlisted", "followers"})
        | (frozenset() if kind == "pixelfed" else {"direct"}),
        warning=True,
        languages=True,
        delete=True,
        quotas=_quotas(kind),
        notes=NOTES.get(kind, ()),
    )


def _text_rules(kind: str, facts: Mapping[str, Any]) -> TextRules:
    """Only Mastodon counts links as 23, and mentions without their domain. GoToSocial states a
    length for links too, but does not use it."""
    limit = int(facts.get("max_characters", TEXT_LIMIT))
    if kind == "mastodon":
        return TextRules(
            limit,
            Unit.GRAPHEMES,
            url_length=int(facts.get("url_length", URL_LENGTH)),
            mention_domain_free=True,
            warning_counts=True,
        )
    unit = Unit.GRAPHEMES if kind == "pleroma" else Unit.CODE_POINTS
    return TextRules(limit, unit, warning_counts=True)


def _media_rules(facts: Mapping[str, Any]) -> MediaRules:
    image, video = facts.get("image_size", IMAGE_SIZE), facts.get("video_size", VIDEO_SIZE)
    return MediaRules(
        count=int(facts.get("max_media", MEDIA_COUNT)),
        types={
            one: image if one.startswith("image/") else video for one in facts.get("types", TYPES)
        },
        max_pixels=facts.get("image_pixels"),
        film=FilmRules(
            max_pixels=facts.get("video_pixels"),
            frame_rate=(0, facts["video_rate"]) if facts.get("video_rate") else None,
        ),
        alt_limit=int(facts.get("alt_limit", ALT_LIMIT)),
    )


def _quotas(kind: str) -> tuple[Quota, ...]:
    """Of those servers whose limits are known (fact sheet, section 7); GoToSocial's are for an
    address, and may be shared."""
    calls = Quota(300, timedelta(minutes=5), Counts.REQUESTS)
    if kind == "mastodon":
        return calls, Quota(30, timedelta(minutes=30), Counts.FILES)
    return (calls,) if kind == "gotosocial" else ()


def _guarantee(kind: str) -> Guarantee:
    """Mastodon keeps its keys in Redis. Pleroma keeps them in memory, where a restart, the most
    common reason for a lost answer, forgets them: so it is asked first, like those without."""
    if kind == "mastodon":
        return Guarantee(KEY_MEMORY, can_look_up=True, prepares_alike=True)
    waits = (2.0, 10.0 if kind == "gotosocial" else 30.0)
    return Guarantee(None, can_look_up=True, look_ups=waits, prepares_alike=True)
