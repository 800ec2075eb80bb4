"""``NAME=VALUE`` on the command line."""

from __future__ import annotations

import json
from typing import Any

import click


def assignment(text: str) -> tuple[str, Any]:
    """Name and value; a value that is no JSON is a string, an empty one the empty string."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise click.UsageError(
            f"A parameter is written as NAME=VALUE, not {text!r}.", click.get_current_context()
        )
    try:
        return name, json.loads(value, parse_constant=_no_constant)
    except ValueError:
        return name, value


def _no_constant(name: str) -> Any:
    raise click.UsageError(f"{name} is not a number that can be sent.", click.get_current_context())
