"""The logs of this installation: that of the server and the commands, and one for each engine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from venom_core.settings.paths import Paths

#: The name of the server's log.
SERVER = "server"


@dataclass(frozen=True, slots=True)
class Log:
    """``name`` is ``server``, or ``llamacpp/gemma3-270m-base`` for an engine's."""

    name: str
    file: Path


def find_logs(paths: Paths) -> list[Log]:
    """Return the logs that are there, the server's first, then the one written last."""
    server = paths.log_file
    others = [Log(path.stem, path) for path in paths.logs_dir.glob("*.log") if path != server]
    others = _latest_first([*others, *engine_logs(paths)])
    return [*([Log(SERVER, server)] if server.is_file() else []), *others]


def engine_logs(paths: Paths) -> list[Log]:
    """Return the logs of engines, the one written last first."""
    return _latest_first(
        Log(f"{path.parts[-3]}/{path.stem}", path)
        for path in paths.providers_dir.glob("*/engines/*.log")
    )


def changed_at(log: Log) -> float:
    """Return when a log was last written, in seconds since the epoch; 0 where it is gone."""
    try:
        return log.file.stat().st_mtime
    except OSError:
        return 0.0


def _latest_first(logs: Iterable[Log]) -> list[Log]:
    return sorted(logs, key=changed_at, reverse=True)
