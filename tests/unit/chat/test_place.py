"""Headers of an answer: they tell the way it came about."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from venom_core.chat.asked import Asked
from venom_core.chat.checks import with_callable_tools
from venom_core.chat.place import told_of
from venom_core.chat.stream import ChatStream
from venom_core.models.registry import ListedModel
from venom_core.sdk.frames import Chunk, Frame
from venom_core.sdk.messages import ChatRequest, Sent
from venom_core.sdk.provider import Model

TOOLS = [{"type": "function", "function": {"name": "f"}}]


def listed(*capabilities: str) -> ListedModel:
    known = frozenset(capabilities) if capabilities else None
    return ListedModel("scripted", Model("m", "folder", capabilities=known))  # type: ignore[arg-type]


async def frames() -> AsyncGenerator[Frame, None]:
    yield Frame.of(Chunk())


def stream(sent: Sent, *, because: str | None = None, left_out: tuple[str, ...] = ()) -> ChatStream:
    request = ChatRequest("m", {}, stream=True, request_id="r", sent=sent)
    asked = Asked(lambda request: frames(), request, {}, left_out, "strict")
    return ChatStream(
        resolved=listed(), chosen_because=because, asked=asked, applied={}, include_usage=False,
        on_end=lambda account: None,
    )  # fmt: skip


def test_what_became_of_parameters_is_told() -> None:
    plain = {"Venom-Model": "scripted://m", "Venom-Locality": "local"}
    assert told_of(stream(Sent())) == plain
    found = told_of(stream(Sent(emulated=("tools", "n")), because="the active", left_out=("seed",)))
    assert found == plain | {
        "Venom-Model-Reason": "the active",
        "Venom-Ignored-Parameters": "seed",
        "Venom-Emulated": "tools, n",
    }


@pytest.mark.parametrize(
    ("capabilities", "honoured", "kept"),
    [
        (("chat", "tools"), {"tools", "tool_choice"}, True),
        ((), {"tools", "tool_choice"}, True),
        (("chat",), {"tools", "tool_choice"}, False),
        (("chat", "tools"), {"tools"}, False),
        ((), set(), False),
    ],
)
def test_tools_that_may_not_be_called_are_not_shown_to_who_cannot_call_any(
    capabilities: tuple[str, ...], honoured: set[str], kept: bool
) -> None:
    body = {"messages": [], "tools": TOOLS, "tool_choice": "none", "parallel_tool_calls": True}
    found = with_callable_tools(listed(*capabilities), body, honoured)
    assert found == (body if kept else {"messages": []})
    auto = {**body, "tool_choice": "auto"}
    assert with_callable_tools(listed(*capabilities), auto, honoured) == auto
