"""`venom selftest` in this process and through a server."""

from __future__ import annotations

import json

import pytest

from tests.unit.cli.conftest import Cli
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


def test_the_table_is_for_people(cli: Cli) -> None:
    result = cli("selftest", "scripted", "--model", "large")
    assert result.code == 1 and result.out.startswith("scripted://large")
    assert "OUTCOME" in result.out and "refused" in result.out


@pytest.mark.parametrize("words", [("nobody",), ("scripted", "--model", "no-such")])
def test_what_is_not_there_is_said(cli: Cli, words: tuple[str, ...]) -> None:
    result = cli("selftest", *words)
    assert result.code != 0 and "has no installed model" in result.err
    assert "venom list" in result.err and "Traceback" not in result.err
