"""Every page is there in Polish, with the same headings, and is translated rather than copied."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tools.house.docs import pages
from tools.house.markdown import Section, sections
from tools.house.tree import Tree

ROOT_PAGES = {"README.md": "README_PL.md", "CONTRIBUTING.md": "CONTRIBUTING_PL.md"}
# Below this many words a text may be equal in both languages: a name, a number, "OpenAI".
ENOUGH_WORDS = 5
WORD = re.compile(r"[^\W\d_]{2,}")


def check(tree: Tree) -> list[str]:
    pairs = dict(ROOT_PAGES)
    for name in pages(tree, "docs"):
        pairs[name] = name.replace("docs/", "docs/pl/", 1)
    problems = []
    for english, polish in pairs.items():
        missing = [name for name in (english, polish) if not tree.has(name)]
        if missing:
            problems += [f"{name}: missing" for name in missing]
            continue
        problems += _compare(english, polish, tree)
    for name in sorted(set(pages(tree, "docs/pl")) - set(pairs.values())):
        problems.append(f"{name}: its English page is missing")
    return problems


def _compare(english: str, polish: str, tree: Tree) -> Iterator[str]:
    ours, theirs = sections(tree.text(english)), sections(tree.text(polish))
    if len(ours) != len(theirs):
        counts = f"{len(theirs)} headings, but {len(ours)} in {english}"
        yield f"{polish}: {counts}{_first(ours, theirs)}"
        return
    for source, translated in zip(ours, theirs, strict=True):
        place = f"{polish}:{translated.line}"
        if not _same_place(source, translated):
            yield f"{place}: '{translated.title}' stands where {english} has '{source.title}'"
        if copied := _copied(source.prose, translated.prose):
            yield f"{place}: not translated: {copied!r}"


def _first(ours: list[Section], theirs: list[Section]) -> str:
    for source, translated in zip(ours, theirs, strict=False):
        if not _same_place(source, translated):
            return f"; they part at line {translated.line}, '{translated.title}'"
    return ""


def _same_place(source: Section, translated: Section) -> bool:
    if source.level != translated.level:
        return False
    return source.anchor == translated.anchor if source.fixed or translated.fixed else True


def _copied(source: str, translated: str) -> str | None:
    """The first paragraph that stands in both languages word for word, or None."""
    known = {" ".join(text.split()) for text in re.split(r"\n\s*\n", source)}
    for paragraph in re.split(r"\n\s*\n", translated):
        text = " ".join(paragraph.split())
        if text in known and len(WORD.findall(_without_code(text))) >= ENOUGH_WORDS:
            return text[:80]
    return None


def _without_code(text: str) -> str:
    """Names in code spans and link targets are the same in every language; remarks are no text."""
    return re.sub(r"<!--.*?-->|`[^`]*`|\]\([^)]*\)|https?://\S+", " ", text)
