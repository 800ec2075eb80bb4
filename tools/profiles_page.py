"""`python -m tools.profiles_page`: write the table of docs/profiles.md and docs/pl/profiles.md from
the profiles themselves.

``--check`` compares instead.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from functools import partial

from tools import generated
from tools.projects import ROOT
from venom_core.settings.profiles import PROFILES, Profile

TARGETS = {"en": ROOT / "docs" / "profiles.md", "pl": ROOT / "docs" / "pl" / "profiles.md"}
#: A heading, the prose below it, and the first table behind that.
_TABLE = re.compile(
    r"(?P<head>^## (The table|Tabela)\n(?:[^|\n].*\n|\n)+)(?:\|.*\n)+", re.MULTILINE
)
_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "aliases": "the older system's names",
        "chat": "models run",
        "yes": "yes",
        "no": "no",
        "requires": "requires",
        "else": ", else ",
        "excludes": "leaves out",
        "services": "runs",
        "runtimes": "of several runtimes of a model, the first of",
        "servers": "may be the active server",
        "every": "every provider",
        "but": "every provider but",
        "none": "none",
        "nothing": "nothing",
        "environment": "variables of a container",
    },
    "pl": {
        "aliases": "nazwy w starszym systemie",
        "chat": "modele działają",
        "yes": "tak",
        "no": "nie",
        "requires": "wymaga",
        "else": ", a bez niej ",
        "excludes": "pomija",
        "services": "uruchamia",
        "runtimes": "z kilku środowisk jednego modelu pierwsze z",
        "servers": "aktywnym serwerem może być",
        "every": "każdy dostawca",
        "but": "każdy dostawca prócz",
        "none": "żaden",
        "nothing": "niczego",
        "environment": "zmienne kontenera",
    },
}


def rendered(language: str, page: str | None = None) -> str:
    """Return the page with the table as the profiles are now."""
    text = TARGETS[language].read_text(encoding="utf-8") if page is None else page
    table = "\n".join(_rows(_WORDS[language])) + "\n"
    text, count = _TABLE.subn(lambda found: found["head"] + table, text)
    if count != 1:
        raise ValueError(f"the page in {language} has no table of profiles")
    return text


def _rows(words: Mapping[str, str]) -> Iterable[str]:
    rows = tuple(PROFILES.values())
    yield _line("", (f"`{row.name}`" for row in rows))
    yield _line("---", ["---"] * len(rows)).replace(" ", "")
    yield _line(words["chat"], (words["yes" if row.chat else "no"] for row in rows))
    either = {"nothing": words["nothing"], "between": words["else"]}
    yield _line(words["requires"], (_names(row.requires, **either) for row in rows))
    for field in ("excludes", "services", "runtimes"):
        cells = (_names(getattr(row, field), words["nothing"]) for row in rows)
        yield _line(words[field], cells)
    yield _line(words["servers"], (_servers(row, words) for row in rows))
    variables = (" ".join(f"`{k}={v}`" for k, v in row.environment.items()) for row in rows)
    yield _line(words["environment"], variables)
    yield _line(words["aliases"], (_names(row.aliases, words["nothing"]) for row in rows))


def _servers(row: Profile, words: Mapping[str, str]) -> str:
    if not row.chat:
        return words["none"]
    return f"{words['but']} {_names(row.excludes, '')}" if row.excludes else words["every"]


def _names(names: Iterable[str], nothing: str, between: str = ", ") -> str:
    return between.join(f"`{name}`" for name in names) or nothing


def _line(title: str, cells: Iterable[str]) -> str:
    return f"| {' | '.join((title, *cells))} |".replace("|  |", "| |")


def main(arguments: list[str] | None = None) -> int:
    """Return 1 where ``--check`` finds a page stale."""
    stale = [
        generated.main("tools.profiles_page", target, partial(rendered, language), arguments)
        for language, target in TARGETS.items()
    ]
    return int(any(stale))


if __name__ == "__main__":
    sys.exit(main())
