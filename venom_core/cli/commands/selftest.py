"""`venom selftest`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from venom_core._version import __version__
from venom_core.cli.connection.session import connected
from venom_core.cli.exit_codes import ExitCode
from venom_core.cli.options import json_option
from venom_core.cli.terminal import note, print_json, print_table, say
from venom_core.cli.wording import words
from venom_core.sdk.errors import ModelNotFound, NotFound, Unavailable

_HELP = """Ask a live engine what it really does: each parameter, role and kind of answer is tried
through /v1 and looked at. "honoured" is what the engine does itself, "emulated" what Venom brings
about, "refused" what is refused by name, "broken" what went otherwise.

The outcome is kept: `venom show` and every listing say from then on which of the model's
capabilities were verified.

It asks some dozens of short questions, which takes a small model a minute and a large one longer.

\b
  venom selftest llamacpp
  venom selftest llamacpp --model smollm2:135m --json

\b
Exit codes: 0 nothing is broken, 1 something is.
"""


@click.command(help=_HELP)
@click.argument("provider")
@click.option("--model", metavar="NAME", help="Ask this one; else the provider's smallest model.")
@json_option
def selftest(provider: str, model: str | None, as_json: bool) -> int:
    # Imported here: the questions are nothing that a help needs.
    from venom_core.usecases.selftest.asking import Ask
    from venom_core.usecases.selftest.questions import CELLS
    from venom_core.usecases.selftest.run import Row, examine

    with connected("venom selftest", writes=True) as session:
        connection = session.connection
        plugins = session.run(connection.plugins())
        reference = _reference(session.run(connection.models()), plugins, provider, model)

        async def rows() -> list[Row]:
            found: list[Row] = []
            async for row in examine(Ask(connection.exchange, reference)):
                found.append(row)
                note(f"{len(found)}/{len(CELLS)}  {words(row.name)}  {words(row.outcome)}")
            return found

        found = session.run(rows())
        version = _version(session.run(connection.plugins()), provider)
        records = [row.record() for row in found]
        kept = session.run(connection.keep_self_test(reference, records))
    if as_json:
        print_json(
            {
                "provider": provider,
                "model": reference,
                "engine_version": version,
                "venom_version": __version__,
                "capability_states": kept["capability_states"],
                "rows": records,
            }
        )
    else:
        say(f"{reference}   {version or ''}\n")
        print_table(
            ("OF", "WHAT", "OUTCOME", ""),
            [
                (words(row.group), words(row.name), words(row.outcome), words(row.note or ""))
                for row in found
            ],
        )
    broken = any(row.outcome == "broken" for row in found)
    return ExitCode.FAILED if broken else ExitCode.OK


def _reference(
    listing: Mapping[str, Any], plugins: list[dict[str, Any]], provider: str, model: str | None
) -> str:
    """Return the reference of the model that is asked.

    Raises:
        NotFound: no such provider, or none of its models.
        Unavailable: the provider cannot be used now; the reason's own code and fix.
    """
    there = [
        item
        for item in listing["models"]
        if item["provider"] == provider and "chat" in (item["capabilities"] or ("chat",))
    ]
    named = [item for item in there if model in (None, item["name"], item["reference"])]
    if not named:
        _check_provider(plugins, listing["stale"], provider)
        raise ModelNotFound(
            f"{provider} has no installed model {model or 'that chats'}.",
            param="model",
            fix="See what is installed with: venom list",
        )
    smallest = min(named, key=lambda item: (item["size_bytes"] or 0, item["name"]))
    return str(smallest["reference"])


def _check_provider(
    plugins: list[dict[str, Any]], unlisted: list[dict[str, Any]], name: str
) -> None:
    """Raise what keeps a provider from being asked; ``unlisted`` are those whose models could not
    be listed."""
    found = {one["name"]: one["reason"] for plugin in plugins for one in plugin["providers"]}
    if name not in found:
        raise NotFound(
            f"There is no provider {name}; loaded: {', '.join(sorted(found)) or 'none'}.",
            code="provider_not_found",
            param="provider",
            fix="See what is installed: venom plugins",
        )
    reasons = {one["provider"]: one for one in unlisted}
    if reason := reasons.get(name) or found[name]:
        raise Unavailable(reason["message"], code=reason["code"], fix=reason["fix"])


def _version(plugins: list[dict[str, Any]], provider: str) -> str | None:
    """Return what a provider says of its engine's version."""
    for plugin in plugins:
        for one in plugin["providers"]:
            if one["name"] == provider:
                version = one.get("engine_version")
                return str(version) if version else None
    return None
