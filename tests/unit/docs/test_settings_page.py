"""The generated part of the configuration's page: from the settings, and red where it is stale."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import settings_page
from tools.settings_page import TARGETS, declared, main, rendered


@pytest.mark.parametrize("language", TARGETS)
def test_it_is_current(language: str) -> None:
    text = TARGETS[language].read_text("utf-8")
    assert rendered(language, text) == text


@pytest.mark.parametrize(
    ("language", "before", "after"),
    [
        ("en", "a whole number from 0 to 65535; default `8366`", "a number; default `80`"),
        ("pl", "liczba całkowita od 0 do 65535; domyślnie `8366`", "liczba; domyślnie `80`"),
        ("en", "| [`VENOM_PORT`](#venom_port) |", "| `VENOM_PORT` |"),
    ],
)
def test_what_is_written_otherwise_is_put_right(language: str, before: str, after: str) -> None:
    text = TARGETS[language].read_text("utf-8")
    assert before in text
    assert rendered(language, text.replace(before, after)) == text


def test_a_setting_without_a_section_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "configuration.md"
    text = TARGETS["en"].read_text("utf-8")
    page.write_text(text.replace("### `VENOM_PORT`", "### The port"), encoding="utf-8")
    monkeypatch.setattr(settings_page, "TARGETS", {"en": page})
    assert main(["--check"]) == 1
    said = capsys.readouterr().err
    assert "VENOM_PORT: write a section with the heading ### `VENOM_PORT`" in said
    assert "begins with: In the file `" in said


def test_every_layer_of_a_setting_is_told() -> None:
    by_name = {one.env: one for one in declared()}
    assert by_name["VENOM_PORT"].option == "--port"
    assert by_name["VENOM_OLLAMA__BASE_URL"].key == "providers.ollama.base_url"
    text = TARGETS["en"].read_text("utf-8")
    for one in by_name.values():
        assert f"| [`{one.env}`](#{one.env.lower()}) |" in text
