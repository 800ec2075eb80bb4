"""Showing a pull or a build: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from typing import TYPE_CHECKING, Any

from venom_core.cli.output import raw
from venom_core.cli.terminal import has_colours, is_terminal, size
from venom_core.cli.wording import words
from venom_core.sdk.printable import one_line

if TYPE_CHECKING:
    from venom_core.cli.connection.loop import Session

Step = dict[str, Any]
#: Off a terminal a line is printed for each of these percents, and after this silence in seconds.
LINE_PERCENT = 10
LINE_SECONDS = 15.0

KEPT = (
    "Paused; the model is not installed. Pull it again to go on: what has arrived is used where "
    "its source can resume, and nothing half-fetched is ever listed. To delete what has arrived: "
    "venom operations cancel ID (venom operations shows the ID)"
)

BUILD_KEPT = (
    "Paused; the model is not listed. The same command goes on behind the steps that are done. To "
    "delete them: venom operations cancel ID (venom operations shows the ID)"
)


def pull_and_show(session: Session, name: str) -> Step:
    """Fetch ``name`` and show how far it is, on stderr; gives the last step. Ctrl-C stops the
    transfer, says what remains, and goes on as ``KeyboardInterrupt``."""
    return _shown(session, name, session.connection.pull(name))


def show_to_the_end(session: Session, operation: Step) -> Step:
    """Show an operation that has begun, like :func:`pull_and_show`."""
    building = operation["operation_type"] == "build"
    steps = session.connection.follow(operation)
    return _shown(session, operation["model_name"], steps, building=building)


def build_and_show(
    session: Session,
    name: str,
    format_name: str,
    precision: str | None,
    execution_provider: str | None,
) -> Step:
    """Build a model, like :func:`pull_and_show`."""
    begin = session.connection.build(name, format_name, precision, execution_provider)
    return show_to_the_end(session, session.run(begin))


def _shown(
    session: Session, name: str, steps: AsyncGenerator[Step, None], *, building: bool = False
) -> Step:
    try:
        return session.run(_last(name, steps, building))
    except KeyboardInterrupt:
        print(f"\n{words(BUILD_KEPT if building else KEPT)}", file=sys.stderr)
        raise


async def _last(name: str, steps: AsyncGenerator[Step, None], building: bool) -> Step:
    last: Step = {}
    with progress_of(name, in_bytes=not building) as show:
        async with contextlib.aclosing(steps):
            async for step in steps:
                last = step
                show(step)
    return last


@contextlib.contextmanager
def progress_of(name: str, *, in_bytes: bool = True) -> Iterator[Callable[[Step], None]]:
    """Give a function that shows a step: with a bar on a terminal, in plain lines elsewhere.

    Args:
        in_bytes: what is on its way is counted in bytes, else in percent alone.
    """
    if is_terminal(sys.stderr) and has_colours(sys.stderr):
        with _bar(name, in_bytes) as show:
            yield show
    else:
        yield _Lines(name, in_bytes)


class _Lines:
    """One line at the start, at each tenth, at each new stage, and at the end."""

    def __init__(self, name: str, in_bytes: bool = True) -> None:
        self._name = name
        self._in_bytes = in_bytes
        self._stage = ""
        self._tenth = -1
        self._printed_at = time.monotonic()

    def __call__(self, step: Step) -> None:
        tenth = step["progress"] // LINE_PERCENT
        silent = time.monotonic() - self._printed_at
        waits = self._in_bytes and not step["bytes_done"] and not step["bytes_total"]
        if waits and step["status"] != "completed" and silent < LINE_SECONDS:
            return  # nothing has come yet, which is worth a line only when it lasts
        stage = f"{step['status']} {step['message']}"
        if (stage, tenth) == (self._stage, self._tenth) and silent < LINE_SECONDS:
            return
        self._stage, self._tenth, self._printed_at = stage, tenth, time.monotonic()
        print(f"{self._name}: {describe(step)}", file=sys.stderr, flush=True)


def describe(step: Step) -> str:
    """Return ``42 %, 106 MB of 253 MB, Fetching``."""
    done, total = step["bytes_done"], step["bytes_total"]
    amount = f"{size(done)} {words('of')} {size(total)}" if total else (size(done) if done else "")
    percent = f"{step['progress']} %" if total or step.get("operation_type") == "build" else ""
    return ", ".join(part for part in (percent, amount, words(step["message"])) if part)


@contextlib.contextmanager
def _bar(name: str, in_bytes: bool) -> Iterator[Callable[[Step], None]]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    amounts = (DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        *(amounts if in_bytes else (TaskProgressColumn(),)),
        TextColumn("{task.fields[message]}", markup=False),
    )
    with Progress(*columns, console=Console(file=raw(sys.stderr))) as progress:
        task = progress.add_task(one_line(name), total=None, message="")

        def show(step: Step) -> None:
            total, done = step["bytes_total"], step["bytes_done"]
            if not in_bytes:
                total, done = 100, step["progress"]
            if step["status"] == "completed":
                total = total or done or 1
            progress.update(
                task,
                completed=total if step["status"] == "completed" else done,
                total=total,
                message=one_line(words(step["message"])),
            )

        yield show
