"""`venom show`."""

from __future__ import annotations

import json
from typing import Any

import click

from venom_core.cli.connection.session import connected
from venom_core.cli.options import json_option
from venom_core.cli.tables import cells, padded
from venom_core.cli.terminal import print_beside, print_json, say, size
from venom_core.cli.wording import words

_HELP = """Show everything that is known of a model: what it is for, its size, context,
capabilities, licence, the parameters it sets itself, and whether it fits into this machine's
memory. A model that is not fetched yet is shown as far as its source tells.

\b
  venom show gemma3-270m-base
  venom show smollm2:135m --context 8192
  venom show hf.co/ggml-org/gemma-3-1b-it-GGUF
  venom show ollama://gemma3:4b --json
"""
_FIRST = (
    ("reference", "Reference"),
    ("title", "Title"),
    ("summary", "For"),
    ("type", "Type"),
    ("quantization", "Quantization"),
    ("context_length", "Context"),
    ("license", "Licence"),
    ("terms_url", "Terms"),
    ("digest", "Digest"),
)
_PARTS = {"weights": "weights", "kv_cache": "cache", "compute": "buffers", "overhead": "engine"}


@click.command(help=_HELP)
@click.argument("name")
@click.option(
    "--context",
    type=click.IntRange(1),
    metavar="TOKENS",
    help="Say whether it fits at this context, not at the one it would get.",
)
@json_option
def show(name: str, context: int | None, as_json: bool) -> None:
    with connected("venom show", writes=False) as session:
        model = session.run(session.connection.details(name))
        fit = session.run(session.connection.fit(name, context))
    if as_json:
        print_json({"success": True, "model": model, "fit": fit})
    else:
        _print(model)
        print()
        say(_fit(fit))


def _print(model: dict[str, Any]) -> None:
    rows = [(title, str(model[key])) for key, title in _FIRST if model.get(key) is not None]
    rows = [(title, words(value) if title == "For" else value) for title, value in rows]
    if model["size_bytes"] is not None:
        rows.insert(1, ("Size", size(model["size_bytes"])))
    capabilities = model["capabilities"]
    where = f"on {model['runs_at']}" if model["runs_at"] else words("on this machine")
    rows.append(("Runs", where))
    known = words("unknown") if capabilities is None else ", ".join(capabilities) or "-"
    rows.append(("Can", known))
    if model["self_test"]:
        rows.append(("Self-test", _self_test(model)))
    if model["allowed_roles"]:
        rows.append(("Roles", ", ".join(model["allowed_roles"])))
    if model["base_model"]:
        note = "a base model: it continues text and was not trained to converse"
        rows.append(("Note", words(note)))
    for name, value in model["parameters"].items():
        rows.append(("Sets", f"{name} = {json.dumps(value, ensure_ascii=False)}"))
    for name, value in model["details"].items():
        rows.append((name.replace("_", " ").capitalize(), _plain(value)))
    rows = [(words(title), value) for title, value in rows]
    width = max(cells(title) for title, _ in rows)
    for title, value in rows:
        print_beside(f"{padded(title, width)}  ", value)


def _self_test(model: dict[str, Any]) -> str:
    """Return when a self-test was made, and what it saw."""
    test, states = model["self_test"], model["capability_states"] or {}
    when = f"{test['tested_at'][:10]}  {test['engine_version'] or ''}".rstrip()
    if test["outdated"]:
        return f"{when}  {words('outdated: the model or its engine is another one since')}"
    seen = [
        f"{words(state)}: {', '.join(names)}"
        for state in ("verified", "failed", "declared")
        if (names := [name for name, known in states.items() if known == state])
    ]
    return "  ".join((when, "; ".join(seen)))


def _fit(fit: dict[str, Any]) -> str:
    """Return the fit check as a paragraph: the answer, its parts, how good such estimates were."""
    sentences = [fit["message"]]
    if fit["parts"]:
        parts = [
            f"{words(_PARTS[name])} {size(count)}" for name, count in fit["parts"].items() if count
        ]
        sentences.append(f"Counted: {', '.join(parts)}.")
    if fit["verdict"] == "fits" and fit["largest_context_length"]:
        sentences.append(
            f"The largest context that fits is {fit['largest_context_length']} tokens."
        )
    sentences += [line["message"] for line in fit["assumptions"]]
    if fit["estimate_error"]:
        worst = fit["estimate_error"]["worst"]
        sentences.append(
            f"Such estimates were at most {worst:.0%} off: {fit['estimate_error']['message']}"
        )
    return " ".join(sentences)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
