"""The documentation for language models: ``llms.txt``, a list of pages, and ``llms-full.txt``, all
of their text. The form is the one of llmstxt.org."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from venom_core.ui.contents import Language, sections
from venom_core.ui.markdown import without_remarks

_FULL: Final[Mapping[str, str]] = {
    "en": "All of it in one file: [llms-full.txt](llms-full.txt)",
    "pl": "Całość w jednym pliku: [llms-full.txt](llms-full.txt)",
}
#: Characters of a summary that a list can hold.
_LONGEST: Final = 240


def index(root: Path, language: Language, link: Callable[[str], str]) -> str:
    """Return ``llms.txt``.

    Args:
        root: the folder of the pages.
        link: gets a path under the root without ``.md``, returns the address of the page.
    """
    whole = sections(root, language)
    start = whole[0].pages[0]
    lines = [f"# {start.title}", "", f"> {start.summary}", "", _FULL[language]]
    for section in whole:
        lines += ["", f"## {section.title}", ""]
        lines += [
            f"- [{page.title}]({link(page.path)}): {_short(page.summary)}" for page in section.pages
        ]
    return "\n".join(lines) + "\n"


def full(root: Path, language: Language) -> str:
    """Return ``llms-full.txt``: the Markdown of each page behind a line that names it."""
    texts = [
        f"<!-- {page.path} -->\n\n{without_remarks(page.source).strip()}\n"
        for section in sections(root, language)
        for page in section.pages
        if page.source
    ]
    return "\n".join(texts)


def _short(summary: str) -> str:
    """Return as many whole sentences as a list can hold, at least one."""
    kept = ""
    for sentence in summary.replace(". ", ".\n").splitlines():
        if kept and len(kept) + len(sentence) > _LONGEST:
            break
        kept = f"{kept} {sentence}".strip()
    return kept
