"""Words of strangers never reach a terminal, or the log, as more than words."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

import pytest

from tests.unit.api.conftest import MakeVenom
from tests.unit.cli.conftest import Cli
from tests.unit.cli.terminals import on_terminal
from venom_core.cli.logs import begin_logging, end_logging, log_file
from venom_core.cli.output import SafeOutput, raw, safe_output, styled
from venom_core.sdk.errors import UpstreamError
from venom_core.sdk.printable import in_json, one_line, printable
from venom_core.sdk.provider import Model
from venom_core.settings.paths import Paths
from venom_core.store.access import Store
from venom_core.store.audit import Actor
from venom_core.store.sessions import Message, Owner
from venom_core.testing import scripted
from venom_core.testing.gguf import gguf_bytes
from venom_core.testing.scripted import Script, say

#: What takes a terminal over: colours, a title, the screen, the cursor, an answer typed for the
#: user, the same in one character of C1, and a bell.
CODES = {
    "colour": "\x1b[31mred\x1b[0m",
    "title": "\x1b]0;owned\x07",
    "screen": "\x1b[2J\x1b[H",
    "C1": "\x9b31mred",
    "clipboard": "\x1b]52;c;cm0gLXJm\x07",
    "backspace": "good\b\b\b\bevil",
    "carriage return": "good\revil",
    "direction": "abc\u202efdp.exe",
    "delete": "a\x7fb",
}
FORBIDDEN = set(map(chr, (*range(9), *range(11, 32), *range(0x7F, 0xA0), 0x202E)))


@pytest.fixture(params=list(CODES.values()), ids=list(CODES))
def code(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def fill(paths: Paths, code: str) -> None:
    paths.make(paths.home)
    store = Store(paths.store_file)
    store.sessions().create(
        Owner(""), "s1", f"title {code}", [Message("user", code), Message("assistant", code)]
    )
    store.record_audit(Actor("k"), "x", code, {"was": code}, {"is": code})
    store.in_use().set_alias("short", "m", Actor("k"))
    store.close()
    model = Model("m", "folder", title=code, summary=code, license=code, quantization=code,
                  prompt_template=code, details={"family": code, code: 1})  # fmt: skip
    scripted.SCRIPTS["m"] = Script(say(f"answer {code}"), model)
    scripted.SCRIPTS["bad"] = Script([UpstreamError(f"it said {code}", fix=code)])


COMMANDS = [
    ("list",), ("list", "--json"), ("show", "m"), ("show", "m", "--json"), ("ps",), ("audit",),
    ("audit", "--json"), ("sessions",), ("sessions", "list", "--json"), ("sessions", "show", "s1"),
    ("sessions", "show", "s1", "--json"), ("sessions", "export", "s1"),
    ("sessions", "export", "s1", "--format", "markdown"), ("run", "bad", "hi"),
    ("run", "bad", "hi", "--json"), ("run", "m", "hi", "--json"), ("run", "m", "hi", "--explain"),
    ("doctor",), ("plugins",), ("alias", "list"), ("operations",), ("usage",),
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_command_prints_them(
    cli: Cli, paths: Paths, code: str, command: tuple[str, ...]
) -> None:
    fill(paths, code)
    done = cli(*command)
    out = done.out
    if command[0] == "run" and "--explain" in command:
        out = out.split("\nModel", 1)[-1]  # the answer itself goes into a pipe as it is
    assert not FORBIDDEN & set(out + done.err), (out, done.err)
    if "--json" in command or (command[:2] == ("sessions", "export") and "markdown" not in command):
        json.loads(done.out)


def test_an_answer_is_shown_and_takes_nothing_over(tmp_path: Path) -> None:
    """On a terminal: what the model says, what the error says, and what is typed back."""
    script = tmp_path / "run.py"
    script.write_text(
        "import sys\n"
        "from venom_core.cli import main, single_question\n"
        "from venom_core.cli.output import safe_output\n"
        "with safe_output():\n"
        "    single_question._write('say \\x1b]0;owned\\x07\\x1b[2J\\ttab\\nline', False)\n"
        "    single_question._write('think \\x9b31m', True)\n"
        "    print('name \\x1b[31mred')\n"
        "    print('end')\n"
    )
    with on_terminal(tmp_path, command=(sys.executable, str(script))) as terminal:
        shown = terminal.until("end")
    assert "say ]0;owned[2J" in shown and "line" in shown and "name \\x1b[31mred" in shown
    for bad in ("\x1b]", "\x07", "\x1b[2J", "\x9b", "\x1b[31m"):
        assert bad not in shown


def test_lines_and_tabs_of_an_answer_stay(cli: Cli) -> None:
    scripted.SCRIPTS["m"] = Script(say("a\tb\n", "c"))
    assert cli("run", "m", "hi").out == "a\tb\nc\n"


def test_a_file_that_is_served_prints_nothing_of_its_header(
    cli: Cli, tmp_path: Path, code: str
) -> None:
    file = tmp_path / "x.gguf"
    file.write_bytes(gguf_bytes({"general.architecture": code, "general.name": code}))
    done = cli("run", str(file), "hi")
    assert not FORBIDDEN & set(done.out + done.err)


def test_the_log_has_one_entry_for_one(make_venom: MakeVenom, code: str) -> None:
    paths = make_venom().settings.paths
    begin_logging(paths, "info")
    try:
        forged = f"{code}\n2026-11-05 10:00:00,000 ERROR venom: the administrator was removed"
        logging.getLogger("a").warning("it said %s", forged)
        try:
            raise ValueError(forged)
        except ValueError:
            logging.getLogger("a").exception("it failed")
    finally:
        end_logging()
    lines = log_file(paths).read_text(encoding="utf-8").splitlines()
    assert not FORBIDDEN & set("".join(lines))
    assert sum(not line.startswith(" ") for line in lines) == 2


def test_the_escapes_can_be_read(code: str) -> None:
    for shown in (printable(code), one_line(code + "\n\t")):
        assert not FORBIDDEN & set(shown) and "\\" in shown
    assert json.loads(in_json(json.dumps({"x": code}, ensure_ascii=False))) == {"x": code}
    assert printable("Zażółć\tgęślą\n🦙 שלום") == "Zażółć\tgęślą\n🦙 שלום"


def test_styles_of_ours_pass_and_nobody_can_write_one(capsys: pytest.CaptureFixture[str]) -> None:
    with safe_output():
        assert isinstance(sys.stdout, SafeOutput) and raw(sys.stdout) is not sys.stdout
        print(styled("bold", 1, sys.stdout), "\x1b[1mforged")
    assert capsys.readouterr().out == "\x1b[1mbold\x1b[0m \\x1b[1mforged\n"
    assert not isinstance(sys.stdout, SafeOutput)
