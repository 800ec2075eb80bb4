"""The nearest name among very many: few are compared letter by letter."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import pytest

from venom_core.models.registry import ListedModel, Listing
from venom_core.models.unknown import MOST_COMPARED, MOST_LETTERS, nearest
from venom_core.sdk.provider import Model

Compared = list[list[str]]


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> Compared:
    names: Compared = []
    matches = difflib.get_close_matches

    def noted(word: str, possible: Iterable[str], **bounds: float) -> list[str]:
        names.append([word, *possible])
        return matches(word, names[-1][1:], **bounds)  # type: ignore[call-overload, no-any-return]

    monkeypatch.setattr(difflib, "get_close_matches", noted)
    return names


def listing(names: Iterable[str]) -> Listing:
    return Listing(tuple(ListedModel("remote", Model(name, "remote"), name) for name in names))


MANY = [f"organisation/name-{number}" for number in range(2000)]


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("gema3:4b", "gemma3:4b"),
        ("Organisation/Name-17777", "organisation/name-1777"),
        ("remote://gemma3:4", "remote://gemma3:4b"),
        ("x" * 500, None),
    ],
)
def test_of_many_names_few_are_compared(compared: Compared, asked: str, meant: str | None) -> None:
    assert nearest(asked, listing([*MANY, "gemma3:4b"])) == meant
    [found] = compared
    assert len(found) <= MOST_COMPARED + 1
    assert max(map(len, found)) <= MOST_LETTERS


def test_of_a_long_path_the_end_is_compared(compared: Compared) -> None:
    path = "/srv/" + "models/" * 60
    assert nearest(f"{path}gema-3", listing([f"{path}gemma-3", f"{path}qwen"])) == f"{path}gemma-3"
    assert max(map(len, compared[0])) <= MOST_LETTERS
