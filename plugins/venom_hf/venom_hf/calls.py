"""Questions to the Hub block and cannot be cancelled: each runs in a thread that nobody waits for
longer than its time, and that does not keep the process from ending."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from venom_core.sdk.errors import UpstreamTimeout

T = TypeVar("T")

#: Threads of one provider; one that hangs gives its place back when its own timeout ends it.
AT_ONCE = 4


class Calls:
    """Runs blocking functions.

    Args:
        timeout: seconds that a caller waits, for its turn and the answer together.
    """

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._places = asyncio.Semaphore(AT_ONCE)

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """Return the function's result. Raises what it raises, and ``UpstreamTimeout``."""
        try:
            async with asyncio.timeout(self._timeout):
                await self._places.acquire()
                return await self._in_thread(function, arguments)
        except TimeoutError:
            raise UpstreamTimeout(
                f"Hugging Face did not answer within {self._timeout:g} s.",
                fix="Try again; VENOM_HF__TIMEOUT allows it more time.",
            ) from None

    def _in_thread(
        self, function: Callable[..., T], arguments: tuple[Any, ...]
    ) -> asyncio.Future[T]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def settle(result: T | None, error: BaseException | None) -> None:
            self._places.release()
            if future.done():
                return
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)  # type: ignore[arg-type]

        def work() -> None:
            result: T | None = None
            failure: BaseException | None = None
            try:
                result = function(*arguments)
            except BaseException as error:
                failure = error
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(settle, result, failure)

        threading.Thread(target=work, name="hugging face", daemon=True).start()
        return future
