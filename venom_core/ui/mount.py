"""Serving the built page: a table of its files, made at the first request after a build.

A table instead of a folder walk: a request's path only ever selects an entry, so it cannot leave
the folder, and ``/plugins`` finds ``plugins.html`` as Next.js exports it.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import mimetypes
import re
from dataclasses import dataclass
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from venom_core.ui import STATIC

IMMUTABLE = "public, max-age=31536000, immutable"
#: A conversation has an address of its own, and the page that shows it is the first one. With
#: ``.txt`` it is what Next.js fetches where it goes there from another page.
_CHAT = re.compile(r"\Ac/[A-Za-z0-9_-]{1,64}(\.txt)?\Z")
_SCRIPT = re.compile(rb"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", re.DOTALL)
_TYPES = {".js": "text/javascript", ".txt": "text/plain"}

NOT_BUILT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Venom</title></head><body>
<h1>Venom is running. Its page was not built.</h1>
<p>In a checkout, build it with <code>make ui</code> (needs Node 20 or newer), then reload.</p>
<p>The API answers all the same: <code>/v1/models</code>, <code>/v1/chat/completions</code>.</p>
<hr><h1>Venom działa. Strony nie zbudowano.</h1>
<p>W repozytorium zbuduj ją poleceniem <code>make ui</code> (Node 20 lub nowszy) i odśwież.</p>
</body></html>
""".encode()


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    headers: dict[str, str]
    gzip: Path | None


class PageFiles:
    """The ASGI application for GET and HEAD of everything that is no API route."""

    def __init__(self, root: Path = STATIC) -> None:
        self._root = root
        self._files: dict[str, _File] = {}
        self._made_of: int | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._response(scope)
        await response(scope, receive, send)

    async def _response(self, scope: Scope) -> Response:
        stamp = await asyncio.to_thread(_stamp, self._root)
        if stamp != self._made_of:  # built meanwhile, for the first time or anew
            self._files = await asyncio.to_thread(_table, self._root)
            self._made_of = stamp
        if not self._files:
            return Response(
                NOT_BUILT, 503 if scope["path"] != "/" else 200, _security(b""), "text/html"
            )
        path = _CHAT.sub(r"index\1", scope["path"].strip("/"))
        for key in (path, f"{path}.html", "index.html" if not path else f"{path}/index.html"):
            if found := self._files.get(key):
                return await self._send(found, scope, 200)
        missing = self._files.get("404.html")
        return await self._send(missing, scope, 404) if missing else Response("Not found", 404)

    async def _send(self, file: _File, scope: Scope, status: int) -> Response:
        headers = dict(file.headers)
        path = file.path
        etag = headers.get("ETag")
        given = Headers(scope=scope)
        if etag is not None and given.get("if-none-match") == etag and status == 200:
            return Response(status_code=304, headers=headers)
        if file.gzip is not None:
            headers["Vary"] = "Accept-Encoding"
            if "gzip" in given.get("accept-encoding", ""):
                path, headers["Content-Encoding"] = file.gzip, "gzip"
        body = await asyncio.to_thread(path.read_bytes)
        return Response(body, status, headers)


def _stamp(root: Path) -> int | None:
    """Return the mark of the build that is there; every build writes its index."""
    try:
        return (root / "index.html").stat().st_mtime_ns
    except OSError:
        return None


def _table(root: Path) -> dict[str, _File]:
    """Return every file of the export by its path under ``root``; empty where it was not built."""
    if not (root / "index.html").is_file():
        return {}
    table = {}
    for path in sorted(root.rglob("*")):
        if path.is_file() and path.suffix != ".gz":
            table[path.relative_to(root).as_posix()] = _entry(path, root)
    return table


def _entry(path: Path, root: Path) -> _File:
    data = path.read_bytes()
    kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0]
    kind = kind or "application/octet-stream"
    if kind.startswith("text/"):
        kind += "; charset=utf-8"
    immutable = path.relative_to(root).as_posix().startswith("_next/static/")
    headers = {
        "Content-Type": kind,
        "Cache-Control": IMMUTABLE if immutable else "no-cache",
        "ETag": f'"{hashlib.sha256(data).hexdigest()[:32]}"',
        **_security(data if path.suffix == ".html" else b""),
    }
    packed = path.with_name(path.name + ".gz")
    return _File(path, headers, packed if packed.is_file() else None)


def _security(html: bytes) -> dict[str, str]:
    """Return a strict policy: the page's own inline scripts by their hashes, nothing else
    inline."""
    hashes = {
        base64.b64encode(hashlib.sha256(script).digest()).decode()
        for script in _SCRIPT.findall(html)
    }
    scripts = " ".join(["'self'", *sorted(f"'sha256-{value}'" for value in hashes)])
    policy = (
        f"default-src 'self'; script-src {scripts}; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; "
        "object-src 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "X-Frame-Options": "DENY",
    }
