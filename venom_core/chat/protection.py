"""Protection of what a translation must not touch: placeholders, URLs, code, tags and the structure
of Markdown.

Each such part is replaced by a mark, and each mark must come back exactly once. Headings, lists,
quotes, table rows and bold stay in the text, where a model needs them, and are compared afterwards.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# Every repetition has a bound or an end that cannot be missed: the text is a stranger's.
_PARTS = re.compile(
    r"""
      ^[ \t]*(?P<fence>`{3,}|~{3,})(?s:.*?)(?:^[ \t]*(?P=fence)[`~]*[ \t]*$|\Z)   # fenced code
    | (?<!`)(?P<ticks>`{1,9})(?!`)[^\n]{1,2000}?(?<!`)(?P=ticks)(?!`)             # inline code
    | ^[ \t]{0,20}[|:\-=*_ \t]{3,300}$                                # rules and table separators
    | (?<=\])\([^()\s]{1,2000}(?:[ \t]{1,9}"[^"\n]{0,300}")?\)                    # link targets
    | (?:https?|ftp|file)://[^\s<>"'`⟦⟧]{0,2000}[^\s<>"'`⟦⟧.,;:!?)\]}*_]          # URLs
    | \bwww\.[^\s<>"'`⟦⟧]{0,2000}[^\s<>"'`⟦⟧.,;:!?)\]}*_]
    | (?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}                 # addresses
    | </?[A-Za-z][^<>\n]{0,500}>                                                  # tags
    | \$\{[^{}\n]{1,200}\} | \{\{[^{}\n]{1,200}\}\} | \{%[^\n]{1,200}?%\}         # placeholders
    | \{[\w.!:\[\]<>+^,=-]{0,60}\}
    | %\(\w{1,60}\)[-+\#0 ]?\d{0,9}(?:\.\d{1,9})?[A-Za-z]
    | %(?:\d{1,2}\$)?[-+\#0]?\d{0,9}(?:\.\d{1,9})?[sdifuxXeEgGcopr@](?![A-Za-z]) | %%
    | ⟦[^⟦⟧\n]{0,50}⟧ | [⟦⟧]                                                      # our own marks
    """,
    re.VERBOSE | re.MULTILINE,
)
_MARK = re.compile(r"⟦(\d{1,6})⟧")
_ANY_MARK = re.compile(r"⟦[^⟦⟧]*⟧|[⟦⟧]")
_LINE = re.compile(
    r"(?P<indent>[ \t]{0,40})(?P<quote>(?:>[ \t]?){0,20})[ \t]{0,40}"
    r"(?P<kind>\#{1,6}(?=\s)|[-*+](?=\s)|\d{1,9}[.)](?=\s)|\|)?"
)
_LONGEST_MARK = 8


@dataclass(frozen=True, slots=True)
class Protected:
    """A text whose parts are marks: ``⟦1⟧`` stands for ``parts[0]``."""

    text: str
    parts: tuple[str, ...]

    @property
    def has_words(self) -> bool:
        """Return whether there is anything left to translate."""
        return any(character.isalpha() for character in _MARK.sub("", self.text))

    def restored(self, translated: str) -> str | None:
        """Return the translation with its parts; None where a mark is missing, double or invented,
        or the structure is another."""
        wanted = sorted(mark_of(place) for place in range(len(self.parts)))
        if sorted(_ANY_MARK.findall(translated)) != wanted:
            return None
        if outline(translated) != outline(self.text):
            return None
        return self.put_back(translated)

    def put_back(self, text: str) -> str:
        """Replace known marks by their parts; whatever else stays."""

        def part(match: re.Match[str]) -> str:
            place = int(match[1]) - 1
            return self.parts[place] if 0 <= place < len(self.parts) else match[0]

        return _MARK.sub(part, text)


def protect(text: str) -> Protected:
    """Replace what must not change."""
    parts: list[str] = []

    def mark(match: re.Match[str]) -> str:
        parts.append(match[0])
        return mark_of(len(parts) - 1)

    return Protected(_PARTS.sub(mark, text), tuple(parts))


def mark_of(place: int) -> str:
    return f"⟦{place + 1}⟧"


def outline(text: str) -> list[tuple[object, ...]]:
    """Return the structure of Markdown: what each line begins with, and how much of it is bold."""
    found: list[tuple[object, ...]] = [("bold", text.count("**"), text.count("~~"))]
    for line in text.split("\n"):
        match = _LINE.match(line)
        if match is None or not (match["quote"] or match["kind"]):
            continue
        kind = match["kind"] or ""
        if kind == "|":
            kind = "|" * line.count("|")
        depth = len(match["indent"].expandtabs(4)) // 2
        found.append((depth, match["quote"].count(">"), "-" if kind in ("*", "+") else kind))
    return found


class Restorer:
    """Puts the parts back into a stream: what may be the beginning of a mark is held back."""

    def __init__(self, protected: Protected) -> None:
        self._protected = protected
        self._held = ""

    def feed(self, piece: str) -> str:
        text = self._held + piece
        begun = text.rfind("⟦")
        cut = len(text)
        if begun >= 0 and "⟧" not in text[begun:] and len(text) - begun < _LONGEST_MARK:
            cut = begun
        self._held = text[cut:]
        return self._protected.put_back(text[:cut])

    def rest(self) -> str:
        return self._held
