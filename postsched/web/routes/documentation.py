"""/openapi.json, and /docs: the same for people, as one plain page that loads nothing."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from postsched.web.answers import Json

router = APIRouter(include_in_schema=False)


@router.get("/openapi.json")
async def openapi(request: Request) -> Response:
    """The OpenAPI document; it holds nothing of anybody."""
    return Json(request.app.openapi(), headers={"Cache-Control": "no-cache"})


@router.get("/docs")
async def docs(request: Request) -> Response:
    """The page."""
    return HTMLResponse("\n".join(_page(request.app.openapi())))


def _page(document: dict[str, Any]) -> Iterator[str]:
    title = escape(f"{document['info']['title']} {document['info']['version']}")
    yield f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}: API</title>'
    yield '<meta name="viewport" content="width=device-width"></head><body><main>'
    yield f"<h1>{title}: API</h1><p>{escape(document['info']['description'])}</p>"
    yield '<p>For programs: <a href="openapi.json">openapi.json</a></p>'
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield from _operation(f"{method.upper()} {path}", operation)
    yield "<h2>Schemas</h2>"
    for name, schema in document["components"]["schemas"].items():
        yield from _schema(name, schema)
    yield "</main></body></html>"


def _operation(title: str, operation: dict[str, Any]) -> Iterator[str]:
    yield f'<h2 id="{escape(operation["operationId"])}"><code>{escape(title)}</code></h2>'
    yield f"<p>{escape(operation.get('description', ''))}</p>"
    body = operation.get("requestBody", {}).get("content", {})
    for kind, content in body.items():
        yield f"<p>Takes {_kind(content.get('schema', {}))} as {escape(kind)}</p>"
    if found := operation.get("parameters"):
        yield "<ul>"
        for one in found:
            said = escape(one.get("description", ""))
            yield f"<li><code>{escape(one['name'])}</code> ({escape(one['in'])}): {said}</li>"
        yield "</ul>"
    yield "<ul>"
    for status, answer in operation["responses"].items():
        kinds = [_kind(one.get("schema", {})) for one in answer.get("content", {}).values()]
        yield f"<li>{status}: {escape(answer['description'])} {' '.join(kinds)}</li>"
    yield "</ul>"


def _schema(name: str, schema: dict[str, Any]) -> Iterator[str]:
    yield f'<h3 id="{escape(name)}">{escape(name)}</h3>'
    yield f"<p>{escape(schema.get('description', ''))}</p><ul>"
    for member, one in schema.get("properties", {}).items():
        needed = "" if member in schema.get("required", ()) else " (may be missing)"
        said = escape(one.get("description", ""))
        yield f"<li><code>{escape(member)}</code>: {_kind(one)}{needed} {said}</li>"
    yield "</ul>"


def _kind(schema: dict[str, Any]) -> str:
    """What a value may be, in words."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(map(_kind, schema["anyOf"]))
    if "enum" in schema:
        return escape(", ".join(map(str, schema["enum"])))
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return escape(str(schema.get("const", schema.get("type", "anything"))))
