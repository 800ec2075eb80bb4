"""`venom help`."""

from __future__ import annotations

import click

_HELP = """Show the help of a command, like COMMAND --help; without one, that of `venom`.

\b
  venom help
  venom help run
  venom help sessions export
"""


@click.command("help", help=_HELP)
@click.argument("names", nargs=-1, metavar="[COMMAND]...")
@click.pass_context
def show_help(ctx: click.Context, names: tuple[str, ...]) -> None:
    at = ctx.find_root()
    for name in names:
        group = at.command
        if not isinstance(group, click.Group):
            raise click.UsageError(f"{at.command_path} has no commands of its own.", at)
        _, command, _ = group.resolve_command(at, [name])
        assert command is not None
        at = click.Context(command, parent=at, info_name=name)
    click.echo(at.get_help())
