"""Put pages that are rendered already into MkDocs; runs in its environment, not in ours.

A page of the folder that it reads is HTML, made by the server's own renderer; its headings and the
address of its other language stand in ``pages.json`` beside the folder.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mkdocs.structure.toc import get_toc

#: Stands for the folder of the whole site in links out of a language's part of it: MkDocs takes
#: relative ones for links into the part.
SITE = "https://site.invalid/"

_BODIES: dict[str, str] = {}
_RECORDS: dict[str, dict[str, Any]] = {}


def on_config(config: Any) -> None:
    """Read what is known of the pages."""
    record = Path(config.docs_dir).with_suffix(".json").read_text(encoding="utf-8")
    _RECORDS.update(json.loads(record))


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Keep the page as it is: nothing in it is for MkDocs' renderer."""
    _BODIES[page.file.src_uri] = markdown
    return ""


def on_page_content(html: str, page: Any, **_: Any) -> str:
    """Return the page that was kept, and give MkDocs its headings and its summary."""
    record = _RECORDS[page.file.src_uri]
    page.toc = get_toc(record["toc"])
    page.meta["description"] = record["summary"]
    return _BODIES[page.file.src_uri]


def on_page_context(context: Any, page: Any, config: Any, **_: Any) -> None:
    """Let the choice of the language lead to the same page."""
    config.extra["alternate"] = _RECORDS[page.file.src_uri]["alternate"]


def on_post_page(output: str, page: Any, config: Any) -> str:
    """Return the page with its links into the other language's part."""
    depth = page.file.src_uri.count("/") + (config.theme["language"] != "en")
    return output.replace(SITE, "../" * depth)
