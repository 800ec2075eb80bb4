"""The documentation's pages as the tests read them: titled code blocks and headings."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
DOCS = ROOT / "docs"
_BLOCK = re.compile(r'^```\w+ title="([^"]+)"\n(.*?)^```$', re.MULTILINE | re.DOTALL)
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_CODE_HEADING = re.compile(r"^#{2,6} `([^`]+)`$", re.MULTILINE)


def titled_blocks(page: Path) -> dict[str, str]:
    """Title -> text of the code blocks that have a title (a file's name, mostly)."""
    return dict(_BLOCK.findall(page.read_text(encoding="utf-8")))


def code_sections(page: Path) -> dict[str, str]:
    """Code span -> text below it, of the headings that are one code span."""
    text = page.read_text(encoding="utf-8")
    parts = _CODE_HEADING.split(_FENCE.sub("", text))
    return {
        name: re.split(r"^#", body, maxsplit=1, flags=re.MULTILINE)[0].strip()
        for name, body in zip(parts[1::2], parts[2::2], strict=True)
    }
