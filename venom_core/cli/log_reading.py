"""A log by its name, its last lines, and those that are being written."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from venom_core.runtime.log_files import SERVER, Log, engine_logs, find_logs
from venom_core.sdk.disk import safe_name
from venom_core.sdk.errors import Conflict, NotFound
from venom_core.settings.paths import Paths

#: Bytes that are read at once, from the end backwards.
BLOCK = 64 * 1024
POLL_SECONDS = 0.25
#: Logs that a refusal names.
MOST_NAMED = 12


def named(paths: Paths, name: str) -> Log:
    """Return the log of that name, or the only one whose name contains it. The server's need not be
    there. Raises ``NotFound``, ``Conflict``."""
    if name == SERVER:
        return Log(SERVER, paths.log_file)
    found = find_logs(paths)
    log = _one_of(found, name)
    if log is None:
        there = ", ".join(one.name for one in found[:MOST_NAMED])
        raise NotFound(
            f"There is no log {name!r}. There are: {there}."
            if there
            else f"There is no log {name!r}, and none of any other name yet.",
            code="log_not_found",
            fix="See them: venom logs --list",
        )
    return log


def log_of_model(paths: Paths, name: str) -> Log | None:
    """Return the log of a model's engine, by the model's name, its reference or a part of either;
    None where there is none. Raises ``Conflict`` where several are."""
    provider, separator, ref = name.rpartition("://")
    file = safe_name(ref)
    logs = engine_logs(paths)
    if separator:
        return _one_of([log for log in logs if log.name.startswith(f"{provider}/{file}")], file)
    return _one_of(logs, file) or _one_of(logs, name)


def _one_of(logs: Sequence[Log], name: str) -> Log | None:
    """Return the log of that name, else the only one of that file, else the only one whose name
    contains it. Raises ``Conflict``."""
    found = (
        [log for log in logs if log.name == name]
        or [log for log in logs if log.name.rpartition("/")[2] == name]
        or [log for log in logs if name in log.name]
    )
    if len(found) > 1:
        raise Conflict(
            f"Several logs are called so: {', '.join(log.name for log in found)}.",
            code="log_ambiguous",
            fix="Give more of the name; venom logs --list shows them whole.",
        )
    return found[0] if found else None


def last_lines(file: Path, count: int) -> list[str]:
    """Return the last lines; where the file was begun anew lately, those of the one before too."""
    lines = _tail(file, count)
    if len(lines) < count:
        lines = [*_tail(_one_before(file), count - len(lines)), *lines]
    return lines


def _tail(file: Path, count: int) -> list[str]:
    if count == 0:
        return []
    try:
        with file.open("rb") as stream:
            at, data = stream.seek(0, os.SEEK_END), b""
            while at and data.count(b"\n") <= count:
                step = min(BLOCK, at)
                at -= step
                stream.seek(at)
                data = stream.read(step) + data
    except OSError:
        return []
    return data.decode("utf-8", "replace").splitlines()[-count:]


def new_lines(file: Path) -> Iterator[str]:
    """Yield each line that is written from this call on, without end, into the file or into one
    that takes its place."""
    return _written(file, *_state(file))


def _written(file: Path, number: int, place: int) -> Iterator[str]:
    part = b""
    while True:
        now, size = _state(file)
        if now != number or size < place:
            before = _one_before(file)
            if _state(before)[0] == number:  # renewed: what came last stands at the end of this one
                yield from _whole(part + _from(before, place)).splitlines()
            number, place, part = now, 0, b""
        if size > place:
            data = _from(file, place)
            place += len(data)
            *whole, part = (part + data).split(b"\n")
            yield from (_whole(line).rstrip("\r") for line in whole)
        time.sleep(POLL_SECONDS)


def _one_before(file: Path) -> Path:
    return file.with_name(f"{file.name}.1")


def _from(file: Path, place: int) -> bytes:
    try:
        with file.open("rb") as stream:
            stream.seek(place)
            return stream.read()
    except OSError:  # gone meanwhile
        return b""


def _whole(line: bytes) -> str:
    return line.decode("utf-8", "replace")


def _state(file: Path) -> tuple[int, int]:
    try:
        found = file.stat()
    except OSError:
        return 0, 0
    return found.st_ino, found.st_size
