"""`venom serve`."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from socket import socket
from typing import TYPE_CHECKING

import click

from venom_core._version import __version__
from venom_core.cli.connection.lock import hold_data_directory
from venom_core.cli.first_key import make_first_key, print_first_key
from venom_core.cli.listening import listen, local_url, require_key_beyond_loopback, unlisted_hosts
from venom_core.cli.logs import begin_logging
from venom_core.cli.socket_activation import inherited_sockets, most_open
from venom_core.cli.terminal import say
from venom_core.cli.wording import words
from venom_core.sdk.loopback import listens_on_loopback
from venom_core.settings.profiles import find_profile
from venom_core.ui import is_built

if TYPE_CHECKING:
    from venom_core.composition import Venom
    from venom_core.plugins.records import PluginRecord

_HELP = """Start the server: its page, the OpenAI-compatible API and Venom's own API.

It listens on this machine alone unless told otherwise; any other address needs an API key first.
Ctrl-C or SIGTERM stops it and every engine it started. Started by systemd, it says when it is
ready, and takes the sockets that it is handed; `venom service install` writes the unit.

\b
  venom serve
  venom serve --port 9000
  venom keys create team && venom serve --host 0.0.0.0
  venom serve --host 0.0.0.0 --first-key
"""


@click.command(help=_HELP)
@click.option("--host", metavar="ADDRESS", help="Address to listen on. [default: 127.0.0.1]")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port; 0 takes a free one. [default: 8366]"
)
@click.option("--root-path", metavar="PATH", help="Path that a reverse proxy serves it under.")
@click.option("--profile", metavar="NAME", help="light, llm_off or full. [default: light]")
@click.option(
    "--first-key",
    is_flag=True,
    help="Make a key where none ever was, and print an address that signs a browser in.",
)
@click.option(
    "--reload-plugins",
    is_flag=True,
    help="For authors: load a plugin of yours anew when its source is saved.",
)
def serve(
    host: str | None,
    port: int | None,
    root_path: str | None,
    profile: str | None,
    first_key: bool,
    reload_plugins: bool,
) -> None:
    gc.disable()  # until the server stands, see settle_memory

    # Imported here: pydantic is too slow for `serve --help`.
    from venom_core.cli.sd_notify import ServiceManager
    from venom_core.composition import Venom

    manager, inherited = ServiceManager.of(os.environ), inherited_sockets(os.environ)
    if inherited:
        host, port = _address_of(inherited, host, port)
    chosen = None if profile is None else find_profile(profile).name
    flags = {"host": host, "port": port, "root_path": root_path, "runtime_profile": chosen}
    flags |= {"first_key": True} if first_key else {}
    venom = Venom.from_environment(flags=flags)
    core, paths = venom.settings.core, venom.settings.paths
    if reload_plugins and not listens_on_loopback(core.host):
        raise click.UsageError(
            "--reload-plugins is for development: it listens on this machine only."
        )
    if not core.first_key:
        require_key_beyond_loopback(venom)
    with hold_data_directory(paths, "venom serve"):
        # Behind the lock: a key that is made by a start which is then refused has no link.
        made = make_first_key(venom) if core.first_key else None
        require_key_beyond_loopback(venom)
        listener, *others = inherited or [listen(core.host, core.port)]
        begin_logging(paths, core.log_level, to_stderr=True, form=core.log_format)
        # Imported late: a refusal above costs nothing, and whoever connects now already waits.
        from venom_core.api.app import create_app
        from venom_core.cli.serving import Server, run_loop

        def begin() -> None:
            print_screen(venom, listener)
            if made is not None:
                links = app.state.key_ring.links
                print_first_key(links, venom, local_url(listener), made)
            if reload_plugins:
                venom.plugins.watch_sources(print_reload)

        app = create_app(venom)
        server = Server(app, venom, begin, manager)
        run_loop(server, venom, listener, *others)
    print(words("Stopped."), file=sys.stderr)


def _address_of(inherited: Sequence[socket], host: str | None, port: int | None) -> tuple[str, int]:
    """Return the address of sockets that somebody else has bound, in place of what was asked."""
    found = most_open(inherited)
    if host is not None or port is not None:
        text = f"The socket that was handed over counts, {found[0]}:{found[1]}, not --host, --port."
        print(words(f"Warning: {text}"), file=sys.stderr)
    return found


def print_reload(record: PluginRecord) -> None:
    """Print what became of a plugin whose source was saved."""
    say(f"{record.id}: {words(record.state.label)}")
    if record.reason is not None:
        say(f"  {words(record.reason.message)}")


def print_screen(venom: Venom, listener: socket) -> None:
    """Print the addresses, the profile and the warnings of a server that has just started."""
    core = venom.settings.core
    url = local_url(listener)
    loopback = listens_on_loopback(core.host)
    where = "this machine only" if loopback else f"listening on {core.host}, API key needed"
    say(f"Venom {__version__} · profile {venom.profile.name} · {where}")
    say(f"  Page             {url}" + words("" if is_built() else "   (not built: make ui)"))
    say(f"  OpenAI base_url  {url}/v1")
    if hosts := unlisted_hosts(core.host, core.allowed_hosts):
        say("  To reach it from other machines, allow its host names before you start it:")
        print(f"    VENOM_ALLOWED_HOSTS={','.join((*core.allowed_hosts, *hosts))}")
    say("  Ctrl-C stops it and every engine.")
    for warning in venom.settings.warnings:
        print(words(f"Warning: {warning}"), file=sys.stderr)
