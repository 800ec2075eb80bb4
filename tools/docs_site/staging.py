"""The pages as MkDocs gets them: rendered by the server's renderer, a folder for each language.

The site has the layout of ``docs/``: what is ``docs/pl/errors.md`` is ``pl/errors.html`` in it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from tools.projects import ROOT
from venom_core.ui import contents, llms
from venom_core.ui.contents import Language
from venom_core.ui.markdown import Rendered, page_of, rendered

DOCS = ROOT / "docs"
HERE = Path(__file__).parent
ICON = ROOT / "web" / "app" / "icon.svg"
#: Files beside the pages that go into the site.
ASSETS = ("grafana/venom.json", "images/*.svg")
#: Decisions have a list of their own, so the contents name that alone.
DECISIONS = "adr"
_NAMES = {"en": "English", "pl": "Polski"}
#: As in `hooks.py`, which runs where this cannot be imported.
SITE = "https://site.invalid/"


def stage(work: Path, site: Path, language: Language, reference: tuple[str, str]) -> Path:
    """Write a language's folder and its configuration into ``work``.

    Args:
        site: the folder of the whole site.
        reference: title and HTML of the page that is made from the OpenAPI document.

    Returns:
        The configuration for ``mkdocs build``.
    """
    folder = work / language
    shutil.rmtree(folder, ignore_errors=True)
    records = {}
    for page in _pages(language):
        shown = _reference(reference, page) if not page.source else _shown(page)
        name = _in_folder(page.path, language)
        target = folder / f"{name}.md"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(shown.body, encoding="utf-8")
        records[f"{name}.md"] = _record(page, shown)
    (work / f"{language}.json").write_text(json.dumps(records), encoding="utf-8")
    (folder / "assets").mkdir(parents=True)
    for file in (HERE / "iframe-worker.js", ICON):
        shutil.copy(file, folder / "assets")
    if language == "en":
        for pattern in ASSETS:
            for file in DOCS.glob(pattern):
                target = folder / file.relative_to(DOCS)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, target)
    _write_texts(folder, language)
    config = work / f"{language}.yml"
    config.write_text(json.dumps(_config(work, site, language)), encoding="utf-8")
    return config


def _pages(language: Language) -> Iterator[contents.Page]:
    """Yield the pages that a language's part of the site has: decisions are in the English one."""
    yield from (page for page in contents.pages(DOCS, language) if _is_of(page, language))
    if language == "en":
        yield from _decisions()


def _decisions() -> Iterator[contents.Page]:
    for file in sorted((DOCS / DECISIONS).glob("0*.md")):
        source = file.read_text(encoding="utf-8")
        shown = rendered(source, lambda target: target)
        yield contents.Page(f"{DECISIONS}/{file.stem}", shown.title, shown.summary, source)


def _is_of(page: contents.Page, language: Language) -> bool:
    return page.path.startswith("pl/") == (language == "pl")


def _in_folder(path: str, language: Language) -> str:
    return path.removeprefix("pl/") if language == "pl" else path


def _shown(page: contents.Page) -> Rendered:
    return rendered(page.source, partial(pointed, page=page.path), _coloured)


def _coloured(text: str, language: str) -> str:
    """Return a block of code as the theme's style sheet wants it."""
    try:
        lexer = get_lexer_by_name(language or "text")
    except ClassNotFound:
        lexer = get_lexer_by_name("text")
    spans = highlight(text, lexer, HtmlFormatter(nowrap=True))
    return f'<pre class="highlight"><code>{spans}</code></pre>'


def _reference(reference: tuple[str, str], page: contents.Page) -> Rendered:
    title, body = reference
    for target in ("docs/pl/api", "docs/api", "openapi.json"):
        body = body.replace(f'href="/{target}"', f'href="{pointed(f"/{target}", page.path)}"')
    return Rendered(title, body, (), page.summary)


def pointed(target: str, page: str) -> str:
    """Return a link of a page as the built site has it, where a page is a file of HTML."""
    found = page_of(target, page)
    if found is None and target.startswith("/docs/"):
        path, _, fragment = target.removeprefix("/docs/").partition("#")
        found = path, fragment
    if found is None:
        return contents.relative(target[1:], page) if target.startswith("/") else target
    path, fragment = found
    file = contents.relative(f"{path}.html", page)
    return f"{file}#{fragment}" if fragment else file


def _record(page: contents.Page, shown: Rendered) -> dict[str, Any]:
    """Return what MkDocs is told of a page beside its text."""
    plain = page.path.removeprefix("pl/")
    alternate = []
    for language, name in _NAMES.items():
        path = plain if language == "en" else f"pl/{plain}"
        if plain != contents.OPENAPI and not (DOCS / f"{path}.md").is_file():
            path = "pl/index"
        alternate.append({"name": name, "link": f"{SITE}{path}.html", "lang": language})
    return {"summary": shown.summary, "toc": _nested(shown), "alternate": alternate}


def _nested(shown: Rendered) -> list[dict[str, Any]]:
    """Return the headings as MkDocs wants them, each with those below it."""
    top: list[dict[str, Any]] = []
    open_ones: list[dict[str, Any]] = []
    for heading in shown.headings:
        entry: dict[str, Any] = {
            "level": heading.level, "id": heading.anchor, "name": heading.text, "children": [],
        }  # fmt: skip
        while open_ones and open_ones[-1]["level"] >= heading.level:
            open_ones.pop()
        (open_ones[-1]["children"] if open_ones else top).append(entry)
        open_ones.append(entry)
    return top


def _config(work: Path, site: Path, language: Language) -> dict[str, Any]:
    nav = [
        {section.title: [{page.title: _place(page, language)} for page in section.pages]}
        for section in contents.sections(DOCS, language)
    ]
    if language == "en":
        nav.append({"Decisions": [{page.title: f"{page.path}.md"} for page in _decisions()]})
    return {
        "INHERIT": str(HERE / "mkdocs.yml"),
        "docs_dir": str(work / language),
        "site_dir": str(site if language == "en" else site / "pl"),
        "theme": {"language": language},
        "nav": nav,
        "hooks": [str(HERE / "hooks.py")],
    }


def _place(page: contents.Page, language: Language) -> str:
    """Return where the contents lead: a file of the language's folder, or the other part's page."""
    if _is_of(page, language):
        return f"{_in_folder(page.path, language)}.md"
    return f"{SITE}{page.path}.html"


def _write_texts(folder: Path, language: Language) -> None:
    here = "pl/llms" if language == "pl" else "llms"

    def link(path: str) -> str:
        return contents.relative(f"{path}.html", here)

    (folder / "llms.txt").write_text(llms.index(DOCS, language, link), encoding="utf-8")
    (folder / "llms-full.txt").write_text(llms.full(DOCS, language), encoding="utf-8")
