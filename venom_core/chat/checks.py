"""Checks of what a model can take, before anything is sent to it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from venom_core.chat.parameters import Policy, without_refused
from venom_core.models.registry import ListedModel
from venom_core.sdk.errors import InvalidRequest, ModelNotCapable, UnsupportedParameter


def check_capable(listed: ListedModel, capability: str) -> None:
    """Raise ``ModelNotCapable`` where the model is known not to have ``capability``."""
    known = listed.model.capabilities
    if known is not None and capability not in known:
        what = {
            "chat": "chat",
            "completion": "complete text",
            "embedding": "embed",
            "rerank": "rerank",
        }[capability]
        raise ModelNotCapable(
            f"{listed.reference} cannot {what}.",
            param="model",
            fix="See what each model can do with: venom list",
        )


def with_system(listed: ListedModel, body: Mapping[str, Any], prompt: str) -> Mapping[str, Any]:
    """Return the body with ``prompt`` before its messages, where the model's template has a place
    for it and the messages bring no system prompt of their own."""
    roles, messages = listed.model.allowed_roles, body["messages"]
    if (roles is not None and "system" not in roles) or messages[0]["role"] == "system":
        return body
    return {**body, "messages": [{"role": "system", "content": prompt}, *messages]}


def with_known_roles(listed: ListedModel, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the body with ``developer`` as ``system``, which is its older name: templates know
    that one, but for those of models that say otherwise."""
    roles = listed.model.allowed_roles
    if roles is not None and ("developer" in roles or "system" not in roles):
        return body
    messages = [
        {**message, "role": "system"} if message["role"] == "developer" else message
        for message in body["messages"]
    ]
    return {**body, "messages": messages}


def with_callable_tools(
    listed: ListedModel, body: Mapping[str, Any], honoured: Collection[str]
) -> Mapping[str, Any]:
    """Return the body without tools where none may be called and none can be: a client that sends
    the same tools with every request is refused none of those.

    Args:
        honoured: the provider's parameters.
    """
    known = listed.model.capabilities
    able = {"tools", "tool_choice"} <= set(honoured) and (known is None or "tools" in known)
    if body.get("tool_choice") != "none" or able:
        return body
    without = ("tools", "tool_choice", "parallel_tool_calls")
    return {name: value for name, value in body.items() if name not in without}


def check_messages(listed: ListedModel, body: Mapping[str, Any]) -> None:
    """Raise where the messages hold what the model's template cannot render."""
    known, roles = listed.model.capabilities, listed.model.allowed_roles
    for index, message in enumerate(body["messages"]):
        if roles is not None and message["role"] not in roles:
            raise UnsupportedParameter(
                f"{listed.reference} has no {message['role']!r} role; it knows {', '.join(roles)}.",
                param=f"messages[{index}].role",
                fix="Leave this message out, or choose an instruct model: venom list",
            )
        for place, url in _image_urls(message):
            where = f"messages[{index}].content[{place}]"
            if known is not None and "vision" not in known:
                raise ModelNotCapable(
                    f"{listed.reference} does not see images.",
                    param=where,
                    fix="Choose a model with vision: venom list",
                )
            if not url.startswith("data:image/"):
                # Fetching an address for a caller would let them reach what only we can reach.
                raise InvalidRequest(
                    "Images are sent as data: URLs; addresses are not fetched.",
                    param=f"{where}.image_url.url",
                    fix="Send the image itself: data:image/png;base64,...",
                )


def check_tools(
    listed: ListedModel, body: Mapping[str, Any], policy: Policy
) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """Return the body without tools where the model is known to call none, and the names left out
    under ``warn``. Raises ``UnsupportedParameter`` under ``strict``."""
    known = listed.model.capabilities
    if not body.get("tools") or known is None or "tools" in known:
        return body, ()
    if policy == "warn" and (found := without_refused(body, "tools")) is not None:
        return found
    raise UnsupportedParameter(
        f"{listed.reference} does not call tools.",
        param="tools",
        fix="Leave tools out, or choose a model that calls tools: venom list",
    )


def _image_urls(message: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    content = message.get("content")
    if isinstance(content, list):
        for place, part in enumerate(content):
            if part.get("type") == "image_url":
                yield place, part["image_url"]["url"]
