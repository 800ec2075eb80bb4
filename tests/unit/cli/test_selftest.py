"""`venom selftest` in this process and through a server."""

from __future__ import annotations

import json
from typing import NoReturn

import pytest

from tests.unit.cli.conftest import Cli
from venom_core.sdk.errors import Unavailable
from venom_core.sdk.provider import Model
from venom_core.testing import scripted
from venom_core.testing.scripted import Script, answer
from venom_core.usecases.selftest.questions import CELLS

CHATS = frozenset({"chat", "completion", "embedding"})


@pytest.fixture(autouse=True)
def _models() -> None:
    for name, size in (("large", 2000), ("small", 1000)):
        model = Model(name, "folder", capabilities=CHATS, size_bytes=size)  # type: ignore[arg-type]
        scripted.SCRIPTS[name] = Script(answer("always the same"), model)
    encoder = Model("encoder", "folder", capabilities=frozenset({"embedding"}), size_bytes=1)
    scripted.SCRIPTS["encoder"] = Script(answer("x"), encoder)


def test_every_question_has_a_row_and_what_is_broken_fails(cli: Cli) -> None:
    result = cli("selftest", "scripted", "--json")
    assert result.code == 1, result.err
    told = json.loads(result.out)
    assert (told["provider"], told["model"]) == ("scripted", "scripted://small")
    assert told["engine_version"] == "scripted" and told["venom_version"]
    assert [row["name"] for row in told["rows"]] == [cell.name for cell in CELLS]
    outcomes = {row["name"]: row["outcome"] for row in told["rows"]}
    assert outcomes["chat"] == "honoured"
    assert outcomes["seed"] == "refused"  # it declares none
    assert outcomes["max_tokens"] == "broken"  # it takes it, and says what it always says
    assert f"{len(CELLS)}/{len(CELLS)}" in result.err, "it tells how far it is"


def test_the_outcome_is_kept_and_shown_with_the_model(cli: Cli) -> None:
    assert "Self-test" not in cli("show", "small").out
    told = json.loads(cli("selftest", "scripted", "--json").out)
    states = dict.fromkeys(("chat", "completion", "embedding"), "verified")
    assert told["capability_states"] == states
    model = json.loads(cli("show", "small", "--json").out)["model"]
    assert model["capability_states"] == states
    assert model["self_test"]["engine_version"] == "scripted" and not model["self_test"]["outdated"]
    shown = cli("show", "small").out
    assert "verified: chat, completion, embedding" in shown
    listed = {one["name"]: one for one in json.loads(cli("list", "--json").out)["models"]}
    assert listed["small"]["capability_states"] == states
    assert set(listed["large"]["capability_states"].values()) == {"declared"}
    assert (listed["large"]["self_test"], listed["small"]["self_test"]) == (
        None, model["self_test"],
    )  # fmt: skip


def test_another_file_makes_it_outdated(cli: Cli) -> None:
    cli("selftest", "scripted", "--model", "large")
    other = Model(
        "large",
        "folder",
        capabilities=CHATS,
        digest="sha256:other",  # type: ignore[arg-type]
    )
    scripted.SCRIPTS["large"] = Script(answer("always the same"), other)
    model = json.loads(cli("show", "large", "--json").out)["model"]
    assert model["self_test"]["outdated"]
    assert set(model["capability_states"].values()) == {"declared"}
    assert "outdated" in cli("show", "large").out


def test_the_table_is_for_people(cli: Cli) -> None:
    result = cli("selftest", "scripted", "--model", "large")
    assert result.code == 1 and result.out.startswith("scripted://large")
    assert "OUTCOME" in result.out and "refused" in result.out


@pytest.mark.parametrize(
    ("words", "told", "fix"),
    [
        (("nobody",), "There is no provider nobody; loaded: ", "venom plugins"),
        (("scripted", "--model", "no-such"), "has no installed model no-such", "venom list"),
    ],
)
def test_what_is_not_there_is_said(cli: Cli, words: tuple[str, ...], told: str, fix: str) -> None:
    result = cli("selftest", *words)
    assert result.code != 0 and told in result.err
    assert fix in result.err and "Traceback" not in result.err


def test_a_provider_that_cannot_be_used_says_why(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refused(self: scripted.ScriptedProvider) -> NoReturn:
        raise Unavailable("Its server is down.", code="server_down", fix="Start it.")

    monkeypatch.setattr(scripted.ScriptedProvider, "models", refused)
    result = cli("selftest", "scripted")
    assert result.code != 0
    assert all(part in result.err for part in ("Its server is down.", "Start it.", "server_down"))
