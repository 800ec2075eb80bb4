"""The entry point: `venom`.

Nothing is imported here but click; each command brings its own imports when it is used.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from venom_core._version import __version__
from venom_core.cli.exit_codes import MEANINGS
from venom_core.cli.helping import HelpInWords
from venom_core.cli.lazy import LazyGroup
from venom_core.cli.output import safe_output
from venom_core.cli.surroundings import mend

_HOME = "venom_core.cli.commands"
COMMANDS = {
    "serve": (f"{_HOME}.serve:serve", "Start the server and its page."),
    "run": (f"{_HOME}.run:run", "Ask a model, or talk with it."),
    "list": (f"{_HOME}.list:list_models", "Show the models that are installed or can be fetched."),
    "ps": (f"{_HOME}.ps:ps", "Show the models in memory."),
    "pull": (f"{_HOME}.pull:pull", "Fetch a model."),
    "build": (f"{_HOME}.build:build", "Make model files of another format."),
    "operations": (
        f"{_HOME}.operations:operations",
        "Show installs, builds and removals; pause, resume, cancel them.",
    ),
    "search": (f"{_HOME}.search:search", "Look for models to fetch."),
    "show": (f"{_HOME}.show:show", "Show everything that is known of a model."),
    "rm": (f"{_HOME}.rm:rm", "Remove a model."),
    "use": (f"{_HOME}.use:use", "Choose the model that answers where none is named."),
    "set": (f"{_HOME}.set:set_parameters", "Store generation parameters of a model."),
    "alias": (f"{_HOME}.alias:alias", "Let names stand for models."),
    "load": (f"{_HOME}.load:load", "Bring a model into memory."),
    "unload": (f"{_HOME}.stop:stop", "Take a model out of memory."),
    "stop": (f"{_HOME}.stop:stop", "Take a model out of memory, like unload."),
    "profile": (f"{_HOME}.profile:profile", "Show what may run, and choose it."),
    "plugins": (f"{_HOME}.plugins:plugins", "Show, install and switch plugins."),
    "engines": (f"{_HOME}.engines:engines", "Show, start, stop and install engines."),
    "services": (
        f"{_HOME}.services:services",
        "Show what runs, start, stop and restart it; what happened to it.",
    ),
    "bench": (f"{_HOME}.bench:bench", "Measure how fast models answer here."),
    "selftest": (f"{_HOME}.selftest:selftest", "Ask an engine what it really does."),
    "doctor": (f"{_HOME}.doctor:doctor", "Check this installation and say how to repair it."),
    "logs": (f"{_HOME}.logs:logs", "Show the log of the server or of an engine."),
    "service": (f"{_HOME}.service:service", "Let the system run the server at each login."),
    "sessions": (
        f"{_HOME}.sessions:sessions",
        "Show, rename, export, import and delete conversations.",
    ),
    "usage": (f"{_HOME}.usage:usage", "Show requests, tokens and errors."),
    "keys": (f"{_HOME}.keys:keys", "Make and revoke API keys."),
    "audit": (f"{_HOME}.audit:audit", "Show who changed what."),
    "config": (
        f"{_HOME}.config:config",
        "Show the settings and where each comes from; change them.",
    ),
    "backup": (f"{_HOME}.backup:backup", "Write the store and the settings to one file."),
    "restore": (f"{_HOME}.restore:restore", "Put a backup in place."),
    "legacy": (f"{_HOME}.legacy:legacy", "Take over an installation of the original Venom."),
    "completion": (f"{_HOME}.completion:completion", "Print the completion script of a shell."),
    "quickstart": (f"{_HOME}.quickstart:quickstart", "Fetch two small models, ask one, serve."),
    "version": (f"{_HOME}.version:version", "Show the versions of Venom and of the server."),
    "help": (f"{_HOME}.help:show_help", "Show the help of a command."),
}
# Every help, the words that click adds included, is in the person's language.
click.Context.formatter_class = HelpInWords
_CODES = "\b\nExit codes:\n" + "\n".join(
    f"  {code.value:<4} {meaning}" for code, meaning in MEANINGS.items()
)
_HELP = """The control plane for the language models on your own machine.

\b
  venom run "What is the capital of Poland?"
  venom serve
  venom list --available
"""


@click.group(
    cls=LazyGroup,
    table=COMMANDS,
    help=_HELP,
    epilog=_CODES,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, message="venom %(version)s")
def cli() -> None:
    """Replaced by ``_HELP``."""


def main() -> None:
    """Run the command line of this process and end with its exit code."""
    mend()
    sys.exit(run_command(sys.argv[1:]))


def run_command(arguments: Sequence[str]) -> int:
    """Run one command line; whatever goes wrong is said and becomes an exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal without UTF-8 gets "?" and no traceback
            stream.reconfigure(errors="replace")
    with safe_output():
        return _run(arguments)


def _run(arguments: Sequence[str]) -> int:
    try:
        result = cli.main(list(arguments), prog_name="venom", standalone_mode=False)
        sys.stdout.flush()
    except (Exception, KeyboardInterrupt) as error:
        from venom_core.cli.failures import report

        return int(report(error, arguments))
    return result if isinstance(result, int) else 0


if __name__ == "__main__":
    main()
