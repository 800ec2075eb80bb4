"""`python -m tools.codes_page`: write the table of every code on docs/troubleshooting.md and its
Polish, from what docs/errors.md says of each.

``--check`` compares instead.
"""

from __future__ import annotations

import re
import sys
from functools import partial

from tools import generated
from tools.house.markdown import sections
from tools.projects import ROOT

TARGETS = {
    "en": ROOT / "docs" / "troubleshooting.md",
    "pl": ROOT / "docs" / "pl" / "troubleshooting.md",
}
_HEADS = {
    "en": "| what you see | why | what to do |",
    "pl": "| co widać | dlaczego | co zrobić |",
}
_TABLE = re.compile(
    r"(?P<head>^## (Every code|Wszystkie kody)\n(?:[^|#\n].*\n|\n)+)(?:\|.*\n)*", re.MULTILINE
)
_STATUS = re.compile(r"^\*\*(\d+)\*\*\s+")
#: The end of a sentence, outside code spans and the targets of links.
_SENTENCE = re.compile(r"(?:`[^`]*`|\]\([^)]*\)|[^`.])*\.(?=\s|$)")
_NONE = "–"


def rendered(language: str) -> str:
    """Return the page with the table in it.

    Raises:
        ValueError: the page has no section for it.
    """
    target = TARGETS[language]
    rows = [
        _HEADS[language],
        "|---|---|---|",
        *codes(target.with_name("errors.md").read_text("utf-8")),
    ]
    table = "\n".join(rows) + "\n"
    text, count = _TABLE.subn(lambda found: found["head"] + table, target.read_text("utf-8"))
    if not count:
        raise ValueError(f"{target.name}: the section for the table of codes is gone")
    return text


def codes(errors: str) -> list[str]:
    """Return a row for each code of the page of errors: its first sentence, and the rest of its
    first paragraph."""
    rows = []
    for section in sections(errors):
        if section.level < 3 or not section.spans or not section.fixed:
            continue
        words = " ".join(section.prose.split("\n\n")[0].split())
        status = found[1] if (found := _STATUS.match(words)) else ""
        words = _STATUS.sub("", words).replace("|", "\\|")
        first = found[0] if (found := _SENTENCE.match(words)) else words
        seen = f"[`{section.anchor}`](errors.md#{section.anchor}) {status}".strip()
        rows.append(f"| {seen} | {first} | {words[len(first) :].strip() or _NONE} |")
    return rows


def main(arguments: list[str] | None = None) -> int:
    """Return 1 where ``--check`` finds a page stale."""
    made = [
        generated.main("tools.codes_page", target, partial(rendered, language), arguments)
        for language, target in TARGETS.items()
    ]
    return max(made)


if __name__ == "__main__":
    sys.exit(main())
