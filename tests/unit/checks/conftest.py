"""A tree to check: made of the files that a test names."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.checks.planting import Plant
from tools.house.tree import Tree


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    """Write files by name and text below one folder; called again, it adds to them."""

    def write(files: dict[str, str]) -> Tree:
        for name, text in files.items():
            path = tmp_path / "tree" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return Tree(tmp_path / "tree")

    return write
