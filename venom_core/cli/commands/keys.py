"""`venom keys`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from venom_core.cli.connection.session import connected
from venom_core.cli.connection.stored import stored_keys
from venom_core.cli.dates import spoken
from venom_core.cli.helping import WordsGroup
from venom_core.cli.options import json_option
from venom_core.cli.output import raw
from venom_core.cli.terminal import note, print_json, print_table, say
from venom_core.cli.waiting import wait_for
from venom_core.cli.wording import words
from venom_core.settings.paths import Paths

if TYPE_CHECKING:
    from venom_core.store.keys import Scope
    from venom_core.usecases.keys import KeyUseCases, KeyView

_HELP = """Make, list and revoke API keys, and sign a browser in with one. As long as there is
none, this machine needs none; as soon as there is one, every request needs a key. A running server
notices within seconds.

\b
  venom keys create laptop
  venom keys list
  venom keys revoke 1f0c9a3e
  venom keys link 1f0c9a3e
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
@click.option(
    "--days", type=click.IntRange(1, 3650), metavar="N", help="How long it lasts. [default: always]"
)
@json_option
def create(
    name: str,
    scopes: tuple[Scope, ...],
    models: tuple[str, ...],
    requests_per_day: int | None,
    tokens_per_day: int | None,
    days: int | None,
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
    from venom_core.store.audit import Actor
    from venom_core.store.keys import KeyRights, expiry

    limits = (requests_per_day, tokens_per_day)
    rights = KeyRights(scopes or None, models or None, *limits, expiry(days))
    made = wait_for(_stored().create(name, rights, Actor.local()))
    if as_json:
        print_json(made, reveal=True)
        return
    print(made["key"], file=raw(sys.stdout), flush=True)
    note("It is not shown again. Send it as 'Authorization: Bearer KEY'.")


@keys.command("list")
@json_option
def list_keys(as_json: bool) -> None:
    """Show every key, revoked ones too; never the key itself.

    \b
      venom keys list
    """
    listing = wait_for(stored_keys().listing())
    if as_json:
        print_json(listing)
    elif not listing["keys"]:
        say("There is no key. Make one with: venom keys create NAME")
    else:
        print_table(
            ("ID", "NAME", "MAY", "A DAY", "CREATED", "USED", "EXPIRES", "REVOKED"),
            [
                (
                    *(key["id"], key["name"], _may(key), _limits(key)),
                    *(spoken(key["created_at"]), spoken(key["last_used_at"])),
                    *(spoken(key["expires_at"]), spoken(key["revoked_at"])),
                )
                for key in listing["keys"]
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
    # Imported here: the store is too slow for `keys --help`.
    from venom_core.store.audit import Actor

    revoked = wait_for(_stored().revoke(key_id, Actor.local()))
    if as_json:
        print_json(revoked)
    else:
        say(f"The key {revoked['id']} ({revoked['name']}) is revoked.")
    if revoked["last"]:
        note(
            "It was the last key. A server that listens on this machine alone now lets everybody "
            "on it in; one that others can reach lets nobody in and does not start. Make another: "
            "venom keys create NAME"
        )


@keys.command()
@click.argument("key_id", metavar="ID")
@json_option
def link(key_id: str, as_json: bool) -> None:
    """Print an address that signs one browser in with a key, once, within an hour. The server must
    be running; ID is as `venom keys list` shows it.

    \b
      venom keys link 1f0c9a3e
    """
    with connected("venom keys link", writes=False) as session:
        url = session.run(session.connection.sign_in_link(key_id))
    if as_json:
        print_json({"success": True, "key_id": key_id, "url": url}, reveal=True)
        return
    print(url, file=raw(sys.stdout), flush=True)
    note("It works once, within an hour. Whoever opens it is signed in.")


def _may(key: KeyView) -> str:
    scopes = words("everything") if key["scopes"] is None else ", ".join(key["scopes"])
    return scopes if key["models"] is None else f"{scopes}: {', '.join(key['models'])}"


def _limits(key: KeyView) -> str | None:
    limits = ((key["requests_per_day"], "requests"), (key["tokens_per_day"], "tokens"))
    given = [f"{limit} {words(what)}" for limit, what in limits if limit is not None]
    return ", ".join(given) or None


def _stored() -> KeyUseCases:
    """Return the keys in the store, which is made where there is none; SQLite lets a running server
    use it at the same time."""
    paths = Paths.resolve()
    paths.make(paths.home)
    return stored_keys()
