"""A preview as a JSON document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from postsched.domain.fitting import Finding
from postsched.service.previewing import AccountPreview, Preview, Shown, Step


def document(found: Preview) -> dict[str, Any]:
    """All accounts; the shape is in the README."""
    return {
        "fits": found.fits,
        "at": found.at.isoformat().replace("+00:00", "Z") if found.at else None,
        "error": str(found.error) if found.error else None,
        "notes": list(found.notes),
        "accounts": [_account(one) for one in found.accounts],
    }


def _account(shown: AccountPreview) -> dict[str, Any]:
    return {
        "account": shown.account.name,
        "platform": shown.account.platform,
        "fits": shown.fits,
        "parts": [_step(step) for step in shown.steps if step.role == "part"],
        "comment": next((_step(step) for step in shown.steps if step.role == "comment"), None),
        "title": shown.title,
        "warning": shown.warning,
        "visibility": shown.visibility,
        "lang": shown.lang,
        "dropped": _findings(shown.dropped),
        "findings": _findings(shown.findings),
    }


def _step(step: Step) -> dict[str, Any]:
    wording = step.wording
    return {
        "n": step.n,
        "text": wording.text,
        "sent": wording.text if wording.sent is None else wording.sent,
        "length": step.length,
        "limit": step.limit,
        "unit": step.unit,
        "bytes": step.size,
        "byte_limit": step.size_limit,
        "over_at": step.over_at,
        "cuts": list(step.cuts),
        "media": [_medium(one) for one in step.media],
        "link_card": {"url": wording.card.url, "by": wording.card.by} if wording.card else None,
    }


def _medium(one: Shown) -> dict[str, Any]:
    media = one.media
    return {
        "path": media.path,
        "url": media.url,
        "alt": media.alt,
        "type": media.type,
        "bytes": media.bytes,
        "width": media.width,
        "height": media.height,
        "verdict": one.fate,
        "message": one.words or None,
    }


def _findings(findings: Sequence[Finding]) -> list[dict[str, str]]:
    return [{"field": one.field, "message": one.message} for one in findings]
