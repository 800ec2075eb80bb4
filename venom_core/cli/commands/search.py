"""`venom search`."""

from __future__ import annotations

import sys
from typing import Any

import click

from venom_core.cli.connection.session import connected
from venom_core.cli.options import json_option
from venom_core.cli.terminal import note, print_json, print_table, say, size
from venom_core.cli.wording import words
from venom_core.sdk.catalogue import SearchFilters
from venom_core.sdk.errors import InvalidRequest, Unavailable

_HELP = """Look for models that can be fetched: at Hugging Face, where its plugin is installed.

\b
  venom search gemma --format gguf
  venom search qwen --author Qwen --sort downloads --limit 5
  venom search llama --json | jq -r '.models[].reference'
"""


@click.command(help=_HELP)
@click.argument("query")
@click.option("--provider", default="huggingface", show_default=True, help="Whose catalogue.")
@click.option("--limit", type=click.IntRange(1, 200), default=20, show_default=True)
@click.option("--page", type=click.IntRange(1, 200), default=1, show_default=True)
@click.option("--author", help="An organization or user.")
@click.option("--format", "format_", type=click.Choice(["gguf", "safetensors"]))
@click.option("--license", "license_", help="A licence's identifier, such as apache-2.0.")
@click.option("--task", help="What it does, such as text-generation.")
@click.option("--sort", type=click.Choice(["trending", "downloads", "likes", "updated"]))
@json_option
def search(
    query: str,
    provider: str,
    limit: int,
    page: int,
    author: str | None,
    format_: Any,
    license_: str | None,
    task: str | None,
    sort: Any,
    as_json: bool,
) -> None:
    if len(query) < 2:
        raise InvalidRequest(
            "A search needs two characters at least.", param="query", fix="venom search gemma"
        )
    filters = SearchFilters(author, format_, license_, task, sort)
    with connected("venom search", writes=False) as session:
        found = session.run(session.connection.search(provider, query, filters, limit, page))
    if not found["success"]:
        raise Unavailable(found["error"], code=found["code"], fix=found["fix"])
    if as_json:
        print_json(found)
    else:
        _print(found)


def _print(found: dict[str, Any]) -> None:
    gated = words(", terms to accept")
    if found["models"]:
        print_table(
            ("NAME", "SIZE", "DOWNLOADS", "LICENCE"),
            [
                (
                    model["reference"],
                    size(model["size_bytes"]),
                    "" if model["downloads"] is None else f"{model['downloads']:,}",
                    f"{model['license'] or ''}{gated if model['gated'] else ''}",
                )
                for model in found["models"]
            ],
        )
    else:
        say("Nothing was found.")
    sys.stdout.flush()
    if found["models"]:
        note(f"Fetch one with: venom pull {found['models'][0]['reference']}")
    if found["stale"]:
        note(f"As it was when last asked: {words(found['error'])}")
