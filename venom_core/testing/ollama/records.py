"""The recorded exchanges: read from disk, turned back into the bytes that crossed the wire."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

RECORDS_DIR = Path(__file__).parent / "records"

#: The version of the server that was recorded.
RECORDED_VERSION = "0.24.0"

#: Files that hold no exchange which could be answered again, and why.
NOT_REPLAYABLE: Mapping[str, str] = {
    "106_blob_create_gguf": "the request's body (253 MB of weights) was not kept",
    "142_show_verbose": "three arrays of the answer are cut to 20 items",
    "631_partial_files_after_cancel": "a listing of files on disk, no HTTP exchange",
    "736_port_in_use": "the server's exit code and stderr, no HTTP exchange",
    "830_keep_alive_connection": "three answers in raw form whose requests were not kept",
    "831_http10": "a raw answer whose request was not kept",
}


class Ending(StrEnum):
    """The end of a recorded answer."""

    COMPLETE = "complete"
    #: The server closed the connection without the last chunk (it was being stopped).
    CUT = "cut"
    #: The recording client left, so only the beginning is known; more would have come.
    CLIENT_LEFT = "client_left"
    #: Not a byte within the recording client's time limit.
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer as bytes.

    ``pieces`` are the body cut where the server cut it (a line each, in a stream); ``chunked`` says
    how it was framed. ``headers`` keep the recorded order and case, without ``Date``.
    """

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    pieces: tuple[bytes, ...]
    chunked: bool
    ending: Ending = Ending.COMPLETE

    @property
    def body(self) -> bytes:
        """Return the body without its framing."""
        return b"".join(self.pieces)

    def lines(self) -> list[dict[str, Any]]:
        """Return the objects of an NDJSON body."""
        return [json.loads(line) for line in self.body.splitlines() if line.strip()]

    def with_json_lines(self, lines: list[dict[str, Any]]) -> Answer:
        """Return the same answer with another NDJSON body, written as Ollama writes JSON."""
        return replace(self, pieces=tuple(encode_like_go(line) + b"\n" for line in lines))

    def with_json(self, value: Any, status: int | None = None) -> Answer:
        """Return the same answer with another JSON body (and its own length)."""
        body = encode_like_go(value)
        headers = tuple((name, text) for name, text in self.headers if name != "Content-Length")
        if not self.chunked:
            headers += (("Content-Length", str(len(body))),)
        return replace(self, status=status or self.status, headers=headers, pieces=(body,))


@dataclass(frozen=True, slots=True)
class Record:
    """One recorded exchange. ``body`` is the request's JSON value, or its bytes where it was not
    JSON, or None. ``name`` is the file's; ``#n`` marks the n-th exchange of one file."""

    name: str
    note: str
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: Any
    answer: Answer

    def header(self, name: str) -> str | None:
        """Return a request header by its name, whatever its case."""
        for key, value in self.headers:
            if key.lower() == name.lower():
                return value
        return None

    def request_body(self) -> bytes:
        """Return the request's body as bytes, ready to send."""
        if self.body is None:
            return b""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class Records(Mapping[str, Record]):
    """All replayable records by name, in the order of their names."""

    def __init__(self, records: list[Record]) -> None:
        self._by_name = {record.name: record for record in records}

    def __getitem__(self, name: str) -> Record:
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)


def encode_like_go(value: Any) -> bytes:
    """Return JSON as Go's encoder writes it: no blanks, UTF-8, and ``< > &`` escaped."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    for char in "<>&":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text.encode()


@cache
def load_records(directory: Path = RECORDS_DIR) -> Records:
    """Read every record of ``directory`` (1.9 MB, about 30 ms), once a process."""
    records: list[Record] = []
    for path in sorted(directory.glob("*.json")):
        if path.stem not in NOT_REPLAYABLE:
            records.extend(_read(path))
    return Records(records)


def _read(path: Path) -> Iterator[Record]:
    data = json.loads(path.read_text(encoding="utf-8"))
    note = data.get("note", "")
    if "exchanges" not in data:
        yield _record(path.stem, note, data)
        return
    for number, exchange in enumerate(data["exchanges"]):
        yield _record(f"{path.stem}#{number}", note, exchange)


def _record(name: str, note: str, exchange: dict[str, Any]) -> Record:
    request = exchange["request"]
    body = request.get("body")
    if body is None and request.get("body_raw"):
        body = request["body_raw"].encode()
    return Record(
        name=name,
        note=note,
        method=request["method"],
        path=request["path"],
        headers=tuple((key, value) for key, value in request["headers"]),
        body=body,
        answer=_answer(exchange["response"], head=request["method"] == "HEAD"),
    )


def _answer(response: dict[str, Any], head: bool) -> Answer:
    if response.get("status") is None:
        return Answer(0, "", (), (), chunked=False, ending=Ending.SILENT)
    lines = response.get("ndjson") or response.get("sse")
    if lines is not None:
        pieces = [line["raw"].encode() + b"\n" for line in lines]
    else:
        raw = response.get("body_raw", "").encode()
        pieces = [raw] if raw else []
    headers = [(key, value) for key, value in response["headers"] if key != "Date"]
    chunked = ("Transfer-Encoding", "chunked") in headers
    if not head:
        # Redacted host paths made some bodies shorter than their recorded length.
        length = str(sum(map(len, pieces)))
        headers = [(k, length if k == "Content-Length" else v) for k, v in headers]
    ending = Ending.COMPLETE
    if response.get("closed_by_client"):
        ending = Ending.CLIENT_LEFT
    elif response.get("truncated"):
        ending = Ending.CUT
    return Answer(
        response["status"], response["reason"], tuple(headers), tuple(pieces), chunked, ending
    )
