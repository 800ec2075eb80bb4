"""A fake engine for the field's clients: what it answers depends on what it is asked and on nothing
else, so that a recorded request has the same answer when it is played again.

It is no model. A tool that is offered is called, a schema that is asked for is filled in, an image
is counted; its model names say what else it does.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from threading import Event, Thread
from typing import Any

from venom_core.testing.engine import Reply, ScriptedEngine, scripted_engine, sse
from venom_core.testing.speaking import Said, answered, events

MODEL = "fake"
#: Refuses every prompt as too long, in the words of vLLM.
SMALL = "fake-small"
#: Begins to answer, and says nothing more until its client leaves.
SILENT = "fake-silent"
#: Begins to answer, and closes the connection.
BROKEN = "fake-broken"
#: Runs one command in a terminal, with whichever tool does that, and tells what it gave.
SHELL = "fake-shell"
MODELS = [MODEL, SMALL, SILENT, BROKEN, SHELL]
COMMAND = "echo hello-from-a-tool"
_SHELLS = {
    "Bash": {"command": COMMAND, "description": "Say hello"},
    "exec_command": {"cmd": COMMAND},
}
TEXT = "The capital of Poland is Warsaw."
USAGE = {"prompt_tokens": 7, "completion_tokens": 6, "total_tokens": 13}
#: A message of vLLM's, with what nobody asked for: many clients send it back as it came.
EMPTY: dict[str, Any] = {
    "refusal": None, "annotations": None, "audio": None,
    "function_call": None, "tool_calls": [], "reasoning_content": None,
}  # fmt: skip
_JSON = {"content-type": "application/json"}
TOO_LONG = (
    "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens"
    " (4984 in the messages, 16 in the completion). Please reduce the length of the messages."
)


def reply_to(path: str, body: Any) -> Reply:
    """Return the answer to a request that Venom passes on."""
    if body["model"] == SMALL:
        error = {"message": TOO_LONG, "type": "BadRequestError", "param": None, "code": 400}
        return Reply([json.dumps({"error": error}).encode()], status=400, headers=_JSON)
    if path == "/v1/embeddings":
        return Reply([json.dumps(_vectors(body)).encode()], headers=_JSON)
    said = Said((" Warsaw.",)) if path == "/v1/completions" else _said(body)
    if body["model"] in (SILENT, BROKEN):
        begun = sse(next(events(body, [said], USAGE))) if body.get("stream") else ()
        return Reply(begun, fault="stall" if body["model"] == SILENT else "eof")
    return answered(body, [said], USAGE)


def _said(body: Mapping[str, Any]) -> Said:
    last = body["messages"][-1]
    if body["model"] == SHELL:
        return _run_command(body)
    choice = body.get("tool_choice")
    if body.get("tools") and last["role"] != "tool" and choice != "none":
        wanted = choice["function"]["name"] if isinstance(choice, dict) else None
        tools = [tool["function"] for tool in body["tools"]]
        tool = next((tool for tool in tools if tool["name"] == wanted), tools[0])
        arguments = json.dumps(example(tool.get("parameters") or {}))
        call = {"id": "call_1", "name": tool["name"], "arguments": arguments}
        return Said((), "tool_calls", call=call, more=EMPTY)
    text = _text(body, last)
    return Said((text[:8], text[8:]), more=EMPTY)


def _run_command(body: Mapping[str, Any]) -> Said:
    told = [message["content"] for message in body["messages"] if message["role"] == "tool"]
    names = [tool["function"]["name"] for tool in body.get("tools") or ()]
    name = next((name for name in names if name in _SHELLS), None)
    if told or name is None:
        return Said(("The tool said: ", str(told[-1:])), more=EMPTY)
    call = {"id": "call_1", "name": name, "arguments": json.dumps(_SHELLS[name])}
    return Said((), "tool_calls", call=call, more=EMPTY)


def _text(body: Mapping[str, Any], last: Mapping[str, Any]) -> str:
    wanted = (body.get("response_format") or {}).get("json_schema")
    if wanted:
        return json.dumps(example(wanted["schema"]))
    if (body.get("response_format") or {}).get("type") == "json_object":
        return '{"city": "Warsaw", "country": "Poland"}'
    parts = last["content"] if isinstance(last["content"], list) else []
    images = [part for part in parts if part["type"] == "image_url"]
    if images:
        return f"{len(images)} image, {images[0]['image_url']['url'][:15]}"
    return TEXT


def example(schema: Mapping[str, Any], root: Mapping[str, Any] | None = None) -> Any:
    """Return a value that a JSON schema allows; of the simple ones that clients make."""
    root = root or schema
    if "$ref" in schema:
        return example(root["$defs"][schema["$ref"].rsplit("/", 1)[-1]], root)
    if "enum" in schema:
        return schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    if "anyOf" in schema:
        return example(schema["anyOf"][0], root)
    kind = schema.get("type", "object")
    if kind == "object":
        return {name: example(of, root) for name, of in schema.get("properties", {}).items()}
    if kind == "array":
        return [example(schema.get("items", {"type": "string"}), root)]
    return {"string": "Warsaw", "integer": 3, "number": 0.5, "boolean": True, "null": None}[kind]


def _vectors(body: Mapping[str, Any]) -> dict[str, Any]:
    rows = enumerate(body["input"])
    data = [{"object": "embedding", "index": i, "embedding": [float(len(x)), 0.5]} for i, x in rows]
    return {"object": "list", "model": body["model"], "data": data, "usage": USAGE}


@contextlib.contextmanager
def fake_engine() -> Iterator[ScriptedEngine]:
    """Run one in a thread of its own, since most clients block theirs."""
    import asyncio

    running: list[ScriptedEngine] = []
    started, over = Event(), Event()

    async def run() -> None:
        async with scripted_engine() as engine:
            engine.models, engine.reply = MODELS, reply_to
            running.append(engine)
            started.set()
            await asyncio.to_thread(over.wait)

    thread = Thread(target=asyncio.run, args=(run(),), daemon=True)
    thread.start()
    started.wait(30)
    try:
        yield running[0]
    finally:
        over.set()
        thread.join(30)
