"""The interactive `venom run`: a prompt, an answer, and all of the conversation before them."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from venom_core.cli.failures import print_error
from venom_core.cli.keeping import Kept, new_session
from venom_core.cli.single_question import ask
from venom_core.cli.terminal import note
from venom_core.cli.wording import words
from venom_core.sdk.errors import VenomError

if TYPE_CHECKING:
    from venom_core.cli.connection.loop import Session

FENCE = '"""'
COMMANDS = (
    ("/?", "this list"),
    ("/clear", "begin a new conversation"),
    ("/model NAME", "talk with another model from here on"),
    ("/bye", "leave, like Ctrl-D"),
    (FENCE, "begin or end a text of several lines"),
    ("Ctrl-C", "stop the answer"),
)


def _described(command: tuple[str, str]) -> str:
    return f"  {command[0]:12}  {words(command[1])}"


class LeaveError(Exception):
    """The person leaves the conversation."""


@dataclass(slots=True)
class Conversation:
    """The turns so far. ``model`` is a full reference: no other one takes over in the middle of a
    conversation because it was installed meanwhile."""

    model: str
    system: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    turns: list[dict[str, str]] = field(default_factory=list)
    kept: Kept = field(default_factory=lambda: Kept(None))

    def body(self) -> dict[str, Any]:
        if not self.system:
            return {**self.parameters, "messages": list(self.turns)}
        said = [turn for turn in self.turns if turn["role"] != "system"]
        first = {"role": "system", "content": self.system}
        return {**self.parameters, "messages": [first, *said]}


def talk(session: Session, conversation: Conversation) -> None:
    """Hold a conversation until Ctrl-D or /bye."""
    with contextlib.suppress(ImportError):  # line editing and history, where the system has it
        import readline  # noqa: F401
    while True:
        try:
            text = read_turn()
            if text.startswith("/") and "\n" not in text:
                obey(text, conversation)
            elif text.strip():
                answer_turn(session, conversation, text)
        except LeaveError:
            if conversation.kept.last is not None:
                note("Go on with it: venom run -c")
            return


def read_turn() -> str:
    """Read what the person types; several lines between two fences. Raises ``LeaveError``."""
    try:
        line = input(">>> ")
        if not line.startswith(FENCE):
            return line.strip()
        lines = [line.removeprefix(FENCE)]
        while not lines[-1].endswith(FENCE) or (len(lines) == 1 and not lines[0]):
            lines.append(input("... "))
        return "\n".join(lines).removesuffix(FENCE).strip()
    except EOFError:
        print()
        raise LeaveError from None
    except KeyboardInterrupt:
        print(words("\n(Ctrl-D or /bye leaves)"))
        return ""


def obey(command: str, conversation: Conversation) -> None:
    """Carry out a line that begins with a slash. Raises ``LeaveError`` for /bye."""
    verb, _, rest = command.partition(" ")
    match verb:
        case "/bye" | "/exit" | "/quit":
            raise LeaveError
        case "/?" | "/help":
            print("\n".join(map(_described, COMMANDS)))
        case "/clear":
            conversation.turns.clear()
            if conversation.kept.id is not None:
                conversation.kept = new_session(conversation.system)
            note("A new conversation begins.")
        case "/model" if rest.strip():
            conversation.model = rest.strip()
            note(f"{conversation.model} answers from here on.")
        case "/model":
            print(conversation.model)
        case _:
            note(f"There is no command {verb}; /? lists them.")


def answer_turn(session: Session, conversation: Conversation, text: str) -> None:
    """Ask with the whole conversation. A turn without a whole answer leaves no trace in it."""
    conversation.turns.append({"role": "user", "content": text})
    try:
        answer = ask(session, conversation.model, conversation.body())
    except KeyboardInterrupt:
        conversation.turns.pop()
        print(file=sys.stderr)
        note("Stopped; this question and the part of its answer are not kept.")
        return
    except VenomError as error:
        conversation.turns.pop()
        print_error(error)
        return
    conversation.turns.append({"role": "assistant", "content": answer.content})
    conversation.kept.keep(session, text, answer)
    note(answer.figures())
