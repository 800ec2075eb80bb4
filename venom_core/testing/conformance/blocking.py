"""Finding out whether a provider keeps its event loop from everything else."""

from __future__ import annotations

import asyncio
from types import FrameType
from typing import Self

from venom_core.sdk.loop_watch import LoopWatch
from venom_core.testing.deadlines import patience

#: Seconds on an idle machine for which nothing else may have had a turn.
_SECONDS = 0.5
_REST_SECONDS = 0.02


class PackageWatch:
    """Watches whether code of the package of ``whose`` keeps the loop; ``where`` names the function
    then, None where it did not."""

    def __init__(self, whose: type) -> None:
        self._package = whose.__module__.split(".")[0]
        self.where: str | None = None
        self._watch = LoopWatch(
            lambda frame: self._package if self._running(frame) else None,
            self._found,
            patience(_SECONDS),
            _REST_SECONDS,
        )

    def __enter__(self) -> Self:
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._watch.stop()
        self._watch.join(patience(5))

    def _found(self, _package: str, frame: FrameType, _loop: asyncio.AbstractEventLoop) -> None:
        self.where = self._running(frame)
        self._watch.stop()

    def _running(self, frame: FrameType | None) -> str | None:
        """Return the innermost function of the package that a stack is in."""
        while frame is not None:
            module = str(frame.f_globals.get("__name__", ""))
            if module.split(".", maxsplit=1)[0] == self._package:
                return f"{module}.{frame.f_code.co_qualname}"
            frame = frame.f_back
        return None
