"""The choice of the browser for the browser tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import browser


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Three browsers, none of them on the path yet."""
    names = ("chosen", "chromium", "bundled")
    for name in names:
        (tmp_path / name).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.setattr(browser, "CHOSEN", None)
    return {name: str(tmp_path / name) for name in names}


def test_the_chosen_one_then_the_path_then_the_bundled(
    there: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert browser.chromium() is None
    assert browser.chromium(str(tmp_path / "never-fetched")) is None
    assert browser.chromium(there["bundled"]) == there["bundled"]
    monkeypatch.setenv("PATH", str(tmp_path))
    assert browser.chromium(there["bundled"]) == there["chromium"]
    monkeypatch.setattr(browser, "CHOSEN", there["chosen"])
    assert browser.chromium(there["bundled"]) == there["chosen"]
