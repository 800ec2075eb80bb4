"""`venom show`."""

from __future__ import annotations

import json
from typing import Any

import click

from venom_core.cli.options import json_option

_HELP = """Show everything that is known of an installed model: what it is for, its size, context,
capabilities, licence, and the parameters it sets itself.

\b
  venom show gemma3-270m-base
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


@click.command(help=_HELP)
@click.argument("name")
@json_option
def show(name: str, as_json: bool) -> None:
    from venom_core.cli.connection.session import connected
    from venom_core.cli.terminal import print_json

    with connected("venom show", writes=False) as session:
        model = session.run(session.connection.details(name))
    if as_json:
        print_json({"success": True, "model": model})
    else:
        _print(model)


def _print(model: dict[str, Any]) -> None:
    from venom_core.cli.terminal import size

    rows = [(title, str(model[key])) for key, title in _FIRST if model.get(key) is not None]
    if model["size_bytes"] is not None:
        rows.insert(1, ("Size", size(model["size_bytes"])))
    capabilities = model["capabilities"]
    rows.append(("Can", "unknown" if capabilities is None else ", ".join(capabilities)))
    if model["allowed_roles"]:
        rows.append(("Roles", ", ".join(model["allowed_roles"])))
    if model["base_model"]:
        rows.append(("Note", "a base model: it continues text and was not trained to converse"))
    for name, value in model["parameters"].items():
        rows.append(("Sets", f"{name} = {json.dumps(value, ensure_ascii=False)}"))
    for name, value in model["details"].items():
        rows.append((name.replace("_", " ").capitalize(), _plain(value)))
    width = max(len(title) for title, _ in rows)
    for title, value in rows:
        print(f"{title.ljust(width)}  {value}")


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
