"""The documentation is complete: what a user can meet has a heading, in English and in Polish.

Subjects: every setting by its environment name, every error and reason code, every command. A
code's heading is the code alone, because refusals link to its anchor. A setting's or a command's
name stands in the heading as a code span. Links between pages lead somewhere.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from tools.house.markdown import Section, links, sections, slug
from tools.house.subjects import Subjects, collect
from tools.house.tree import Tree

LANGUAGES = {"English": "docs", "Polish": "docs/pl"}
# Decisions and reports stay in the language they were written in, and a reference made from
# docstrings in that of the docstrings.
ONE_LANGUAGE = ("docs/adr/", "docs/_done/", "docs/pl/", "docs/plugins/sdk.md")


def pages(tree: Tree, folder: str) -> list[str]:
    """The pages of one language."""
    names = [name for name in tree.matching(".md") if name.startswith(f"{folder}/")]
    if folder == "docs":
        names = [name for name in names if not name.startswith(ONE_LANGUAGE)]
    return names


def check(tree: Tree) -> list[str]:
    problems = []
    subjects = collect(tree)
    for language, folder in LANGUAGES.items():
        names = pages(tree, folder)
        if not names:
            problems.append(f"{folder}/: no page; the documentation in {language} is missing")
            continue
        headings = [section for name in names for section in sections(tree.text(name))]
        problems += [f"{folder}/: {text}" for text in _missing(subjects, headings)]
    return [*problems, *subjects.problems, *_dead_links(tree)]


def _missing(subjects: Subjects, headings: list[Section]) -> Iterator[str]:
    anchors = {section.anchor for section in headings}
    spans = {span for section in headings for span in section.spans}
    for code, where in subjects.codes.items():
        if slug(code) not in anchors:
            yield f"no heading `{code}` for the code that {where} raises"
    for setting in subjects.settings:
        if setting not in spans:
            yield f"no heading with `{setting}` for the setting"
    for command in subjects.commands:
        if command not in spans:
            yield f"no heading with `{command}` for the command"


def _dead_links(tree: Tree) -> Iterator[str]:
    anchors: dict[str, set[str]] = {}
    for name in tree.matching(".md"):
        if name.startswith(("web/", "venom_core/testing/")):
            continue
        for line, target in links(tree.text(name)):
            if "://" in target or target.startswith(("mailto:", "/")):
                continue
            path, _, anchor = target.partition("#")
            place = posixpath.normpath(posixpath.join(posixpath.dirname(name), path or name))
            place = name if not path else place
            if not (tree.root / place).exists():
                yield f"{name}:{line}: a link to {target}, which does not exist"
            elif anchor and place.endswith(".md"):
                if place not in anchors:
                    anchors[place] = {one.anchor for one in sections(tree.text(place))}
                if anchor not in anchors[place]:
                    yield f"{name}:{line}: a link to {target}: no such heading there"
