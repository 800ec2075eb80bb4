"""Answers that the fake server finishes, in the shapes of /api/v1/sessions/ID/answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import scenarios
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

if TYPE_CHECKING:
    from fake_api import FakeVenom

STOPPED = {"message": "The answer was stopped.", "code": "answer_stopped", "type": "api_error"}
CUT = {"message": "The upstream broke off.", "code": "upstream_incomplete", "fix": "Try again."}


@dataclass
class _Begun:
    session_id: str
    owner: str
    body: dict[str, Any]
    message: dict[str, Any]
    stopped: asyncio.Event = field(default_factory=asyncio.Event)


class FakeAnswers:
    """An answer begins when it is followed: what its scenario says, one event after another. Who
    leaves finds it whole."""

    def __init__(self, fake: FakeVenom) -> None:
        self._fake = fake
        self._begun: dict[str, _Begun] = {}

    async def answer(self, request: Request, owner: str) -> Response:
        session_id, _, rest = request.path_params["path"].partition("/")
        _, answer_id, verb = (*rest.split("/"), "", "")[:3]
        if not answer_id:
            return self._begin(session_id, await request.json(), owner)
        begun = self._begun.get(answer_id)
        if begun is None:
            body = {"detail": "It is not being written.", "code": "answer_not_found", "fix": None}
            return JSONResponse(body, 404)
        if verb == "stop":
            begun.stopped.set()
            begun.message["details"] = {"stopped": True}
            self._end(begun)
            return JSONResponse({"success": True, "message": "stopped"})
        return self._follow(begun, request)

    def under_way(self, session_id: str) -> list[dict[str, Any]]:
        return [
            {
                "message_id": answer_id,
                "question_id": one.message["parent_message_id"],
                "state": "answering",
                "place": 0,
            }
            for answer_id, one in self._begun.items()
            if one.session_id == session_id
        ]

    def _begin(self, session_id: str, body: dict[str, Any], owner: str) -> Response:
        told = {"answer": "", "model": None, "details": {"unfinished": True}}
        asked = {name: body.get(name) for name in ("question", "question_id", "parent_message_id")}
        response = self._fake.sessions.keep(session_id, {**asked, **told}, owner)
        if response.status_code != 200:
            return response
        ids = json.loads(response.body)
        messages = self._fake.sessions.of(owner)[session_id]["messages"]
        self._begun[ids["message_id"]] = _Begun(session_id, owner, body, messages[-1])
        return JSONResponse({name: ids[name] for name in ("success", "question_id", "message_id")})

    def _end(self, begun: _Begun) -> None:
        self._begun.pop(begun.message["id"], None)
        self._fake.sessions.touch(begun.owner, begun.session_id)

    def _told(self, begun: _Begun) -> list[dict[str, Any]]:
        by_id = {
            one["id"]: one
            for one in self._fake.sessions.of(begun.owner)[begun.session_id]["messages"]
        }
        path, at = [], begun.message["parent_message_id"]
        while at is not None:
            path.append({"role": by_id[at]["role"], "content": by_id[at]["content"]})
            at = by_id[at]["parent_message_id"]
        return path[::-1]

    def _follow(self, begun: _Begun, request: Request) -> Response:
        fake, model = self._fake, begun.body["model"]
        asked = {**begun.body["parameters"], "messages": self._told(begun)}
        fake.chats.append({**asked, "model": model} if model else asked)
        prompt = asked["messages"][-1]["content"]
        begun.message["model"] = fake.scenario.resolved(model)
        if error := scenarios.ERRORS.get(prompt):
            lang = request.headers["accept-language"]
            begun.message["details"] = {"error": {**error, "lang": lang}}
            self._end(begun)
            return JSONResponse({"error": error}, 400, {"Content-Language": lang})
        events = [*fake.places, *scenarios.answer(prompt, model or "default")]
        return StreamingResponse(
            self._events(begun, events),
            media_type="text/event-stream; charset=utf-8",
            headers={"Cache-Control": "no-cache", "Venom-Model": fake.scenario.resolved(model)},
        )

    async def _events(self, begun: _Begun, events: list[Any]) -> AsyncIterator[str]:
        finished = False
        details: dict[str, Any] = {}
        try:
            for event in events:
                if begun.stopped.is_set():
                    fake_end = json.dumps({"error": STOPPED})
                    yield f"data: {fake_end}\n\ndata: [DONE]\n\n"
                    return
                await asyncio.sleep(self._fake.pace)
                if isinstance(event, dict):
                    self._note(begun, event, details)
                if event == "[DONE]" or "error" in details:
                    begun.message["details"] = details
                    self._end(begun)
                told = event if isinstance(event, str) else json.dumps(event)
                yield f"{told}\n\n" if told.startswith(":") else f"data: {told}\n\n"
            finished = True
            if begun.message["id"] in self._begun:
                begun.message["details"] = {"error": CUT}
                self._end(begun)
        finally:
            self._fake.aborted += not finished
            if begun.message["id"] in self._begun:  # its stream broke off
                begun.message["details"] = details
                self._end(begun)

    @staticmethod
    def _note(begun: _Begun, event: dict[str, Any], details: dict[str, Any]) -> None:
        if "error" in event:
            details["error"] = event["error"]
        if event.get("usage"):
            details["usage"] = event["usage"]
            details["time_to_first_token_ms"], details["tokens_per_second"] = 5, 100.0
        for choice in event.get("choices", ()):
            delta = choice.get("delta", {})
            begun.message["content"] += delta.get("content") or ""
            if reasoning := delta.get("reasoning_content") or delta.get("reasoning"):
                details["reasoning"] = details.get("reasoning", "") + reasoning
            for name in ("finish_reason", "finish_note"):
                if choice.get(name):
                    details[name] = choice[name]
