"""The page of light's figures: what the results have, and "not run" for what none has."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from tools.light_page import WORDS, rendered

MACHINE = {"cpu": "A processor", "cores": 2, "memory_gb": 7.9, "python": "3.11.1"}


def rows(page: str) -> list[list[str]]:
    lines = [line for line in page.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def put(folder: Path, name: str, median: float, goal: str, *, met: bool) -> None:
    whole = tomllib.loads(WORDS.read_text(encoding="utf-8"))
    figures = [
        {
            "name": row["figure"], "unit": "s", "median": median, "ratio": None,
            "goals": [{"goal": goal, "met": met}],
        }
        for row in whole["rows"]
        if row["file"] == name
    ]  # fmt: skip
    body = {
        "date": "2026-11-28T10:00:00Z", "commit": "0123456789", "dirty": False, "machine": MACHINE,
        "command": "python bench/run.py light", "figures": figures,
    }  # fmt: skip
    (folder / f"{name}.json").write_text(json.dumps(body), encoding="utf-8")


@pytest.mark.parametrize(
    ("language", "met", "target", "median", "word", "older"),
    [
        ("en", True, "≤ 0.8 s", "0.62 s", "yes", "18.9 s"),
        ("pl", True, "≤ 0,8 s", "0,62 s", "tak", "18,9 s"),
        ("en", False, "≤ 0.8 s", "0.62 s", "no", "18.9 s"),
    ],
)
def test_a_figure_stands_beside_its_target_and_the_older_system(
    tmp_path: Path, language: str, met: bool, target: str, median: str, word: str, older: str
) -> None:
    put(tmp_path, "light", 0.6213, "value <= 0.8", met=met)
    page = rendered(language, tmp_path)
    first = rows(page)[0]
    assert first[1:] == [target, median, word, older, "`python bench/run.py light`"]
    assert "A processor" in page and "`0123456`" in page


@pytest.mark.parametrize(("language", "word"), [("en", "not run"), ("pl", "nie uruchomiono")])
def test_what_no_result_has_is_not_run(tmp_path: Path, language: str, word: str) -> None:
    assert {row[2] for row in rows(rendered(language, tmp_path))} == {word}


def test_a_figure_that_its_result_does_not_have_is_no_figure_that_was_not_run(
    tmp_path: Path,
) -> None:
    """A renamed figure once read "not run" beside its measured self."""
    put(tmp_path, "light", 1.0, "value <= 0.8", met=False)
    file = tmp_path / "light.json"
    file.write_text(file.read_text(encoding="utf-8").replace("full: memory", "full: RAM"))
    with pytest.raises(ValueError, match="'full: memory'"):
        rendered("en", tmp_path)
