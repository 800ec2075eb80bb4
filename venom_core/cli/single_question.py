"""One question, one answer: sent, shown as it comes, accounted for."""

from __future__ import annotations

import contextlib
import json
import re
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from venom_core.cli.output import raw
from venom_core.cli.terminal import as_json, bold, dim, is_terminal, note
from venom_core.cli.wording import words

if TYPE_CHECKING:
    from venom_core.cli.connection.answer import Answer
    from venom_core.cli.connection.loop import Session

# What a model writes must not move the cursor or rewrite the screen.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")

_ORIGINS = {"request": "from request", "override": "from override", "model": "from model"}


def ask(
    session: Session,
    model: str | None,
    body: Mapping[str, Any],
    *,
    explain: bool = False,
    show: bool = True,
) -> Answer:
    """Ask and, with ``show``, write the answer to stdout as it comes. Raises ``VenomError``."""
    return session.run(_ask(session, model, body, explain, show))


async def _ask(
    session: Session, model: str | None, body: Mapping[str, Any], explain: bool, show: bool
) -> Answer:
    async with session.connection.ask(model, body, explain=explain) as answer:
        if show and answer.because:
            note(f"{answer.reference} answers: {words(answer.because)}.")
        if show and answer.runs_at:
            note(f"This answer is made elsewhere: the prompt goes to {answer.runs_at}.")
        written = False
        try:
            async with contextlib.aclosing(answer.pieces()) as pieces:
                async for text, is_reasoning in pieces:
                    if show:
                        written = _write(text, is_reasoning) or written
        finally:
            if written:
                print(flush=True)
        if show and answer.finish_note:
            note(answer.finish_note)
        return answer


def _write(text: str, is_reasoning: bool) -> bool:
    """Write a piece of the answer and return whether it went to stdout: reasoning is for people."""
    out = sys.stdout
    if is_terminal(out):
        text = _CONTROL.sub("", text)
    if is_reasoning:
        if not is_terminal(out):
            return False
        text = dim(text, out)
    # What goes into a pipe or a file is the answer as it is.
    print(text, end="", flush=True, file=out if is_terminal(out) else raw(out))
    return True


def explanation(answer: Answer) -> dict[str, Any]:
    """Return what ``--explain`` shows: the model and why, each parameter's value and origin, the
    headers and the upstream body. ``parameters`` and ``upstream_body`` are null where a server does
    not tell them."""
    upstream = answer.upstream_body
    values = answer.values if answer.values is not None else upstream or {}
    parameters = None
    if answer.origins is not None:
        parameters = {
            name: {"value": values.get(name), "origin": origin}
            for name, origin in sorted(answer.origins.items())
        }
    return {
        "model": answer.reference,
        "because": answer.because or "named in the request",
        "runs_at": answer.runs_at,
        "parameters": parameters,
        "headers": dict(answer.headers),
        "upstream_body": None if upstream is None else dict(upstream),
    }


def print_explanation(answer: Answer) -> None:
    """Print the explanation for people, on stdout below the answer."""
    explained = explanation(answer)
    out = sys.stdout
    why = words(explained["because"])
    print(f"\n{bold(words('Model'), out)}       {explained['model']}, {why}")
    print(f"{bold(words('Runs'), out)}        {explained['runs_at'] or words('on this machine')}")
    print(bold(words("Parameters"), out))
    if explained["parameters"] is None:
        print(words("  (the running server does not report them)"))
    for name, found in (explained["parameters"] or {}).items():
        print(
            f"  {name} = {json.dumps(found['value'], ensure_ascii=False)}   "
            f"{words(_ORIGINS.get(found['origin'], found['origin']))}"
        )
    print(bold(words("Headers"), out))
    for name, value in explained["headers"].items():
        print(f"  {name}: {value}")
    if explained["upstream_body"] is not None:
        print(bold(words("Upstream body"), out))
        print(as_json(explained["upstream_body"]))
