"""`venom quickstart`."""

from __future__ import annotations

import sys

import click

from venom_core.cli.exit_codes import ExitCode
from venom_core.cli.failures import print_error
from venom_core.sdk.errors import VenomError

_HELP = """From an empty data directory to an answer: fetch two small models, start the server, ask
the first one through it, then serve until Ctrl-C. It asks nothing and says what it fetches, with
sizes, before it does. `make run` ends here.

\b
  venom quickstart
  venom quickstart --once
"""


@click.command(help=_HELP)
@click.option(
    "--once", is_flag=True, help="End after the answer; exit code 1 where there was none."
)
@click.option("--no-browser", is_flag=True, help="Do not open the page.")
def quickstart(once: bool, no_browser: bool) -> int:
    # Imported here: what a server needs is too slow for `quickstart --help`.
    from venom_core.cli.guide import run_guide

    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(line_buffering=True)  # the lines are read while it runs
    try:
        run_guide(once=once, browser=not no_browser)
    except VenomError as error:
        sys.stdout.flush()
        print_error(error)
        return ExitCode.FAILED
    return ExitCode.OK
