"""`venom legacy`."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from venom_core.cli.connection.lock import hold_data_directory
from venom_core.cli.helping import WordsGroup
from venom_core.cli.options import json_option
from venom_core.cli.terminal import print_json, print_table, say
from venom_core.cli.waiting import wait_for
from venom_core.cli.wording import words
from venom_core.settings.paths import Paths

if TYPE_CHECKING:
    from venom_core.usecases.overrides import Finding

_HELP = """Take over an installation of the original Venom, and go back.

Its .env is read: profile and settings, the active model, MODEL_GENERATION_OVERRIDES, short names,
and folders of GGUF files. Nothing of it is changed. The server must not run.

\b
  venom legacy import ~/venom --dry-run
  venom legacy import ~/venom
  venom legacy rollback
"""


@click.group(cls=WordsGroup, help=_HELP)
def legacy() -> None:
    """Replaced by ``_HELP``."""


@legacy.command("import")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Show what would be taken and change nothing.")
@json_option
def import_(folder: Path, dry_run: bool, as_json: bool) -> None:
    """Take over what the original's folder holds, and say what became of each part.

    \b
      venom legacy import ~/venom --dry-run
    """
    # Imported here: pydantic is too slow for `legacy --help`.
    from venom_core.usecases.legacy import read_original

    read_original(folder)  # a wrong folder is told before anything is opened
    with hold_data_directory(Paths.resolve(), "venom legacy import"):
        findings = wait_for(_import(folder, dry_run))
    if as_json:
        print_json({"dry_run": dry_run, "findings": [one.record() for one in findings]})
        return
    rows = [(words(one.name), words(one.outcome), words(one.message)) for one in findings]
    print_table(("WHAT", "OUTCOME", ""), rows)
    if dry_run:
        say(f"Nothing was changed. Take it over with: venom legacy import {quote(str(folder))}")
    else:
        say("Go back with: venom legacy rollback")


@legacy.command()
@json_option
def rollback(as_json: bool) -> None:
    """Put back what was here before the import.

    \b
      venom legacy rollback
    """
    # Imported here: pydantic is too slow for `legacy --help`.
    from venom_core.usecases.legacy import roll_back

    paths = Paths.resolve()
    with hold_data_directory(paths, "venom legacy rollback"):
        done = roll_back(paths)
    if as_json:
        print_json({"done": done})
    else:
        for line in done:
            say(line)


async def _import(folder: Path, dry_run: bool) -> list[Finding]:
    # Imported here: pydantic is too slow for `legacy --help`.
    from venom_core.composition import Venom
    from venom_core.store.audit import Actor
    from venom_core.usecases.legacy import Takeover, read_original

    venom = Venom.from_environment()
    await venom.start()
    try:
        await venom.host.load_all()
        takeover = Takeover(
            venom.settings,
            venom.host.specs(),
            venom.registry,
            venom.manager,
            Actor.local(),
            dry_run=dry_run,
        )
        return await takeover.run(read_original(folder))
    finally:
        await venom.close()
