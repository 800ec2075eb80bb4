"""The watch on the server's event loop: says which provider keeps it from everything else.

The call that a guard has made is on the stack of whoever blocks, or a module of a plugin is.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import traceback
from collections.abc import Callable
from types import FrameType

from venom_core.plugins.breaches import Breaches
from venom_core.plugins.faults import Call
from venom_core.plugins.guarded_streams import GuardedStream
from venom_core.sdk import law
from venom_core.sdk.loop_watch import LoopWatch

logger = logging.getLogger(__name__)

#: Seconds for which nothing else may have had a turn.
BLOCKING_SECONDS = 1.0
#: Seconds between two questions to a loop that turns: four a second are hardly measurable.
REST_SECONDS = 0.25
#: The frames that are shown, the innermost.
MOST_FRAMES = 24
#: What a plugin does outside of any call.
OWN_TASK = "task"
#: Whose breaches a module's are; None for one that is no plugin's.
Owner = Callable[[str], Breaches | None]
#: Whose work it is, and the method.
Work = tuple[Breaches, str]


def watchdog(owner: Owner) -> LoopWatch[Work]:
    """Return a watch on the event loop that it is started on.

    Args:
        owner: whose a module is, by its name; called in the watch's thread.
    """
    return LoopWatch(lambda frame: culprit(frame, owner), _say, BLOCKING_SECONDS, REST_SECONDS)


def _say(work: Work, frame: FrameType, loop: asyncio.AbstractEventLoop) -> None:
    breaches, method = work
    stack = "".join(traceback.format_stack(frame)[-MOST_FRAMES:])
    logger.warning(
        "provider %s has kept everything else waiting for %g s in %s: blocking work belongs in"
        " a thread\n%s", breaches.provider, BLOCKING_SECONDS, method, stack,
    )  # fmt: skip
    with contextlib.suppress(RuntimeError):  # the loop has ended
        loop.call_soon_threadsafe(breaches.count, law.NEVER_BLOCKS, method)


def culprit(frame: FrameType, owner: Owner) -> Work | None:
    """Return whose call is under way in a stack, and its method; None where it is no provider's."""
    at: FrameType | None = frame
    while at is not None:
        call = at.f_locals.get("call")
        reader = at.f_locals.get("self")
        if isinstance(reader, GuardedStream):
            call = reader.call
        if isinstance(call, Call):
            return call.faults.breaches, call.method
        at = at.f_back
    at = frame
    while at is not None:
        breaches = owner(str(at.f_globals.get("__name__", "")))
        if breaches is not None:
            return breaches, OWN_TASK
        at = at.f_back
    return None
