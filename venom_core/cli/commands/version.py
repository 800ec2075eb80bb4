"""`venom version`."""

from __future__ import annotations

import platform

import click

from venom_core._version import __version__
from venom_core.cli.connection.server_file import answers, find_server
from venom_core.cli.options import json_option
from venom_core.cli.terminal import print_beside, print_json
from venom_core.cli.wording import words
from venom_core.settings.paths import Paths

_HELP = """Show the versions of this installation and, where one runs, of the server.

\b
  venom version
  venom version --json | jq -r .version
"""


@click.command(help=_HELP)
@json_option
def version(as_json: bool) -> None:
    record = find_server(Paths.resolve())
    running = None if record is None else answers(record)
    python = platform.python_version()
    if as_json:
        server = None if record is None else {"url": record.url, "version": running}
        print_json({"version": __version__, "python": python, "server": server})
        return
    print(f"venom {__version__}")
    print(f"Python {python}")
    if record is not None:
        state = running or words("does not answer")
        print_beside(f"{words('Server')} ", f"{state} ({record.url}, pid {record.pid})")
