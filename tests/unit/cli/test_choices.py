"""`venom use`, `set`, `alias` and `stop --all`, in this process."""

from __future__ import annotations

import json

import pytest

from tests.unit.cli.conftest import Cli
from venom_core.sdk.provider import Model
from venom_core.testing import scripted
from venom_core.testing.scripted import Script, say


@pytest.fixture(autouse=True)
def models() -> None:
    for name in ("city", "town"):
        known = Model(name, "folder", defaults={"max_tokens": 9}, context_length=100)
        scripted.SCRIPTS[name] = Script(say("Warsaw"), known)


def test_the_model_in_use_answers_and_is_marked(cli: Cli) -> None:
    done = cli("use", "town")
    assert (done.code, done.out) == (0, "scripted://town is now the active model for chat.\n")
    asked = cli("run", "--json", "What is the capital?")
    assert json.loads(asked.out)["model"] == "town"
    assert "town *" in cli("list").out
    cli("use", "city", "--role", "translation")
    assert "city *" not in cli("list").out, "the mark is for what answers in a chat"
    assert cli("rm", "--yes", "town").code == 2, "it is in use"
    left = json.loads(cli("use", "--none", "--json").out)
    assert left["before"] == "scripted://town"


def test_a_use_that_says_nothing_or_too_much_is_refused(cli: Cli) -> None:
    for words in (("use",), ("use", "city", "--none"), ("use", "city", "--role", "king")):
        assert cli(*words).code == 2
    assert cli("use", "ghost").code == 4


def test_parameters_are_stored_shown_and_explained(cli: Cli) -> None:
    stored = json.loads(cli("set", "city", "temperature=0.2", "max_tokens=20", "--json").out)
    assert stored["saved"] == {"temperature": 0.2, "max_tokens": 20}
    told = cli("run", "--explain", "city", "Say hello to me.")
    assert "max_tokens = 20   from override" in told.out
    more = json.loads(cli("set", "city", "temperature=", 'stop=["x"]', "--json").out)
    assert more["saved"] == {"max_tokens": 20, "stop": ["x"]}
    table = cli("set", "city").out
    assert "max_tokens   20     override" in table
    assert "temperature  -      engine" in table
    assert json.loads(cli("set", "city", "--reset", "--json").out)["saved"] == {}
    assert "max_tokens   9      model" in cli("set", "city").out


@pytest.mark.parametrize(
    "words", [("temperature",), ("temperature=NaN",), ("temperature=3",), ("max_tokens=101",),
              ("top_k=1",), ("=1",)],
)  # fmt: skip
def test_a_bad_parameter_is_refused_and_stores_nothing(cli: Cli, words: tuple[str, ...]) -> None:
    refused = cli("set", "city", *words)
    assert refused.code == 2
    assert refused.err
    assert json.loads(cli("set", "city", "--json").out)["saved"] == {}


def test_aliases(cli: Cli) -> None:
    assert cli("alias", "list").out.startswith("There is no alias.")
    assert cli("alias", "set", "fast", "town").out == "fast stands for town now.\n"
    assert cli("alias", "list").out.splitlines()[1].split() == ["fast", "town"]
    assert json.loads(cli("run", "--json", "fast", "Say hello to me.").out)["model"] == "town"
    assert cli("alias", "set", "town", "fast").code == 2, "it would lead back to itself"
    listed = json.loads(cli("alias", "list", "--json").out)
    assert listed["aliases"] == [{"name": "fast", "target": "town", "problem": None}]
    assert cli("alias", "rm", "fast").code == 0
    assert cli("alias", "rm", "fast").code == 4


def test_all_are_taken_out_of_memory(cli: Cli) -> None:
    done = cli("stop", "--all")
    assert done.out == "No longer in memory: scripted://city, scripted://town.\n"
    assert cli("stop").code == 2
    assert cli("stop", "city", "--all").code == 2
