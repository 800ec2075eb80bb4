"""Nothing on the machine can chat: the first choice of the screen ends in a real model's answer."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from tools.measure_install import SETS, install, python_of
from tools.wheelhouse import WHEELHOUSE
from venom_core.installing.first_steps import first_steps

if sys.platform == "win32":
    pytest.skip("pseudo-terminals are of POSIX", allow_module_level=True)
from tests.unit.cli.terminals import CTRL_C, on_terminal
from venom_core.testing.deadlines import patience

QUESTION = "What is the capital of Poland?"
WHICH, FOLDER = r"Which one\? \[1\] ", r"installed from: \[none\] "
ENGINE = "xllamacpp"
MOST_BYTES = next(step.size_bytes for step in first_steps() if step.kind == "engine")


@pytest.fixture
def light(tmp_path: Path) -> Path:
    """An environment as a person makes it by the documentation, with the Ollama plugin alone."""
    folder = tmp_path / "environment"
    assert ENGINE not in install(SETS["light"], folder, with_pip=True).names
    return folder


def packages(folder: Path) -> set[str]:
    found = folder.glob("lib/python*/site-packages/*.dist-info")
    return {path.name.partition("-")[0] for path in found}


def test_the_first_choice_ends_in_an_answer(light: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    command = [str(python_of(light).with_name("venom"))]
    with on_terminal(home, "run", QUESTION, command=command, cwd=tmp_path) as terminal:
        terminal.until(WHICH)
        terminal.type("1\n")
        terminal.until(FOLDER)  # pip kept no record of it, and no index has our packages
        terminal.type(f"{tmp_path / 'no-such-folder'}\n")
        terminal.until(f"That is not a folder[\\s\\S]*{FOLDER}")
        terminal.type(f"{WHEELHOUSE}\n")
        terminal.until(r"installed venom-llamacpp")
        terminal.until(r"smollm2:135m.* is ready")
        terminal.until(r"first token \d+ ms .*tokens/s")  # what it says is chance: it is sampled
        assert terminal.process.wait(patience(60)) == 0
    assert {ENGINE, "venom_llamacpp"} <= packages(light)
    assert json.loads((home / "install.json").read_text())["wheelhouse"] == str(WHEELHOUSE)
    assert "Traceback" not in terminal.shown


def test_the_offer_names_the_size_and_ctrl_c_leaves_it_to_be_repeated(
    light: Path, tmp_path: Path
) -> None:
    """The size is the wheelhouse's own where that is known, and within what is said elsewhere."""
    command = [str(python_of(light).with_name("venom"))]
    known = {"VENOM_WHEELHOUSE": str(WHEELHOUSE)}
    for _ in range(2):
        with on_terminal(
            tmp_path / "home", "run", QUESTION, command=command, cwd=tmp_path, **known
        ) as terminal:
            size = re.search(r"\(engine: (\d+) MB\)", terminal.until(WHICH))
            assert size and int(size[1]) * 1e6 <= (MOST_BYTES or 0)
            terminal.type("1\n")
            terminal.until(r"Installing collected packages")
            terminal.type(CTRL_C)
            terminal.until(r"half-installed packages are installed anew")
            assert terminal.process.wait(patience(30)) == 130
    assert "Traceback" not in terminal.shown
