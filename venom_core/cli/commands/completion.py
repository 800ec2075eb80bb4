"""`venom completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from venom_core.cli.main import cli

_HELP = """Print the completion script of a shell.

\b
  venom completion bash >> ~/.bashrc
  venom completion zsh >> ~/.zshrc
  venom completion fish > ~/.config/fish/completions/venom.fish
"""


@click.command(help=_HELP)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    kind = get_completion_class(shell)
    assert kind is not None
    # The script alone, without click's look at the installed version of the shell.
    script = kind(cli, {}, "venom", "_VENOM_COMPLETE")
    print(script.source_template % script.source_vars())
