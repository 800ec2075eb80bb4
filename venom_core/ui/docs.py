"""The documentation, served where errors point: ``/docs/errors#model_not_found``.

Every refusal names a page here, and a machine without a network must be able to open it. The pages
are the Markdown files of the repository, rendered at their first request.
"""

from __future__ import annotations

import asyncio
import html
import re
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send

if TYPE_CHECKING:
    from markdown_it.token import Token

Language = Literal["en", "pl"]

_PACKAGE = Path(__file__).parents[1]
#: In a wheel the pages lie beside the package, in a checkout at its root.
ROOTS = (_PACKAGE / "docs", _PACKAGE.parent / "docs")
_PAGE = re.compile(r"[a-z0-9-]+(/[a-z0-9-]+)*")
#: The page that is made from the OpenAPI document, in each language.
_REFERENCE = ("openapi", "pl/openapi")
#: Files beside the pages that people download.
_FILES = {"grafana/venom.json": "application/json"}
_NOT_IN_ANCHOR = re.compile(r"[^\w\- ]")
POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'"

STYLE = """:root{color-scheme:light dark;--line:#8884;background:#fff;color:#1b1b1b}
body{font:16px/1.6 system-ui,sans-serif;max-width:46rem;margin:0 auto;padding:2rem 1.25rem 6rem}
h1,h2,h3{line-height:1.25;margin:2.2em 0 .6em}h1{margin-top:1em}a{color:#1c5bc0}
:target{background:#fd08;outline:.4rem solid #fd08}
code{font:.9em ui-monospace,monospace;background:#8882;padding:.1em .3em;border-radius:.3em}
pre{overflow:auto;background:#8881;padding:1rem;border-radius:.5rem}
pre code{background:none;padding:0}
table{border-collapse:collapse}.scrolls{overflow:auto}
td,th{border:1px solid var(--line);padding:.4em .7em;text-align:left;vertical-align:top}
summary{cursor:pointer;padding:.25em 0}
details[open]{border-left:3px solid var(--line);padding-left:1rem}
nav{border-bottom:1px solid var(--line);padding-bottom:.8rem}img{max-width:100%}
@media(prefers-color-scheme:dark){:root{background:#141414;color:#e8e8e8}a{color:#8db8ff}}
"""


class Docs:
    """The ASGI application to mount at ``/docs``.

    Args:
        roots: folders with the pages, the first that is there.
        root_path: what stands before ``/docs`` in the browser's address, behind a proxy.
        reference: makes the page ``openapi`` in a language, its title and its body; blocks.
    """

    def __init__(
        self,
        roots: tuple[Path, ...] = ROOTS,
        root_path: str = "",
        reference: Callable[[Language], tuple[str, str]] | None = None,
    ) -> None:
        self._root_path = root_path
        self._reference = reference
        self._root = next((root for root in roots if root.is_dir()), roots[0])
        self._pages: dict[str, Response] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            raise HTTPException(405, headers={"Allow": "GET, HEAD"})
        path = scope["path"].removeprefix(scope.get("root_path", "")).strip("/")
        response = self._pages.get(path)
        if response is None:
            response = await self._response(path)
            if response.status_code == 200:  # of pages there are few, of other paths any number
                self._pages[path] = response
        await response(scope, receive, send)

    async def _response(self, path: str) -> Response:
        if path == "style.css":
            return Response(STYLE, media_type="text/css")
        if path in _FILES:
            content = await asyncio.to_thread((self._root / path).read_bytes)
            return Response(content, media_type=_FILES[path])
        if path.endswith(".md"):
            return RedirectResponse(f"{self._root_path}/docs/" + path.removesuffix(".md"), 308)
        name = path or "index"
        if path == "pl":
            name = "pl/index"
        if not _PAGE.fullmatch(name):
            raise HTTPException(404)
        try:
            page = await asyncio.to_thread(self._page, name)
        except FileNotFoundError:
            raise HTTPException(404) from None
        page = page.replace('href="/', f'href="{self._root_path}/')
        return Response(page, media_type="text/html", headers={"Content-Security-Policy": POLICY})

    def _page(self, name: str) -> str:
        if self._reference is not None and name in _REFERENCE:
            title, body = self._reference(_language(name))
            twin = next(other for other in _REFERENCE if other != name)
            return _framed(title, body, name, twin)
        source = (self._root / f"{name}.md").read_text("utf-8")
        return render(source, name, self._twin(name))

    def _twin(self, name: str) -> str | None:
        """Return the page in the other language; decisions of the architecture are in English
        only."""
        twin = name.removeprefix("pl/") if name.startswith("pl/") else f"pl/{name}"
        return twin if (self._root / f"{twin}.md").is_file() else None


def anchor(heading: str) -> str:
    """Return the fragment of a heading, as code hosts make it: "Two words" is ``two-words``."""
    return _NOT_IN_ANCHOR.sub("", heading.strip().lower()).replace(" ", "-")


def render(source: str, name: str, twin: str | None = None) -> str:
    """Return a page of Markdown as HTML. Raw HTML in it is shown, not interpreted.

    Args:
        name: its path under the root, without ``.md``.
        twin: the same of the page in the other language, where there is one.
    """
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(source)
    title = name
    seen: Counter[str] = Counter()
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            text = "".join(child.content for child in inline.children or ())
            opening.attrSet("id", _unlike(anchor(text), seen))
            title = text if opening.tag == "h1" else title
        _point_links(inline, name)
    return _framed(title, parser.renderer.render(tokens, parser.options, {}), name, twin)


def _unlike(fragment: str, seen: Counter[str]) -> str:
    """Return a fragment that no heading above has, as code hosts count them: ``usage-1``."""
    seen[fragment] += 1
    return fragment if seen[fragment] == 1 else f"{fragment}-{seen[fragment] - 1}"


def _language(name: str) -> Language:
    return "pl" if name.startswith("pl/") else "en"


def _framed(title: str, body: str, name: str, twin: str | None) -> str:
    language = _language(name)
    polish = language == "pl"
    base, word = ("/docs/pl", "English") if polish else ("/docs", "Polski")
    label = "Dokumentacja" if polish else "Documentation"
    other = f' · <a href="/docs/{twin}">{word}</a>' if twin else ""
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f'<title>{html.escape(title)} · Venom</title><link rel="stylesheet" href="/docs/style.css">'
        '<link rel="icon" href="/icon.svg">'
        f'</head><body><nav aria-label="{label}"><a href="/">Venom</a> · <a href="{base}">Docs</a>'
        f"{other}</nav><main>{_reachable(body)}</main></body></html>"
    )


def _reachable(body: str) -> str:
    """Return a body whose wide parts scroll by keyboard too; a head without words is no head."""
    body = body.replace("<th></th>", "<td></td>").replace("<pre>", '<pre tabindex="0">')
    body = body.replace("<table>", '<div class="scrolls" tabindex="0"><table>')
    return body.replace("</table>", "</table></div>")


def _point_links(token: Token, name: str) -> None:
    """Rewrite links between pages, relative to their files; a browser resolves them against a path
    without ``.md`` and, for an index, without its last part."""
    folder = "/docs/" + name.rpartition("/")[0]
    for child in token.children or ():
        target = str(child.attrGet("href") or "")
        page, separator, fragment = target.partition("#")
        if page.endswith(".md") and "://" not in page:
            parts = folder.strip("/").split("/") + page.removesuffix(".md").split("/")
            path: list[str] = []
            for part in parts:
                if part == "..":
                    path = path[:-1]
                elif part not in (".", ""):
                    path.append(part)
            child.attrSet("href", "/" + "/".join(path) + separator + fragment)
