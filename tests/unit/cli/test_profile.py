"""`venom profile`, without a server; with one it is in the table of doors."""

from __future__ import annotations

import json
import tomllib

import pytest

from tests.unit.cli.conftest import Cli
from venom_core.cli.exit_codes import ExitCode
from venom_core.settings.paths import Paths


def test_the_list_says_which_one_is_active_and_why(
    cli: Cli, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = cli("profile")
    assert shown.code == 0 and shown.out == cli("profile", "list").out
    assert "Nothing names a profile, so it is light." in shown.out
    assert cli("profile", "use", "extended").code == 0
    assert tomllib.loads(paths.config_file.read_text())["runtime"]["profile"] == "full"
    assert "config.toml names full." in cli("profile").out
    monkeypatch.setenv("VENOM_RUNTIME_PROFILE", "llm_off")
    assert "VENOM_RUNTIME_PROFILE names llm_off" in cli("profile").out
    told = json.loads(cli("profile", "list", "--json").out)
    assert (told["active"], told["origin"], told["count"]) == ("llm_off", "env", 3)


def test_one_of_them(cli: Cli) -> None:
    assert "light: Ollama, or the embedded engine" in cli("profile", "show").out
    row = json.loads(cli("profile", "show", "beast", "--json").out)["profile"]
    assert (row["name"], row["excludes"]) == ("full", [])
    assert cli("profile", "show", "light", "--env").out == (
        "VENOM_RUNTIME_PROFILE=light\nOLLAMA_MODEL=gemma3:*\n"
    )


def test_what_two_have_otherwise(cli: Cli) -> None:
    told = json.loads(cli("profile", "diff", "full", "--json").out)
    assert (told["before"], told["after"]) == ("light", "full")
    found = {one["field"]: (one["before"], one["after"]) for one in told["changes"]}
    assert found["excludes"] == (["vllm"], [])
    assert "profile_capabilities" not in found, "what they share is left out"
    back = json.loads(cli("profile", "diff", "full", "light", "--json").out)
    assert {one["field"]: (one["after"], one["before"]) for one in back["changes"]} == found
    assert "Leaves out" in cli("profile", "diff", "full").out
    assert "are the same" in cli("profile", "diff", "full", "beast").out


def test_use_lists_what_is_missing_with_its_fix(cli: Cli) -> None:
    done = cli("profile", "use", "full")
    assert done.code == 0 and "The profile full is active." in done.out
    assert "venom plugins install onnx" in done.out
    again = json.loads(cli("profile", "use", "full", "--json").out)
    assert (again["success"], again["changed"]) == (True, False)


@pytest.mark.parametrize("words", [("use", "dark"), ("show", "dark"), ("diff", "dark"),
                                   ("diff", "light", "dark")])  # fmt: skip
def test_an_unknown_one(cli: Cli, words: tuple[str, ...]) -> None:
    done = cli("profile", *words)
    assert done.code == ExitCode.NOT_FOUND
    assert "unknown_profile" in done.err and "light, llm_off, full" in done.err


def test_one_of_the_environment_is_refused_where_no_server_runs(
    cli: Cli, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VENOM_RUNTIME_PROFILE", "light")
    done = cli("profile", "use", "full")
    assert done.code != 0 and "VENOM_RUNTIME_PROFILE" in done.err
    assert not paths.config_file.exists()
    assert cli("profile", "use", "light").code == 0, "it is active already"


def test_doctor_reminds_of_what_goes(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "legacy_light" not in cli("doctor").out
    monkeypatch.setenv("VENOM_LEGACY_LIGHT", "true")
    told = json.loads(cli("doctor", "--json").out)["findings"]
    note = next(one for one in told if one["code"] == "legacy_light")
    assert note["level"] == "note" and "2027.5" in note["message"] and note["fix"]


def test_in_polish(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "pl_PL.UTF-8")
    monkeypatch.setenv("LANGUAGE", "pl")
    assert "Nic nie podaje profilu, więc jest to light." in cli("profile").out
    assert "Aktywny jest profil llm_off." in cli("profile", "use", "llm_off").out
