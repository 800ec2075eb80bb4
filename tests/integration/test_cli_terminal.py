"""The command line on a real terminal: the conversation, the bar, colours, Ctrl-C and Ctrl-D."""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.unit.cli.processes import VENOM, environment, home_with_models

if sys.platform == "win32":
    pytest.skip("pseudo-terminals are of POSIX", allow_module_level=True)
import pty

CTRL_C, CTRL_D = b"\x03", b"\x04"


class Terminal:
    """A command on a pseudo-terminal."""

    def __init__(self, process: subprocess.Popen[bytes], handle: int) -> None:
        self.process = process
        self.handle = handle
        self.shown = ""

    def type(self, text: str | bytes) -> None:
        os.write(self.handle, text if isinstance(text, bytes) else text.encode())

    def press(self, key: bytes, pattern: str, tries: int = 10) -> str:
        """Type a key until the pattern is shown. CPython's prompt loses a signal that comes between
        showing itself and its ``select``; a person presses again."""
        for _ in range(tries - 1):
            self.type(key)
            try:
                return self.until(pattern, 5)
            except TimeoutError:
                continue
        self.type(key)
        return self.until(pattern)

    def until(self, pattern: str, seconds: float = 90) -> str:
        """What was shown from now up to a match of the pattern."""
        deadline = time.monotonic() + seconds
        since = ""
        while not re.search(pattern, since):
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"{pattern!r} was not shown:\n{self.shown}")
            if not select.select([self.handle], [], [], min(left, 0.5))[0]:
                continue
            try:
                data = os.read(self.handle, 65536).decode("utf-8", "replace")
            except OSError:  # the other end was closed
                data = ""
            assert data, f"it ended before {pattern!r} was shown:\n{self.shown}"
            since += data
            self.shown += data
        return since


@contextmanager
def on_terminal(home: Path, *arguments: str, **env: str) -> Iterator[Terminal]:
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [*VENOM, *arguments],
        env=environment(home, TERM="xterm-256color", COLUMNS="120", **env),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        preexec_fn=take_terminal,
    )
    os.close(slave)
    try:
        yield Terminal(process, master)
    finally:
        process.kill()
        process.wait(20)
        os.close(master)


def take_terminal() -> None:
    """Make standard input the session's terminal, so that Ctrl-C typed into it is a signal."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


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
        assert terminal.process.wait(40) == 0
    assert "Traceback" not in terminal.shown


def test_no_engine_is_one_screen_and_ctrl_d_leaves_it(tmp_path: Path) -> None:
    with on_terminal(tmp_path / "home", "run", "hi there", VENOM_PLUGINS="remote") as terminal:
        screen = terminal.until(r"Which one\? \[1\] ")
        for text in ("1) Install the embedded engine", "2) Install Ollama", "3) Use an OpenAI"):
            assert text in screen
        terminal.type(CTRL_D)
        assert terminal.process.wait(20) == 3


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
        assert terminal.process.wait(30) == 130
    assert "Traceback" not in terminal.shown
    assert not list((tmp_path / "home" / "models").rglob("*.gguf"))
