"""Conversations of the fake server, in the shapes of /api/v1/sessions."""

from __future__ import annotations

import itertools
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

STORE_FULL = {
    "detail": "The disk of the store is full.",
    "code": "store_full",
    "fix": "Free some space there.",
    "docs": "/docs/errors#store_full",
}
ROOM_USED = {
    "detail": "The conversations of this key take all of their 64 MB.",
    "code": "sessions_full",
    "fix": "Export and delete some: GET and DELETE /api/v1/sessions/ID, or venom sessions",
    "docs": "/docs/errors#sessions_full",
}


@dataclass
class FakeSessions:
    """Sessions by owner and id. Tests change and read them freely."""

    kept: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    #: A refusal with its status, by the method that is refused.
    refusals: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    #: What was asked for: method and path behind /api/v1/sessions.
    asked: list[tuple[str, str]] = field(default_factory=list)
    #: Whether an import is stored and its answer lost, as where a connection breaks.
    loses_answers: bool = False
    #: Serves what is under a conversation's answers.
    answers: Callable[[Request, str], Awaitable[Response]] | None = None
    #: The answers of a conversation that are being written.
    under_way: Callable[[str], list[dict[str, Any]]] = lambda _: []
    _clock: Any = field(default_factory=lambda: itertools.count(1))

    def of(self, owner: str = "") -> dict[str, dict[str, Any]]:
        return self.kept.setdefault(owner, {})

    def titles(self, owner: str = "") -> list[str]:
        return [one["session"]["title"] for one in self._listed(owner)]

    def contents(self, session_id: str, owner: str = "") -> list[str]:
        return [one["content"] for one in self.of(owner)[session_id]["messages"]]

    def add(self, title: str, *said: str, owner: str = "", session_id: str | None = None) -> str:
        """Keep a conversation: questions and answers in turn."""
        found = self._make(owner, session_id or f"s{next(self._clock)}", title)
        parent = None
        for place, content in enumerate(said):
            role = "assistant" if place % 2 else "user"
            parent = self._append(found, role, content, parent)
        return str(found["session"]["id"])

    async def answer(self, request: Request, owner: str) -> Response:
        path = request.path_params.get("path", "")
        self.asked.append((request.method, path))
        if refused := self.refusals.get(request.method):
            return JSONResponse(refused[1], refused[0])
        session_id, _, verb = path.partition("/")
        if not path:
            return self._list(request, owner)
        if path == "import":
            return self._import(await request.json(), owner)
        if verb.split("/")[0] == "answers" and self.answers is not None:
            return await self.answers(request, owner)
        if verb == "messages":
            return self.keep(session_id, await request.json(), owner)
        found = self.of(owner).get(session_id)
        if found is None:
            return _refuse(404, "session_not_found", f"There is no conversation {session_id!r}.")
        if request.method == "DELETE":
            del self.of(owner)[session_id]
            return JSONResponse({"success": True, "message": f"{session_id} was removed."})
        if verb == "change":
            found["session"].update(await request.json())
            return JSONResponse({"success": True, "session": found["session"]})
        return JSONResponse({"success": True, **found, "answering": self.under_way(session_id)})

    def touch(self, owner: str, session_id: str) -> None:
        """Note a change of a conversation that is still there."""
        if found := self.of(owner).get(session_id):
            found["session"]["updated_at"] = self._now()

    def _listed(self, owner: str) -> list[dict[str, Any]]:
        return sorted(
            self.of(owner).values(), key=lambda one: one["session"]["updated_at"], reverse=True
        )

    def _list(self, request: Request, owner: str) -> Response:
        limit, offset = (int(request.query_params[name]) for name in ("limit", "offset"))
        wanted = request.query_params.get("query", "")
        found = [one for one in self._listed(owner) if wanted in json.dumps(one)]
        shown = [one["session"] for one in found][offset : offset + limit]
        return JSONResponse({"success": True, "sessions": shown, "count": len(shown)})

    def _make(self, owner: str, session_id: str, title: str) -> dict[str, Any]:
        session = {"id": session_id, "title": title, "pinned": False, "messages": 0}
        times = {"created_at": self._now(), "updated_at": self._now()}
        made = self.of(owner)[session_id] = {"session": {**session, **times}, "messages": []}
        return made

    def _append(
        self, found: dict[str, Any], role: str, content: str, parent: str | None, **more: Any
    ) -> str:
        made = {
            "id": f"m{next(self._clock)}",
            "parent_message_id": parent,
            "role": role,
            "content": content,
            "model": None,
            "details": None,
            "created_at": self._now(),
            **more,
        }
        found["messages"].append(made)
        found["session"]["messages"] += 1
        found["session"]["updated_at"] = self._now()
        return str(made["id"])

    def _import(self, body: dict[str, Any], owner: str) -> Response:
        session_id = body["id"]
        if session_id in self.of(owner):
            return _refuse(409, "session_exists", f"There is a session {session_id!r} already.")
        found = self._make(owner, session_id, body["title"])
        ids: dict[str | None, str | None] = {None: None}
        for one in body["messages"]:
            told = {name: one[name] for name in ("model", "details")}
            parent = ids[one["parent_message_id"]]
            ids[one["id"]] = self._append(found, one["role"], one["content"], parent, **told)
        if self.loses_answers:
            return Response("<html>", 200)
        return JSONResponse({"success": True, "session": found["session"]})

    def keep(self, session_id: str, body: dict[str, Any], owner: str) -> Response:
        parent = body["parent_message_id"]
        found = self.of(owner).get(session_id)
        if found is None:
            if parent != "root":
                return _refuse(
                    404, "session_not_found", f"There is no conversation {session_id!r}."
                )
            found = self._make(owner, session_id, body["question"].split("\n")[0])
        parent = None if parent == "root" else parent
        # One that is kept already is answered once more.
        question = body.get("question_id") or self._append(found, "user", body["question"], parent)
        told = {name: body[name] for name in ("model", "details")}
        answer = self._append(found, "assistant", body["answer"], question, **told)
        ids = {"question_id": question, "message_id": answer}
        return JSONResponse({"success": True, "session": found["session"], **ids})

    def _now(self) -> str:
        return f"2026-11-05T10:00:00.{next(self._clock):06}Z"


def _refuse(status: int, code: str, message: str) -> Response:
    return JSONResponse({"detail": message, "code": code, "fix": None, "docs": None}, status)
