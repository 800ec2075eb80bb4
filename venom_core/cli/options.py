"""Options that several commands share."""

from __future__ import annotations

import click

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document, errors included."
)
yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask.")
