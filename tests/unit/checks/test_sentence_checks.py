"""The check that every sentence has its Polish: what it sees, and what it lets pass."""

from __future__ import annotations

import pytest

from tests.unit.checks.planting import Plant
from tools.house import sentences
from tools.house.sentences import CORE

PLUGIN = "plugins/venom_acme/venom_acme/"
CATALOGUE = '"There is no key {0}." = "Nie ma klucza {0}."\n'


def problems(plant: Plant, code: str, catalogue: str = CATALOGUE) -> list[str]:
    base = "def f():\n    raise E(f'There is no key {key!r}.')\n"
    return sentences.check(plant({"venom_core/a.py": base + code, CORE: catalogue}))


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise E('The disk is full.')", "The disk is full."),
        ("raise E(f'{name} has {n:,} tokens and {limit} fit.')", "{0} has {1} tokens and {2} fit."),
        ("message = 'A sentence in a name.'", "A sentence in a name."),
        ("raise E('x', fix='try it')", "try it"),
        ("x = 'prompt must be text.'", "prompt must be text."),
        ("x = 'venom doctor says more; read it.'", "venom doctor says more; read it."),
        ("x = 'it has no end at all'", "it has no end at all"),
        ("x = 'a' if y else 'The other one'", "The other one"),
        ("x = f'{\"Not so fast\" if y else z}'", "Not so fast"),
        ("x = 'The first.' + (f' It says: {text}' if text else '')", "It says: {0}"),
        ("TABLE = (('a', 'It is so.'),)", "It is so."),
    ],
)
def test_a_sentence_without_polish(plant: Plant, code: str, said: str) -> None:
    found = problems(plant, code)
    assert f"{CORE}: no Polish for {said!r} of venom_core/a.py" in found


@pytest.mark.parametrize(
    "code",
    [
        '"""A docstring of several words."""',
        "log.info('It is not shown to anybody.')",
        "self.context.logger.warning('It is not shown to anybody.')",
        "raise ValueError('It is the fault of the programmer.')",
        "raise E('x', fix='venom plugins install NAME')",
        "x = 'Gemma 3 4B'",
        "raise E('x', fix=\"venom keys create NAME --model 'gemma3:*'\")",
        "query = 'SELECT 1 FROM operations LIMIT 1'",
        "x = ('model_not_found', 'Venom-Model', 'a b')",
        "@when(r'the words of an upstream server')\ndef g():\n    pass",
    ],
)
def test_what_nobody_is_shown(plant: Plant, code: str) -> None:
    assert problems(plant, code) == []


@pytest.mark.parametrize(
    ("catalogue", "said"),
    [
        (CATALOGUE + '"It is gone." = "Nie ma."\n', "nothing says 'It is gone.' any more"),
        ('"There is no key {0}." = "Nie ma klucza."\n', "has other holes"),
        ('"There is no key {0}." = "Nie ma {1}."\n', "has other holes"),
        ("= =", "line 1"),
        ("", "no Polish for 'There is no key {0}.'"),
    ],
)
def test_a_catalogue_that_drifted(plant: Plant, catalogue: str, said: str) -> None:
    (problem,) = problems(plant, "", catalogue)
    assert problem.startswith(CORE)
    assert said in problem


def test_mere_words_may_have_polish(plant: Plant) -> None:
    catalogue = '"There is no key {0}." = "Nie ma klucza {0*}."\n"none" = "brak"\n'
    assert problems(plant, "x = 'none'", catalogue) == []


def test_plugins_have_catalogues_of_their_own(plant: Plant) -> None:
    assert problems(plant, "") == []
    tree = plant({PLUGIN + "provider.py": "raise E('Acme is tired.')\n"})
    (problem,) = sentences.check(tree)
    assert problem.startswith(f"{PLUGIN}sentences.pl.toml: no Polish for 'Acme is tired.'")
    tree = plant({PLUGIN + "sentences.pl.toml": '"Acme is tired." = "Acme ma dość."\n'})
    assert sentences.check(tree) == []


def test_code_that_moved_is_noticed(plant: Plant) -> None:
    assert sentences.check(plant({"elsewhere/a.py": "raise E('It is so.')"})) == [
        "venom_core/: no sentence found; did they move?"
    ]
