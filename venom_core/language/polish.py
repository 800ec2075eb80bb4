"""Sentences in Polish, for every surface: the API on its way out, the command line at its output.

Sentences are English where they are made, in the core and in plugins alike. They are put into
Polish on their way out, by catalogues of templates: ``There is no key {0}.`` is found in the
sentence that was said, and what stood in its hole is carried over letter by letter, so that a name,
a path or an upstream's own words are in both languages the same. ``{0*}`` in the Polish puts the
hole's words into Polish too. What no catalogue knows stays English. Codes never change.
"""

from __future__ import annotations

import functools
import importlib.util
import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from venom_core.sdk.hookspecs import ObservedEvent, hookimpl

log = logging.getLogger(__name__)

Language = Literal["en", "pl"]
#: Beside a plugin's manifest, and beside this module for the core.
CATALOGUE: Final = "sentences.pl.toml"
#: What pydantic says of a field, which is no sentence of ours.
VALIDATION: Final = "validation.pl.toml"
#: What only the terminal says: sentences and headings, and the helps of commands.
TERMINAL: Final = ("terminal.pl.toml", "help.pl.toml")

#: Characters, and sentences, of a text that is looked for; a name of a stranger's may be in it.
LONGEST = 4000
MOST_SENTENCES = 24

_HOLE = re.compile(r"\{(\d)(\*?)\}")
_SENTENCE_END = re.compile(r"(?<=[.!?]) +")


def polish(text: str, *, terminal: bool = False) -> str:
    """Return a text of one or several sentences in Polish; those that are unknown as they were, and
    so is a text that is longer than any of ours: each sentence is looked for among all.

    Args:
        terminal: single words too, which in an answer of the API may be somebody's name.
    """
    if len(text) > LONGEST or text.count(". ") > MOST_SENTENCES:
        return text
    return _polish(text, terminal=terminal)


@functools.lru_cache(maxsize=1024)
def _polish(text: str, *, terminal: bool) -> str:
    sentences, done = _SENTENCE_END.split(text), []
    while sentences:
        said, count = _beginning(sentences, _catalogue(terminal=terminal))
        done.append(said)
        sentences = sentences[count:]
    return " ".join(done)


def _beginning(sentences: list[str], catalogue: _Catalogue) -> tuple[str, int]:
    """Return the Polish of the first sentences, and how many they are. Some templates are two
    sentences, and a name may hold a full stop, which is thought of last."""
    for across in (False, True):
        for count in range(len(sentences), 0, -1):
            found = catalogue.find(" ".join(sentences[:count]), None if across else count)
            if found is not None:
                return found, count
    return sentences[0], 1


@dataclass(frozen=True, slots=True)
class _Template:
    """An English sentence cut at its holes, and the Polish with the holes in it."""

    parts: tuple[str, ...]
    polish: str
    sentences: int

    def match(self, text: str) -> list[str] | None:
        """Return what stands in the holes of ``text``, or None."""
        first, *inner, last = self.parts
        end = len(text) - len(last)
        if not text.startswith(first) or not text.endswith(last) or end < len(first):
            return None
        place, found = len(first), []
        for part in inner:
            at = text.find(part, place, end)
            if at < 0:
                return None
            found.append(text[place:at])
            place = at + len(part)
        return [*found, text[place:end]]


_EDGE = 3


def _edge(template: _Template) -> str:
    """Return the first letters of a template, else the last, as an index; "" where both are
    holes, or nearly so."""
    first, last = template.parts[0], template.parts[-1]
    if len(first) >= _EDGE:
        return f"{first[:_EDGE]}{{"
    return f"}}{last[-_EDGE:]}" if len(last) >= _EDGE else ""


