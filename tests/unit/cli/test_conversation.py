"""The interactive `venom run`."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence

import pytest

from venom_core.cli.commands import run as run_command_module
from venom_core.sdk.errors import ContextLengthExceeded
from venom_core.sdk.frames import delta
from venom_core.sdk.provider import Model
from venom_core.testing import scripted
from venom_core.testing.scripted import SCRIPTS, Pause, Script, say

Line = str | BaseException | Callable[[], str]
Type = Callable[[Sequence[Line]], None]


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Type:
    """Lines that a person types, or what makes one; an exception is Ctrl-C or Ctrl-D."""

    def put(lines: Sequence[Line]) -> None:
        left = list(lines)

        def answer(prompt: str = "") -> str:
            if not left:
                raise EOFError
            line = left.pop(0)
            if isinstance(line, BaseException):
                raise line
            return line if isinstance(line, str) else line()

        monkeypatch.setattr(builtins, "input", answer)
        monkeypatch.setattr(run_command_module.sys.stdin, "isatty", lambda: True, raising=False)

    return put


def turns(place: int = -1) -> list[tuple[str, str]]:
    messages = scripted.SEEN.requests[place].body["messages"]
    return [(message["role"], message["content"]) for message in messages]


@pytest.fixture(autouse=True)
def _models() -> None:
    SCRIPTS["first"] = Script(say("One."), Model("first", "folder", summary="For tests only."))
    SCRIPTS["second"] = Script(say("Two."))


def test_the_conversation_is_kept(cli, typed: Type) -> None:
    typed(["Hi.", "", "And?"])
    done = cli("run")
    assert done.code == 0 and done.out == "One.\nOne.\n\n"
    assert turns() == [("user", "Hi."), ("assistant", "One."), ("user", "And?")]
    assert "Talking with scripted://first" in done.err and "For tests only." in done.err


def test_the_model_stays_the_same_when_another_would_be_chosen_now(cli, typed: Type) -> None:
    SCRIPTS["base"] = SCRIPTS.pop("first")
    SCRIPTS["base"] = Script(say("One."), Model("base", "folder", instruct=False))
    del SCRIPTS["second"]

    def a_better_one_appears() -> str:
        SCRIPTS["better"] = Script(say("x"), Model("better", "folder", instruct=True))
        return "Again."

    typed(["Hi.", "/model", a_better_one_appears])
    done = cli("run")
    assert "better" in SCRIPTS and "scripted://base" in done.out
    assert [request.model for request in scripted.SEEN.requests] == ["base", "base"]


def test_clear_model_help_and_bye(cli, typed: Type) -> None:
    typed(["Hi.", "/clear", "/model second", "Hi.", "/?", "/nonsense", "/bye", "never"])
    done = cli("run", "first")
    assert done.out.startswith("One.\nTwo.\n") and "Ctrl-C" in done.out
    assert turns() == [("user", "Hi.")]
    assert scripted.SEEN.requests[-1].model == "second"
    assert "/nonsense" in done.err and len(scripted.SEEN.requests) == 2


def test_several_lines_between_fences(cli, typed: Type) -> None:
    typed(['"""one', "/two", 'three"""'])
    cli("run", "first")
    assert turns() == [("user", "one\n/two\nthree")]


def test_a_refused_turn_leaves_no_trace_and_the_talk_goes_on(cli, typed: Type) -> None:
    SCRIPTS["first"] = Script([ContextLengthExceeded("Too long.", fix="Say less.")])
    typed(["long", "/model second", "short"])
    done = cli("run", "first")
    assert "context_length_exceeded" in done.err and "Say less." in done.err
    assert done.code == 0 and turns() == [("user", "short")]


def test_ctrl_c_stops_the_answer_and_not_the_talk(cli, typed: Type, interrupt_once) -> None:
    SCRIPTS["first"] = Script([delta("On", role="assistant"), Pause(forever=True)])

    interrupt_once(lambda: scripted.SEEN.running)
    typed(["tell me", "/model second", "short"])
    done = cli("run", "first")
    assert done.code == 0 and done.out.endswith("Two.\n\n")
    assert scripted.SEEN.closed == 1
    assert turns() == [("user", "short")]


def test_ctrl_c_at_the_prompt_says_how_to_leave(cli, typed: Type) -> None:
    typed([KeyboardInterrupt(), "Hi."])
    done = cli("run", "first")
    assert done.code == 0 and "Ctrl-D or /bye leaves" in done.out and "One." in done.out
