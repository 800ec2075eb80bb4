"""The description that the page's types are made from: stale is red, words are no part of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tools import openapi
from venom_core.api.openapi import examples


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "openapi.json"
    monkeypatch.setattr(openapi, "TARGET", path)
    return path


def test_a_stale_file_is_red_and_writing_makes_it_green(
    target: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert openapi.main(["--check"]) == 1
    assert "python -m tools.openapi" in capsys.readouterr().out
    assert openapi.main([]) == 0
    assert openapi.main(["--check"]) == 0
    written = target.read_text(encoding="utf-8")
    target.write_text(written.replace('"degraded", ', ""), encoding="utf-8")
    assert openapi.main(["--check"]) == 1
    assert openapi.main([]) == 0
    assert target.read_text(encoding="utf-8") == written


def test_a_key_called_like_a_word_stays() -> None:
    shape: dict[str, Any] = {
        "description": "gone",
        "properties": {"title": {"type": "string", "title": "gone"}, "summary": {"type": "string"}},
    }
    kept = openapi._without_words({"schemas": {"description": shape}})
    assert kept == {
        "schemas": {
            "description": {
                "properties": {"title": {"type": "string"}, "summary": {"type": "string"}}
            }
        }
    }


def test_each_operation_and_shape_has_its_line(target: Path) -> None:
    openapi.main([])
    text = target.read_text(encoding="utf-8")
    document = json.loads(text)
    lines = text.splitlines()
    for name in document["components"]["schemas"]:
        assert sum(line.startswith(f'"{name}": {{') for line in lines) == 1, name


def test_a_route_without_an_example_is_red_and_the_command_is_named(
    target: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    openapi.main([])
    kept = examples.read()
    kept["operations"]["flown"] = kept["operations"].pop("list_models")
    monkeypatch.setattr(examples, "read", lambda: kept)
    capsys.readouterr()
    assert openapi.main(["--check"]) == 1
    missing, gone = capsys.readouterr().out.splitlines()
    assert "GET /api/v1/models has no example" in missing and "list_models" in missing
    assert "no operation flown" in gone
    for line in (missing, gone):
        assert "tests/contract/api_v1/calls.py" in line
        assert "python -m tools.openapi_examples" in line


def test_an_example_of_another_shape_is_red(
    target: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    openapi.main([])
    kept = examples.read()
    del kept["operations"]["healthz"]["example"]["answer"]["version"]
    monkeypatch.setattr(examples, "read", lambda: kept)
    capsys.readouterr()
    assert openapi.main(["--check"]) == 1
    (told,) = capsys.readouterr().out.splitlines()
    assert "healthz" in told and "version" in told and "python -m tools.openapi_examples" in told


def test_no_type_depends_on_an_example() -> None:
    shape = {"examples": {"a": {"value": 1}}, "example": 2, "schema": {"type": "string"}}
    kept = {"schema": {"type": "string"}}
    assert openapi._without_words({"content": {"text/plain": shape}}) == {
        "content": {"text/plain": kept}
    }
