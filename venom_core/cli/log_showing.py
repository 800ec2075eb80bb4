"""A log on the terminal, for `venom logs` and `venom engines logs`."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from shlex import quote
from typing import Any, TypeVar

import click

from venom_core.cli.connection.session import connected
from venom_core.cli.loading import check_engine
from venom_core.cli.log_reading import last_lines, log_of_model, new_lines
from venom_core.cli.log_times import Since, has_times, not_older
from venom_core.cli.terminal import note, print_json, say
from venom_core.runtime.log_files import Log, engine_logs
from venom_core.sdk.errors import InvalidRequest, NotFound, VenomError
from venom_core.sdk.masking import is_secret_name, keep_password, keep_secret, keep_secrets_of
from venom_core.settings.paths import Paths

LINES, MOST_LINES = 50, 100_000

F = TypeVar("F", bound=Callable[..., Any])


def log_options(command: F) -> F:
    """Add the options that say how much of a log is shown: ``follow``, ``count``, ``since``."""
    follow = click.option(
        "--follow", "-f", is_flag=True, help="Go on with what is written, until Ctrl-C."
    )
    lines = click.option(
        "--lines",
        "-n",
        "count",
        type=click.IntRange(0, MOST_LINES),
        metavar="N",
        help="So many of its last lines; 50, or with --since all.",
    )
    since = click.option(
        "--since", type=Since(), metavar="TIME", help="What is not older: 10m, 2h, 3d, or a time."
    )
    return follow(lines(since(command)))


def know_secrets(paths: Paths) -> None:
    """Let the secrets of this installation be masked: an engine writes its log itself, and may tell
    what it was given. Settings that cannot be read hide none of the others."""
    # Imported here: what reads the file is too slow for a help.
    from venom_core.settings import file
    from venom_core.settings.key_file import read_key_file

    keep_secrets_of(os.environ)
    kept: Mapping[str, Any] = {}
    with contextlib.suppress(VenomError):
        kept = file.read(paths, paths.config_file)
    for name, value in _texts(kept):
        keep_password(value)
        if is_secret_name(name):
            keep_secret(value)
    with contextlib.suppress(VenomError):
        for _, value in _texts(file.read(paths, paths.secrets_file)):
            keep_secret(value)
    named = os.environ.get("VENOM_API_KEY_FILE") or kept.get("server", {}).get("api_key_file")
    if isinstance(named, str):
        with contextlib.suppress(VenomError):
            read_key_file(Path(named))


def _texts(table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _texts(value)
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str):
                yield name, one


def check_options(*, follow: bool, as_json: bool) -> None:
    """Raise ``click.UsageError`` where both are asked for."""
    if follow and as_json:
        message = "A log that goes on is no JSON document: leave out --json or --follow."
        raise click.UsageError(message, click.get_current_context())


def show_engine_log(
    name: str | None,
    count: int | None,
    *,
    follow: bool,
    as_json: bool,
    since: datetime | None = None,
) -> None:
    """Print the log of a model's engine; where no model is named, of the engine that wrote last.

    Raises:
        NotFound: ``log_not_found`` where it was never started.
        VenomError: as the look for a model that has no log raises it, and ``no_own_engine``.
    """
    paths = Paths.resolve()
    if name is not None:
        log = log_of_model(paths, name) or _log_of_known(paths, name)
        show_log(log, count, follow=follow, as_json=as_json, since=since)
    elif logs := engine_logs(paths):
        if not as_json:
            note(f"The log of {logs[0].name}:")
        show_log(logs[0], count, follow=follow, as_json=as_json, since=since)
    elif as_json:
        print_json({"name": None, "file": None, "lines": []})
    else:
        say("No engine has a log yet. Start one: venom engines start MODEL")


def _log_of_known(paths: Paths, name: str) -> Log:
    """Return the log of a model that goes by another name than its log does."""
    with connected("venom engines logs", writes=False) as session:
        model = session.run(session.connection.details(name))
        session.run(check_engine(session.connection, model))
    log = log_of_model(paths, model["reference"])
    if log is None:
        raise NotFound(
            f"The engine of {model['reference']} has no log: it was not started yet.",
            code="log_not_found",
            fix=f"Start it: venom engines start {quote(model['reference'])}",
        )
    return log


def show_log(
    log: Log, count: int | None, *, follow: bool, as_json: bool, since: datetime | None = None
) -> None:
    """Print the last lines of a log, and with ``follow`` what comes, until Ctrl-C.

    Args:
        count: of lines; None is ``LINES``, or with ``since`` all.

    Raises:
        InvalidRequest: ``log_without_times`` for ``since`` where no line says when it was written.
    """
    know_secrets(Paths.resolve())
    coming = new_lines(log.file)  # from before its end is read: nothing in between is lost
    lines = last_lines(
        log.file, (LINES if since is None else MOST_LINES) if count is None else count
    )
    if since is not None:
        lines = _lines_since(log, lines, since)
    if as_json:
        print_json({"name": log.name, "file": str(log.file), "lines": lines})
        return
    if not lines and count != 0 and not follow:
        if since is None:
            say(f"Nothing is in this log yet: {log.file}. The server writes it: venom serve")
        else:
            say(f"Nothing was written since then: {log.file}")
    for line in lines:
        print(line)
    if follow:
        note(f"Waiting for what is written to {log.file}. Ctrl-C ends it.")
        with contextlib.suppress(KeyboardInterrupt):
            for line in coming:
                print(line, flush=True)


def _lines_since(log: Log, lines: list[str], since: datetime) -> list[str]:
    if lines and not has_times(lines):
        raise InvalidRequest(
            f"No line of the log {log.name} says when it was written.",
            code="log_without_times",
            fix="Leave out --since; -n N shows the last N lines.",
        )
    return list(not_older(lines, since))
