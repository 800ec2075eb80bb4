"""The command line on a real terminal: the conversation, the bar, colours, Ctrl-C and Ctrl-D."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.unit.cli.processes import home_with_models

if sys.platform == "win32":
    pytest.skip("pseudo-terminals are of POSIX", allow_module_level=True)
from tests.unit.cli.terminals import CTRL_C, CTRL_D, on_terminal
from venom_core.testing.deadlines import patience


def test_a_conversation(tmp_path: Path) -> None:
    home = home_with_models(tmp_path / "home")
    with on_terminal(home, "run", "smollm2:135m") as terminal:
        terminal.until(r">>> ")
        terminal.type("hi\n")
        answer = terminal.until(r"tokens/s[\s\S]*>>> ")
        assert re.search(r"[A-Za-z]{2,} [a-z]{2,}", answer.replace("hi", "", 1)), answer
        terminal.type("Tell a very long story.\n")
        terminal.until(r"story.*\r\n[\s\S]*\w+ \w+ \w+")
        terminal.type(CTRL_C)
        terminal.until(r"Stopped; this question[\s\S]*>>> ")
        terminal.press(CTRL_C, r"Ctrl-D or /bye leaves[\s\S]*>>> ")
        terminal.type("\x1b[A\x1b[A")  # the history of this session
        terminal.until(r"hi|story")
        terminal.type(b"\x15" + CTRL_D)
        assert terminal.process.wait(patience(40)) == 0
    assert "Traceback" not in terminal.shown


def test_no_engine_is_one_screen_and_ctrl_d_leaves_it(tmp_path: Path) -> None:
    with on_terminal(tmp_path / "home", "run", "hi there", VENOM_PLUGINS="remote") as terminal:
        screen = terminal.until(r"Which one\? \[1\] ")
        assert "1) Name an OpenAI-compatible server" in screen
        assert "Install" not in screen  # the others are switched off
        terminal.type(CTRL_D)
        assert terminal.process.wait(patience(20)) == 3


def test_colours_are_for_terminals_that_want_them(tmp_path: Path) -> None:
    with on_terminal(tmp_path / "home", "plugins") as terminal:
        assert "\x1b[1m" in terminal.until("PROVIDERS.*\n")
    with on_terminal(tmp_path / "home", "plugins", NO_COLOR="1") as terminal:
        assert "\x1b" not in terminal.until("PROVIDERS.*\n")


def test_ctrl_c_in_a_pull_says_what_remains(tmp_path: Path) -> None:
    with on_terminal(tmp_path / "home", "pull", "smollm2:135m") as terminal:
        terminal.until(r"smollm2:135m.*(MB|kB|bytes)")
        terminal.type(CTRL_C)
        terminal.until(r"the model is not installed")
        assert terminal.process.wait(patience(30)) == 130
    assert "Traceback" not in terminal.shown
    assert not list((tmp_path / "home" / "models").rglob("*.gguf"))
