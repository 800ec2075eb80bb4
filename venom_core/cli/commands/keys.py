"""`venom keys`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from venom_core.cli.dates import spoken
from venom_core.cli.helping import WordsGroup
from venom_core.cli.options import json_option
from venom_core.cli.output import raw
from venom_core.cli.terminal import note, print_json, print_table, say
from venom_core.cli.wording import words
from venom_core.settings.paths import Paths

if TYPE_CHECKING:
    from venom_core.store.keys import KeyRepository, KeyRights, Scope

_HELP = """Make, list and revoke API keys. As long as there is none, this machine needs none; as
soon as there is one, every request needs a key. A running server notices within seconds.

\b
  venom keys create laptop
  venom keys list
  venom keys revoke 1f0c9a3e
"""


@click.group(cls=WordsGroup, help=_HELP)
def keys() -> None:
    """Replaced by ``_HELP``."""


@keys.command()
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(["chat", "models", "admin"]),
    multiple=True,
    help="What it may do; more than one may be given. [default: everything]",
)
@click.option(
    "--model", "models", metavar="GLOB", multiple=True, help="Models it may use. [default: all]"
)
@click.option(
    "--requests-per-day", type=click.IntRange(1), metavar="N", help="A limit, per UTC day."
)
@click.option("--tokens-per-day", type=click.IntRange(1), metavar="N", help="A limit, per UTC day.")
@json_option
def create(
    name: str,
    scopes: tuple[Scope, ...],
    models: tuple[str, ...],
    requests_per_day: int | None,
    tokens_per_day: int | None,
    as_json: bool,
) -> None:
    """Make a key and print it, this once: only its hash is kept. Without options it may do
    everything.

    \b
      venom keys create laptop
      venom keys create team --scope chat --model 'gemma3:*' --tokens-per-day 200000
      KEY=$(venom keys create ci --json | jq -r .key)
    """
    # Imported here: the store is too slow for `keys --help`.
    from venom_core.store.keys import KeyRights

    rights = KeyRights(scopes or None, models or None, requests_per_day, tokens_per_day)
    key, record = _repository().create(name, rights)
    if as_json:
        print_json({"key": key, **record.record()}, reveal=True)
        return
    print(key, file=raw(sys.stdout), flush=True)
    note("It is not shown again. Send it as 'Authorization: Bearer KEY'.")


@keys.command("list")
@json_option
def list_keys(as_json: bool) -> None:
    """Show every key, revoked ones too; never the key itself.

    \b
      venom keys list
    """
    # Looking must not make a store, in a data directory that may not even be writable.
    records = _repository().list() if Paths.resolve().store_file.exists() else []
    if as_json:
        print_json({"keys": [record.record() for record in records]})
    elif not records:
        say("There is no key. Make one with: venom keys create NAME")
    else:
        print_table(
            ("ID", "NAME", "MAY", "A DAY", "CREATED", "REVOKED"),
            [
                (
                    *(record.id, record.name, _may(record.rights), _limits(record.rights)),
                    *(spoken(record.created_at), spoken(record.revoked_at)),
                )
                for record in records
            ],
        )


@keys.command()
@click.argument("key_id", metavar="ID")
@json_option
def revoke(key_id: str, as_json: bool) -> None:
    """Revoke a key for good, by the ID that `venom keys list` shows.

    \b
      venom keys revoke 1f0c9a3e
    """
    repository = _repository()
    record = repository.revoke(key_id)
    if as_json:
        print_json(record.record())
    else:
        say(f"The key {record.id} ({record.name}) is revoked.")
    if not repository.any_active():
        note(
            "It was the last key. A server that listens on this machine alone now lets everybody "
            "on it in; one that others can reach lets nobody in and does not start. Make another: "
            "venom keys create NAME"
        )


def _may(rights: KeyRights) -> str:
    scopes = words("everything") if rights.scopes is None else ", ".join(rights.scopes)
    return scopes if rights.models is None else f"{scopes}: {', '.join(rights.models)}"


def _limits(rights: KeyRights) -> str | None:
    limits = ((rights.requests_per_day, "requests"), (rights.tokens_per_day, "tokens"))
    given = [f"{limit} {words(what)}" for limit, what in limits if limit is not None]
    return ", ".join(given) or None


def _repository() -> KeyRepository:
    """Open the keys in the store; SQLite lets a running server use it at the same time."""
    from venom_core.store.database import open_database
    from venom_core.store.keys import KeyRepository

    paths = Paths.resolve()
    paths.make(paths.home)
    return KeyRepository(open_database(paths.store_file))
