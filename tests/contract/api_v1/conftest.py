"""Every answer of the contract's calls is as its route declares."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.declared_answers import check_answers


@pytest.fixture(autouse=True)
def declared_answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    with check_answers(monkeypatch) as checked:
        yield checked
