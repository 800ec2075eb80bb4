"""`venom bench`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from venom_core.cli.connection.session import connected
from venom_core.cli.exit_codes import ExitCode
from venom_core.cli.options import json_option
from venom_core.cli.terminal import note, print_json, print_table, say, size
from venom_core.cli.wording import words

if TYPE_CHECKING:
    from venom_core.cli.connection.loop import Session

_HELP = """Measure how fast models answer on this machine: the same few questions to each, one
model after another. The first question is asked twice, so that loading the model counts apart.

What is measured is kept, and the page charts it. Without a name it lists what is kept. Ctrl-C ends
it, and keeps what was measured until then.

\b
  venom bench smollm2:135m qwen3:8b
  venom bench ollama://gemma3:4b --questions 6 --json
  venom bench

\b
Exit codes: 0 every model was measured, 1 one of them was not.
"""
_COLUMNS = ("MODEL", "TOKENS/S", "FIRST", "MEMORY", "LOADING", "TOKENS", "STATE")
_KEPT = 20


@click.command(help=_HELP)
@click.argument("models", nargs=-1, metavar="[MODELS]...")
@click.option(
    "--questions",
    type=click.IntRange(1, 6),
    default=3,
    show_default=True,
    help="How many each model is asked.",
)
@json_option
def bench(models: tuple[str, ...], questions: int, as_json: bool) -> int:
    if not models:
        return _list(as_json)
    with connected("venom bench", writes=True) as session:
        view = _measured(session, models, questions)
    if as_json:
        print_json(view)
    else:
        _print([view])
    whole = all(one["status"] == "completed" for one in view["results"])
    return ExitCode.OK if whole else ExitCode.FAILED


def _list(as_json: bool) -> int:
    with connected("venom bench", writes=False) as session:
        kept = session.run(session.connection.benchmarks(_KEPT))
    if as_json:
        print_json({"benchmarks": kept, "count": len(kept)})
    elif kept:
        _print(kept)
    else:
        say("Nothing was measured yet. Name the models to measure: venom bench MODELS")
    return ExitCode.OK


def _measured(session: Session, models: Sequence[str], questions: int) -> dict[str, Any]:
    """Measure models and say which one is asked; gives the benchmark at its end."""

    async def followed() -> dict[str, Any]:
        last, asked = {}, None
        async for view in session.connection.measure(models, questions):
            last = view
            if view["current_model"] not in (None, asked):
                asked = view["current_model"]
                note(f"{view['progress']}%  {asked}")
        return last

    return session.run(followed())


def _print(benchmarks: Sequence[Mapping[str, Any]]) -> None:
    for number, one in enumerate(benchmarks):
        machine = one["machine"]
        memory = size(machine["memory_total_bytes"])
        print("\n" * bool(number) + f"{one['started_at']}   {machine['system']}, {memory}")
        print_table(_COLUMNS, [_row(result) for result in one["results"]])
        for result in one["results"]:
            if error := result["error"]:
                say(
                    f"{result['model_name']}: {words(error['message'])} {words(error['fix'] or '')}"
                )


def _row(result: Mapping[str, Any]) -> tuple[object, ...]:
    rate, memory = result["tokens_per_second"], result["memory_bytes"]
    return (
        result["model_name"],
        "" if rate is None else f"{rate:.1f}",
        _time(result["time_to_first_token_ms"]),
        "" if memory is None else size(memory),
        _time(result["load_ms"]),
        result["completion_tokens"] or "",
        words(result["status"]),
    )


def _time(milliseconds: float | None) -> str:
    if milliseconds is None:
        return ""
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"
