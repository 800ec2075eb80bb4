"""The fake server: answers recorded requests with the recorded bytes, 501 to all others.

Where it claims to be Ollama 0.30 or newer, :mod:`~venom_core.testing.ollama.living` answers what
lists and runs models, out of records of a 0.32.15; the rest is answered by those of 0.24.0.

Beside Ollama's own paths it has its control paths, which no Ollama has:

====== ======================== =============================================================
GET    /__fake__                what this is, which records and scenarios it has
GET    /__fake__/requests       what it was asked, in order (:class:`Entry`)
DELETE /__fake__/requests       forget them
GET    /__fake__/engine         starts of engines so far, and answers that outgrew the context
POST   /__fake__/faults         let something go wrong (:mod:`~venom_core.testing.ollama.faults`)
GET    /__fake__/faults         what still waits to go wrong
DELETE /__fake__/faults         nothing goes wrong any more
POST   /__fake__/settings       ``{"prefer": [record], "scenarios": [name], "line_ms": n,
                                "version": "0.12.5", "default_context": 4096,
                                "keeps": true}``, each optional
POST   /__fake__/reset          as after the start
====== ======================== =============================================================
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from venom_core.testing.ollama.connection import ClientGone, Connection
from venom_core.testing.ollama.faults import WHOLE, Fault, Faults, Kind
from venom_core.testing.ollama.keeping import Keeping
from venom_core.testing.ollama.living import CURRENT_VERSION, DEFAULT_CONTEXT, LIVING_SINCE, Living
from venom_core.testing.ollama.matching import TRUNCATE_SINCE, Asked, Matcher, version_tuple
from venom_core.testing.ollama.records import (
    RECORDED_VERSION,
    Answer,
    Ending,
    encode_like_go,
    load_records,
)
from venom_core.testing.ollama.scenarios import SCENARIOS

CONTROL = "/__fake__"


@dataclass(slots=True)
class Entry:
    """One request as the fake saw it.

    ``answered_by`` is a record's name, ``scenario:<name>``, ``fault:<kind>`` or ``unrecorded``;
    ``body_bytes`` counts the body sent; ``finished`` says that the answer went out whole, and
    ``client_gone`` that the client left before. ``connection`` numbers the TCP connections.
    """

    number: int
    connection: int
    method: str
    path: str
    body: Any
    headers: dict[str, str]
    answered_by: str = ""
    status: int = 0
    body_bytes: int = 0
    finished: bool = False
    client_gone: bool = False


@dataclass(slots=True)
class Settings:
    """The settings that the control paths change."""

    version: str = RECORDED_VERSION
    prefer: list[str] = field(default_factory=list)
    scenarios: list[str] = field(default_factory=list)
    line_ms: float = 0.0
    default_context: int = DEFAULT_CONTEXT
    keeps: bool = False

    @property
    def is_living(self) -> bool:
        """Return whether we claim to be an Ollama whose engine is llama-server."""
        return version_tuple(self.version) >= LIVING_SINCE

    def reads_truncate(self) -> bool:
        """Return whether the Ollama that we claim to be knows ``truncate``."""
        return version_tuple(self.version) >= TRUNCATE_SINCE

    def change(self, data: dict[str, Any]) -> None:
        """Take over ``data``. Raises ValueError naming what is unknown."""
        unknown = sorted(set(data) - set(self.__slots__))
        unknown += [n for n in data.get("prefer", []) if n not in load_records()]
        unknown += [n for n in data.get("scenarios", []) if n not in SCENARIOS]
        if unknown:
            raise ValueError(f"unknown: {unknown}")
        for name, value in data.items():
            setattr(self, name, value)


class FakeServer:
    """The server; ``start`` binds, ``serve_forever`` runs."""

    def __init__(self, settings: Settings | None = None, faults: Iterable[Fault] = ()) -> None:
        self._initial = settings or Settings()
        self._settings = Settings(**asdict(self._initial))
        self._matcher = Matcher(load_records().values())
        self._living = Living()
        self._keeping = Keeping()
        self._faults = Faults()
        for fault in faults:
            self._faults.add(fault)
        self._entries: list[Entry] = []
        self._connections = 0
        self._server: asyncio.Server | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Bind, and return the base URL."""
        self._server = await asyncio.start_server(self._serve, host, port, limit=2**20)
        return f"http://{host}:{self._server.sockets[0].getsockname()[1]}"

    async def serve_forever(self) -> None:
        """Serve until cancelled."""
        assert self._server is not None, "start() first"
        await self._server.serve_forever()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        connection = Connection(reader, writer, self._connections)
        try:
            while (asked := await connection.read_request()) is not None:
                close = asked.headers.get("connection", "").lower() == "close"
                if asked.path.startswith(CONTROL):
                    await self._control(connection, asked, close)
                elif not await self._answer(connection, asked, close):
                    return
                if close:
                    return
        except ClientGone:
            return
        finally:
            await connection.close()

    # Ollama's paths

    async def _answer(self, connection: Connection, asked: Asked, close: bool) -> bool:
        """Answer one request; False when the connection is not to be used again."""
        entry = self._note(connection, asked)
        fault = self._faults.take(asked.method, asked.path)
        answer = self._find(asked, entry)
        try:
            if fault is not None and fault.kind in WHOLE:
                return await self._answer_whole(connection, fault, entry, close)
            whole = await self._replay(connection, answer, fault, entry, close)
        except ClientGone:
            entry.client_gone = True
            raise
        return whole

    def _note(self, connection: Connection, asked: Asked) -> Entry:
        body = asked.body if asked.body is not None else asked.raw_body.decode("latin-1")
        entry = Entry(
            number=len(self._entries),
            connection=connection.number,
            method=asked.method,
            path=asked.path,
            body=body,
            headers=dict(asked.headers),
        )
        self._entries.append(entry)
        return entry

    def _find(self, asked: Asked, entry: Entry) -> Answer:
        settings = self._settings
        for name in settings.scenarios:
            answer = SCENARIOS[name].answer(asked, settings.reads_truncate())
            if answer is not None:
                entry.answered_by = f"scenario:{name}"
                return answer
        if settings.keeps:
            answer = self._keeping.answer(asked, living=settings.is_living)
            if answer is not None:
                entry.answered_by = "keeping"
                return answer
        if settings.is_living:
            self._living.default_context = settings.default_context
            if (answer := self._living.answer(asked)) is not None:
                entry.answered_by = "living"
                return answer
        record = self._matcher.find(asked, settings.prefer, settings.reads_truncate())
        if record is not None:
            entry.answered_by = record.name
            if record.name == "002_get_version":
                return record.answer.with_json({"version": settings.version})
            return record.answer
        entry.answered_by = "unrecorded"
        return _unrecorded(asked)

    async def _answer_whole(
        self, connection: Connection, fault: Fault, entry: Entry, close: bool
    ) -> bool:
        entry.answered_by = f"fault:{fault.kind}"
        await connection.pause(fault.delay_ms / 1000)
        if fault.kind is Kind.REFUSE:
            connection.reset()
            return False
        if fault.kind is Kind.SILENT:
            await connection.until_gone()
        body = fault.body.encode()
        headers = {"Content-Type": "application/json; charset=utf-8", **fault.headers}
        headers["Content-Length"] = str(len(body))
        entry.status = fault.status
        await connection.send_head(fault.status, "", headers.items(), close)
        await connection.send_piece(body, chunked=False)
        entry.body_bytes, entry.finished = len(body), True
        return True

    async def _replay(
        self,
        connection: Connection,
        answer: Answer,
        fault: Fault | None,
        entry: Entry,
        close: bool,
    ) -> bool:
        if answer.ending is Ending.SILENT:
            await connection.until_gone()
        if fault is not None:
            entry.answered_by += f" fault:{fault.kind}"
            await connection.pause(fault.delay_ms / 1000)
        entry.status = answer.status
        await connection.send_head(answer.status, answer.reason, answer.headers, close)
        pieces = answer.pieces
        if fault is not None and fault.kind is Kind.SPLIT:
            pieces = _split(answer.body, fault.size)
        for piece in pieces:
            if self._settings.line_ms and entry.body_bytes:
                await connection.pause(self._settings.line_ms / 1000)
            if fault is not None and entry.body_bytes >= fault.after_bytes:
                strikes = await self._strike(connection, fault, piece, answer.chunked)
                if strikes is not None:
                    return strikes
            await connection.send_piece(piece, answer.chunked)
            entry.body_bytes += len(piece)
        stalls = fault is not None and fault.kind is Kind.STALL
        if stalls or answer.ending is Ending.CLIENT_LEFT:
            await connection.until_gone()
        if fault is not None and fault.kind is Kind.SLOW:
            await connection.pause(fault.delay_ms / 1000)
        if answer.ending is Ending.CUT:
            return False
        if answer.chunked:
            await connection.send(b"0\r\n\r\n")
        entry.finished = True
        return True

    async def _strike(
        self, connection: Connection, fault: Fault, piece: bytes, chunked: bool
    ) -> bool | None:
        """Let the fault happen in place of ``piece``; None means that the body goes on."""
        match fault.kind:
            case Kind.SLOW:
                await connection.pause(fault.delay_ms / 1000)
                return None
            case Kind.SPLIT:
                return None
            case Kind.RESET:
                connection.reset()
                return False
            case Kind.EOF:
                return False
            case Kind.STALL:
                await connection.until_gone()
            case Kind.BAD_UTF8:
                # Inside a text: the JSON around it stays whole.
                at = piece.find(b':"') + 2
                await connection.send_piece(piece[:at] + b"\xff\xfe" + piece[at + 2 :], chunked)
            case Kind.HALF_LINE:
                await connection.send_piece(piece[: len(piece) // 2], chunked)
            case Kind.ERROR_FRAME:
                await connection.send_piece(fault.error_line(), chunked)
            case Kind.GARBAGE:
                page = b"<html><body>502 Bad Gateway</body></html>\n"
                # Of a known length not a byte more, or the rest would be read as the next answer.
                await connection.send_piece(page if chunked else page[: len(piece)], chunked)
        # A body of a known length that ends early can only end with the connection.
        if not chunked:
            return False
        await connection.send(b"0\r\n\r\n")
        return True

    # The control paths

    async def _control(self, connection: Connection, asked: Asked, close: bool) -> None:
        try:
            status, value = 200, self._command(asked)
        except (ValueError, TypeError) as error:
            status, value = 400, {"error": str(error)}
        body = json.dumps(value).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        await connection.send_head(status, "", headers, close)
        await connection.send(body)

    def _command(self, asked: Asked) -> Any:
        match asked.method, asked.path.removeprefix(CONTROL):
            case "GET", "" | "/":
                return self._describe()
            case "GET", "/requests":
                return [asdict(entry) for entry in self._entries]
            case "DELETE", "/requests":
                self._entries.clear()
            case "GET", "/engine":
                return {"loads": self._living.loads, "shifted": self._living.shifted}
            case "GET", "/faults":
                return self._faults.waiting()
            case "POST", "/faults":
                self._faults.add(Fault.parse(asked.body))
            case "DELETE", "/faults":
                self._faults.clear()
            case "POST", "/settings":
                self._settings.change(asked.body)
            case "POST", "/reset":
                self._entries.clear()
                self._faults.clear()
                self._living = Living()
                self._keeping = Keeping()
                self._settings = Settings(**asdict(self._initial))
            case _:
                raise ValueError(f"no control path {asked.method} {asked.path}")
        return {"ok": True}

    def _describe(self) -> dict[str, Any]:
        return {
            "fake": True,
            "what": "a fake Ollama: it holds no model and repeats recorded answers",
            "recorded_from": "Ollama "
            + (CURRENT_VERSION if self._settings.is_living else RECORDED_VERSION),
            "settings": asdict(self._settings),
            "records": list(load_records()),
            "scenarios": {
                name: {"derived_from": list(one.derived_from), "change": one.change}
                for name, one in SCENARIOS.items()
            },
        }


def _unrecorded(asked: Asked) -> Answer:
    body = encode_like_go(
        {
            "error": "venom_core.testing.ollama is a fake and has no record of this request",
            "method": asked.method,
            "path": asked.path,
            "body": asked.body if asked.body is not None else asked.raw_body.decode("latin-1"),
        }
    )
    headers = (
        ("Content-Type", "application/json; charset=utf-8"),
        ("Content-Length", str(len(body))),
    )
    return Answer(501, "Not Implemented", headers, (body,), chunked=False)


def _split(body: bytes, size: int) -> tuple[bytes, ...]:
    return tuple(body[start : start + size] for start in range(0, len(body), size))