class _Catalogue:
    """Every template there is."""

    def __init__(self, sentences: Mapping[str, str], *, terminal: bool) -> None:
        self._terminal = terminal
        self._whole = {text: said for text, said in sentences.items() if not _HOLE.search(text)}
        holed = [
            _Template(tuple(re.split(r"\{\d\}", text)), said, len(_SENTENCE_END.split(text)))
            for text, said in sentences.items()
            if _HOLE.search(text)
        ]
        # Of several that match, the one that says most is meant.
        self._holed = sorted(holed, key=lambda one: -sum(map(len, one.parts)))
        # By what a sentence begins with, or where that is a hole, ends with: nearly all of the
        # templates need no look.
        self._by_edge: dict[str, list[int]] = {}
        for rank, template in enumerate(self._holed):
            self._by_edge.setdefault(_edge(template), []).append(rank)

    def find(self, text: str, sentences: int | None) -> str | None:
        """Return the Polish of a text, of templates of so many sentences or of all."""
        if text in self._whole:
            return self._whole[text]
        edges = (f"{text[:_EDGE]}{{", f"}}{text[-_EDGE:]}", "")
        ranks = [rank for edge in edges for rank in self._by_edge.get(edge, ())]
        for template in map(self._holed.__getitem__, sorted(ranks)):
            if sentences not in (None, template.sentences):
                continue
            holes = template.match(text)
            if holes is not None:
                return self._filled(template.polish, holes)
        return None

    def _filled(self, said: str, holes: list[str]) -> str:
        def words(hole: re.Match[str]) -> str:
            found = holes[int(hole[1])]
            if not hole[2]:
                return found
            stripped = found.lstrip()
            return found[: len(found) - len(stripped)] + _polish(stripped, terminal=self._terminal)

        return _HOLE.sub(words, said)


@functools.cache
def _catalogue(*, terminal: bool) -> _Catalogue:
    """Read when Polish is first asked for: the start does not pay for it."""
    import tomllib

    sentences: dict[str, str] = {}
    here = Path(__file__)
    names = (*(TERMINAL if terminal else ()), CATALOGUE, VALIDATION)
    for path in (*_of_plugins(), *map(here.with_name, names)):
        try:
            found = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            log.warning("%s cannot be read; its sentences stay English", path, exc_info=True)
            continue
        usable = {text: said for text, said in found.items() if _usable(text, said)}
        sentences |= _after_a_field(usable) if path.name == VALIDATION else usable
    return _Catalogue(sentences, terminal=terminal)


class CatalogueRefresh:
    """Reads the catalogues again after a plugin came, went or changed beside a running server."""

    @hookimpl
    def venom_observe(self, event: ObservedEvent) -> None:
        if event.name == "plugin.state":
            _catalogue.cache_clear()
            _polish.cache_clear()


def _after_a_field(words: Mapping[str, str]) -> dict[str, str]:
    """Return our sentences that quote pydantic: its text behind a field's path, or the body."""

    def later(text: str) -> str:
        return _HOLE.sub(lambda hole: f"{{{int(hole[1]) + 1}{hole[2]}}}", text)

    fields = {f"{{0}}: {later(text)}.": f"{{0}}: {later(said)}." for text, said in words.items()}
    bodies = {f"The body: {text}.": f"Treść żądania: {said}." for text, said in words.items()}
    return fields | bodies


def _usable(text: str, said: object) -> bool:
    """Return whether a line of a plugin's own catalogue is usable: a bad one must not cost the
    others."""
    if not isinstance(said, str):
        return False
    holes = {int(hole) for hole, _ in _HOLE.findall(text)}
    return {int(hole) for hole, _ in _HOLE.findall(said)} <= holes == set(range(len(holes)))


def _of_plugins() -> Iterator[Path]:
    """Return the catalogues of installed plugins; looked for without importing any."""
    from venom_core.plugins.discovery import scan

    for module in sorted({item.value.partition(".")[0] for item in scan().found}):
        try:
            spec = importlib.util.find_spec(module)
        except (ImportError, ValueError):
            continue
        for folder in (spec.submodule_search_locations if spec else None) or ():
            path = Path(folder) / CATALOGUE
            if path.is_file():
                yield path
