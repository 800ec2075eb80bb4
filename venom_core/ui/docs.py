"""The documentation, served where errors point: ``/docs/errors#model_not_found``.

Every refusal names a page here, and a machine without a network must be able to open it. The pages
are the Markdown files of the repository, rendered at their first request.
"""

from __future__ import annotations

import asyncio
import functools
import html
import posixpath
import re
from collections.abc import Callable
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from venom_core.ui import contents, llms
from venom_core.ui.contents import Language
from venom_core.ui.markdown import page_of, rendered

_PACKAGE = Path(__file__).parents[1]
#: In a wheel the pages lie beside the package, in a checkout at its root.
ROOTS = (_PACKAGE / "docs", _PACKAGE.parent / "docs")
_PAGE = re.compile(r"[a-z0-9-]+(/[a-z0-9-]+)*")
#: The page that is made from the OpenAPI document, in each language.
_REFERENCE = ("openapi", "pl/openapi")
_TEXTS = re.compile(r"(pl/)?llms(-full)?\.txt")
#: Files beside the pages that people download or that pages show.
_FILES = {
    "grafana/venom.json": "application/json",
    "images/layers.svg": "image/svg+xml",
    "images/layers.pl.svg": "image/svg+xml",
}
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
nav details div{columns:14rem}nav p{font-weight:600;margin:.8em 0 .2em;break-after:avoid}
nav ul{list-style:none;margin:0;padding:0}
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
        if _TEXTS.fullmatch(path):
            text = await asyncio.to_thread(self._text, path)
            return Response(text, media_type="text/plain")
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
            return _framed(title, body, name, twin, self._contents[_language(name)])
        source = (self._root / f"{name}.md").read_text("utf-8")
        return render(source, name, self._twin(name), self._contents[_language(name)])

    def _text(self, path: str) -> str:
        """Return the documentation for language models, whole or as a list with addresses."""
        if path.endswith("-full.txt"):
            return llms.full(self._root, _language(path))
        return llms.index(
            self._root, _language(path), lambda page: f"{self._root_path}/docs/{page}"
        )

    @functools.cached_property
    def _contents(self) -> dict[Language, tuple[contents.Section, ...]]:
        """The structure in each language; nothing where the folder has none."""
        there = (self._root / contents.FILE).is_file()
        return {
            language: contents.sections(self._root, language) if there else ()
            for language in contents.LANGUAGES
        }

    def _twin(self, name: str) -> str | None:
        """Return the page in the other language; decisions of the architecture are in English
        only."""
        twin = name.removeprefix("pl/") if name.startswith("pl/") else f"pl/{name}"
        return twin if (self._root / f"{twin}.md").is_file() else None


def render(
    source: str, name: str, twin: str | None = None, whole: tuple[contents.Section, ...] = ()
) -> str:
    """Return a page of Markdown as a whole document.

    Args:
        name: its path under the root, without ``.md``.
        twin: the same of the page in the other language, where there is one.
        whole: the structure that the page is a part of.
    """
    page = rendered(source, functools.partial(_pointed, name=name))
    return _framed(page.title or name, page.body, name, twin, whole)


def _language(name: str) -> Language:
    return "pl" if name.startswith("pl/") else "en"


def _framed(
    title: str, body: str, name: str, twin: str | None, whole: tuple[contents.Section, ...]
) -> str:
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
        f"{other}{_listed(whole, name)}</nav><main>{_reachable(body)}</main></body></html>"
    )


def _listed(whole: tuple[contents.Section, ...], name: str) -> str:
    """Return the contents to unfold, the open page marked in them."""
    if not whole:
        return ""
    word = "Spis treści" if _language(name) == "pl" else "Contents"
    parts = []
    for section in whole:
        links = ""
        for page in section.pages:
            here = ' aria-current="page"' if page.path == name else ""
            links += f'<li><a href="/docs/{page.path}"{here}>{html.escape(page.title)}</a></li>'
        parts.append(f"<p>{html.escape(section.title)}</p><ul>{links}</ul>")
    return f"<details><summary>{word}</summary><div>{''.join(parts)}</div></details>"


def _reachable(body: str) -> str:
    """Return a body whose wide parts scroll by keyboard too; a head without words is no head."""
    body = body.replace("<th></th>", "<td></td>").replace("<pre>", '<pre tabindex="0">')
    body = body.replace("<table>", '<div class="scrolls" tabindex="0"><table>')
    return body.replace("</table>", "</table></div>")


def _pointed(target: str, name: str) -> str:
    """Return a link for a browser, which resolves it against a path without ``.md`` and, for an
    index, without its last part."""
    found = page_of(target, name)
    if found is None:
        return target
    page, fragment = found
    path = posixpath.normpath(posixpath.join("/docs", page))
    return f"{path}#{fragment}" if fragment else path
