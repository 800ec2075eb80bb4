"""`venom run`."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import click

from venom_core.cli.assignments import assignment
from venom_core.cli.connection.session import connected
from venom_core.cli.conversation import Conversation, talk
from venom_core.cli.first_steps import guided
from venom_core.cli.keeping import chosen
from venom_core.cli.options import json_option
from venom_core.cli.run_arguments import (
    STDIN,
    Request,
    is_text,
    known_names,
    means_model,
    read_words,
)
from venom_core.cli.single_question import ask, explanation, print_explanation
from venom_core.cli.terminal import dim, is_terminal, note, print_json
from venom_core.cli.wording import words
from venom_core.sdk.errors import ModelNotFound

if TYPE_CHECKING:
    from venom_core.cli.connection.loop import Session

#: A longer text is a prompt, whatever models are called.
LONGEST_NAME = 500

_HELP = """Ask a model, or talk with it.

With a PROMPT the answer is printed and the command ends; without one it opens a conversation
(/? lists its commands, Ctrl-C stops an answer, Ctrl-D leaves). What was said is kept: -c goes on
with the last conversation, `venom sessions` lists them, and --no-save keeps nothing.

The first word is a MODEL where a model has that name, or where it looks like a model's name.
Anything with a space in it is a prompt, and so is any other single word; then Venom chooses the
model and says which. A file.gguf is served for this one command. A - stands for the standard input.

\b
  venom run "What is the capital of Poland?"
  venom run smollm2:135m "Write a haiku about tea."
  venom run gemma3:4b
  venom run -c "And what is its population?"
  venom run ./model.gguf "Say hello."
  git diff | venom run gemma3:4b "Summarise this change:" -
  venom run --json --set temperature=0 "What is 2 + 2?" | jq .usage
"""


@click.command(help=_HELP)
@click.argument("words", nargs=-1, metavar="[MODEL] [PROMPT]")
@click.option("--system", metavar="TEXT", help="The system message.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="A parameter of the request, as often as needed: --set max_tokens=100",
)
@click.option(
    "--explain",
    is_flag=True,
    help="Show the model and why, every parameter's origin, "
    "the headers and what the provider was sent.",
)
@click.option("--continue", "-c", "last", is_flag=True, help="Go on with the last conversation.")
@click.option("--session", "start", metavar="ID", help="Go on with this conversation.")
@click.option("--no-save", is_flag=True, help="Keep nothing of what is said.")
@json_option
def run(
    words: tuple[str, ...],
    system: str | None,
    settings: tuple[str, ...],
    explain: bool,
    last: bool,
    start: str | None,
    no_save: bool,
    as_json: bool,
) -> None:
    # Imported here: pydantic is too slow for `run --help`.
    from venom_core.cli.gguf import is_gguf_path, is_there, offer_file, reference_of

    parameters = dict(map(assignment, settings))
    words = tuple(_encodable(word) for word in words)
    named = bool(words) and is_gguf_path(words[0])
    file = offer_file(words[0]) if named and is_there(words[0]) else None
    with connected("venom run", writes=True) as session:
        if named and file is None:  # a server elsewhere may call a model by such a path
            if words[0] not in known_names(session.run(session.connection.models())):
                offer_file(words[0])
        elif file is not None:
            listing = session.run(session.connection.models())
            plugins = session.run(session.connection.plugins())
            reference = reference_of(file, listing, plugins, session.connection.url)
            words = (reference, *words[1:])
        kept = chosen(session, last, start, not no_save, system)
        request = _request(session, words)
        if request.model is None:
            request = replace(request, model=kept.model)
        if request.prompt is None and (as_json or explain or not sys.stdin.isatty()):
            request = replace(request, stdin=True)
        if request.stdin:
            if (model := request.model) is not None:
                # A wrong name is told before anybody types or pipes a long text.
                guided(session, model, lambda: session.run(session.connection.details(model)))
            request = _with_stdin(request)
        talk = Conversation(request.model or "", system, parameters, kept.turns, kept)
        if request.prompt is None:
            guided(session, request.model, lambda: _talk(session, request.model, talk))
        else:
            asked = _Question(request.prompt, request.model, explain, as_json)
            work = partial(_answer, session, asked, talk)
            guided(session, request.model, work, may_ask=not as_json)


@dataclass(frozen=True, slots=True)
class _Question:
    """One prompt, and how its answer is to be shown."""

    prompt: str
    model: str | None
    explain: bool
    as_json: bool


def _request(session: Session, words: tuple[str, ...]) -> Request:

    known: set[str] = set()
    named = [word for word in words if word != STDIN]
    # A name may hold spaces, and a prompt of one line may be a name: the listing tells.
    asks = len(named) == 1 or (named and is_text(named[0]))
    if asks and "\n" not in named[0] and len(named[0]) <= LONGEST_NAME:
        listing = session.run(session.connection.models())
        known = known_names(listing)
        # What is proposed while its provider is down is in no listing.
        if not is_text(named[0]) and not means_model(named[0], known):
            overview = session.run(session.connection.overview())
            known |= {suggestion["name"] for suggestion in overview["suggestions"]}
    request = read_words(words, known)
    if request.assumed:
        note(request.assumed)
    return request


def _encodable(text: str) -> str:
    """Return the text as valid UTF-8; other bytes of the command line arrive as lone surrogates."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _with_stdin(request: Request) -> Request:
    given = sys.stdin.buffer.read().decode("utf-8", "replace").strip()
    prompt = "\n\n".join(part for part in (request.prompt, given) if part)
    if not prompt:
        raise click.UsageError("The standard input is empty.", click.get_current_context())
    return replace(request, prompt=prompt)


def _answer(session: Session, asked: _Question, talk: Conversation) -> None:
    talk.turns.append({"role": "user", "content": asked.prompt})
    try:
        show = not asked.as_json
        answer = ask(session, asked.model, talk.body(), explain=asked.explain, show=show)
    except BaseException:
        talk.turns.pop()  # it may be asked again, after a first step
        raise
    talk.kept.keep(session, asked.prompt, answer)
    if asked.as_json:
        kept = {"session_id": talk.kept.id if talk.kept.last is not None else None}
        explained = {"explain": explanation(answer)} if asked.explain else {}
        print_json(answer.record() | kept | explained)
        return
    if answer.finish_reason == "length":
        note("The answer was cut at max_tokens; --set max_tokens=N asks for more.")
    if is_terminal(sys.stdout):
        note(answer.figures())
    if asked.explain:
        print_explanation(answer)


def _talk(session: Session, model: str | None, conversation: Conversation) -> None:
    because = ""
    if model is None:
        overview = session.run(session.connection.overview())
        model = overview["default_model"]
        if model is None:
            raise ModelNotFound(
                overview["default_model_reason"],
                code="no_model",
                fix="See what can be fetched with: venom list --available",
            )
        because = f" ({words(overview['default_model_reason'])})"
    details = session.run(session.connection.details(model))
    note(f"Talking with {details['reference']}{because}. /? lists the commands, Ctrl-D leaves.")
    if details.get("summary"):
        note(details["summary"])
    for turn in conversation.turns[-2:]:
        said = f"{'>>> ' if turn['role'] == 'user' else ''}{turn['content']}"
        print(dim(said, sys.stderr), file=sys.stderr)
    conversation.model = details["reference"]
    talk(session, conversation)
