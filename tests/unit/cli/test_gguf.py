"""`venom run ./model.gguf`."""

from __future__ import annotations

from pathlib import Path

import pytest

from venom_core.cli.exit_codes import ExitCode
from venom_core.cli.gguf import VARIABLE, is_gguf_path, offer_file, reference_of
from venom_core.sdk.errors import Conflict, InvalidRequest, UpstreamTimeout

LISTING = {
    "models": [
        {"provider": "ollama", "name": "My-model", "reference": "ollama://My-model"},
        {"provider": "llamacpp", "name": "My-model", "reference": "llamacpp://My-model"},
    ],
    "stale": [{"provider": "ollama", "message": "Down.", "code": "ollama_down", "fix": None}],
}


@pytest.mark.parametrize(
    ("word", "named"),
    [
        ("./a.gguf", True),
        ("/models/A.GGUF", True),
        ("llamacpp://a.gguf", False),
        ("gemma3:4b", False),
        ("What is a.gguf", False),
    ],
)
def test_what_names_a_file(word: str, named: bool) -> None:
    assert is_gguf_path(word) is named


def test_a_file_with_a_space_in_its_name(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "my model.gguf").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    assert is_gguf_path("my model.gguf")


def test_the_file_is_added_to_the_places_that_are_set_already(tmp_path: Path) -> None:
    (tmp_path / "a.gguf").write_bytes(b"")
    env = {VARIABLE: "/models"}
    offer_file(str(tmp_path / "a.gguf"), env)
    assert env == {VARIABLE: f"/models,{tmp_path / 'a.gguf'}"}


def test_the_reference_is_the_embedded_engine_s(tmp_path: Path) -> None:
    path = tmp_path / "My model.gguf"
    assert reference_of(path, LISTING, [], None) == "llamacpp://My-model"
    with pytest.raises(InvalidRequest):
        reference_of(tmp_path / "other.gguf", LISTING, [], None)
    with pytest.raises(Conflict) as caught:
        reference_of(tmp_path / "other.gguf", LISTING, [], "http://127.0.0.1:8366")
    assert VARIABLE in (caught.value.fix or "")


def test_a_provider_that_did_not_say_is_no_fault_of_the_file(tmp_path: Path) -> None:
    late = {"provider": "llamacpp", "message": "Late.", "code": "upstream_timeout", "fix": "Wait."}
    with pytest.raises(UpstreamTimeout) as caught:
        reference_of(tmp_path / "other.gguf", {"models": [], "stale": [late]}, [], None)
    assert (caught.value.code, caught.value.fix) == ("upstream_timeout", "Wait.")


def test_a_file_that_is_not_there(cli) -> None:
    done = cli("run", "./nothing.gguf", "Say hello.")
    assert done.code == ExitCode.NOT_FOUND and "file_not_found" in done.err


def test_the_first_of_several_parts_is_named_as_the_engine_names_it(tmp_path: Path) -> None:
    listing = {"models": [{"provider": "llamacpp", "name": "big", "reference": "llamacpp://big"}]}
    assert reference_of(tmp_path / "big-00001-of-00003.gguf", listing, [], None) == "llamacpp://big"
