"""`venom keys`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from venom_core.cli.options import json_option

if TYPE_CHECKING:
    from venom_core.store.keys import KeyRepository

_HELP = """API keys. While there is none, this machine needs none; once there is one, every request
needs one. A running server notices within seconds.

\b
  venom keys create laptop
  venom keys list
  venom keys revoke 1f0c9a3e
"""


@click.group(help=_HELP)
def keys() -> None:
    """Replaced by ``_HELP``."""


@keys.command()
@click.argument("name")
@json_option
def create(name: str, as_json: bool) -> None:
    """Make a key and print it, this once: only its hash is kept.

    \b
      venom keys create laptop
      KEY=$(venom keys create ci --json | jq -r .key)
    """
    import sys

    from venom_core.cli.terminal import note, print_json

    key, record = _repository().create(name)
    if as_json:
        print_json({"key": key, **asdict(record)})
        return
    print(key)
    sys.stdout.flush()
    note("It is not shown again. Send it as 'Authorization: Bearer KEY'.")


@keys.command("list")
@json_option
def list_keys(as_json: bool) -> None:
    """Show every key, revoked ones too; never the key itself.

    \b
      venom keys list
    """
    from venom_core.cli.terminal import print_json, print_table
    from venom_core.settings.paths import Paths

    # Looking must not make a store, in a data directory that may not even be writable.
    records = _repository().list() if Paths.resolve().store_file.exists() else []
    if as_json:
        print_json({"keys": [asdict(record) for record in records]})
    elif not records:
        print("There is no key. Make one with: venom keys create NAME")
    else:
        print_table(
            ("ID", "NAME", "CREATED", "REVOKED"),
            [(r.id, r.name, r.created_at, r.revoked_at) for r in records],
        )


@keys.command()
@click.argument("key_id", metavar="ID")
@json_option
def revoke(key_id: str, as_json: bool) -> None:
    """Revoke a key for good, by the ID that `venom keys list` shows.

    \b
      venom keys revoke 1f0c9a3e
    """
    from venom_core.cli.terminal import print_json

    record = _repository().revoke(key_id)
    if as_json:
        print_json(asdict(record))
    else:
        print(f"The key {record.id} ({record.name}) is revoked.")


def _repository() -> KeyRepository:
    """The store may be used beside a running server: SQLite sees to that."""
    from venom_core.settings.paths import Paths
    from venom_core.store.database import open_database
    from venom_core.store.keys import KeyRepository

    paths = Paths.resolve()
    paths.make(paths.home)
    return KeyRepository(open_database(paths.store_file))
