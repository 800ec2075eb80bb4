"""A fake of the Hugging Face Hub's HTTP API, for tests through the real ``huggingface_hub`` client.

Two servers on loopback: the Hub itself and, on another port and by another name, the storage that
it redirects large files to. What the Hub answers is modelled on its public API as the client's own
code reads it: model listings with ``Link`` pages, model info with ``blobs``, ``resolve`` with
``X-Linked-Etag`` and redirects, error codes in headers. Faults are switched on by attribute.

    with FakeHub() as hub:
        hub.add("org/model", {"config.json": b"{}", "model.safetensors": weights})
        hub.corrupt.add("model.safetensors")
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self
from urllib.parse import parse_qs, unquote, urlsplit

#: The one token that the fake knows.
TOKEN: Final = "hf_fake_token_that_must_not_leak"  # noqa: S105
_LARGE = (".safetensors", ".gguf", ".bin", ".pt", ".h5")
_RANGE = re.compile(r"bytes=(\d+)-$")


@dataclass(slots=True)
class FakeRepository:
    """``files`` by commit; ``refs`` maps branches and tags to commits."""

    name: str
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    gated: str | bool = False
    private: bool = False
    facts: dict[str, Any] = field(default_factory=dict)

    def commit(self, revision: str) -> str | None:
        commit = self.refs.get(revision, revision)
        return commit if commit in self.commits else None


@dataclass(frozen=True, slots=True)
class Seen:
    """One request: ``place`` is ``hub`` or ``storage``; the headers' names are in lower case."""

    place: str
    method: str
    path: str
    headers: dict[str, str]
    status: int


class FakeHub:
    """The servers, their content and their faults.

    Args:
        accepts: repositories whose terms ``TOKEN`` has accepted.

    Faults, each by a file's name: ``corrupt`` (other bytes of the same length), ``cut`` (bytes
    after which the connection closes, once each), ``lies`` (the listing's digest is another).
    ``pace`` is bytes a second of the storage; ``without_ranges`` answers 200 to every range;
    ``statuses`` maps a part of a path to the status that is answered there, ``retry_after`` beside;
    ``next_page_at`` is another place than the Hub that pages point at; ``expired`` requests of the
    storage are answered 403, as for an address that is too old.
    """

    def __init__(self) -> None:
        self.repositories: dict[str, FakeRepository] = {}
        self.accepts: set[str] = set()
        self.corrupt: set[str] = set()
        self.lies: set[str] = set()
        self.cut: dict[str, list[int]] = {}
        self.pace: float | None = None
        self.without_ranges = False
        self.statuses: dict[str, int] = {}
        self.retry_after = "7"
        self.next_page_at: str | None = None
        self.expired = 0
        self.papers: list[dict[str, Any]] = []
        self.feed = ""
        self.seen: list[Seen] = []
        self._servers: list[ThreadingHTTPServer] = []
        self._blobs: dict[str, tuple[str, bytes]] = {}

    def __enter__(self) -> Self:
        for place in ("hub", "storage"):
            handler = type("Handler", (_Handler,), {"hub": self, "place": place})
            server = _Server(("127.0.0.1", 0), handler)
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
            self._servers.append(server)
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._servers[0].server_address[1]}"

    @property
    def storage_url(self) -> str:
        # By another name: to the library before 2.2 another port is the same place.
        return f"http://localhost:{self._servers[1].server_address[1]}"

    def add(
        self,
        name: str,
        files: dict[str, bytes],
        *,
        revision: str = "main",
        gated: str | bool = False,
        private: bool = False,
        **facts: Any,
    ) -> str:
        """Put a repository, or a new revision of one, on the Hub; gives the commit."""
        repository = self.repositories.setdefault(name, FakeRepository(name))
        content = "".join(f"{path}{_sha256(data)}" for path, data in sorted(files.items()))
        commit = _sha1(f"{name}{content}".encode())
        repository.commits[commit] = files
        repository.refs[revision] = commit
        repository.gated, repository.private = gated, private
        repository.facts |= facts
        for path, data in files.items():
            if path.endswith(_LARGE):
                self._blobs[_sha256(data)] = (path, data)
        return commit

    def asked(self, place: str, part: str = "") -> list[Seen]:
        """Return the requests of one server whose path has ``part`` in it."""
        return [one for one in self.seen if one.place == place and part in one.path]

    # -- what is answered --------------------------------------------------------------------

    def info(self, repository: FakeRepository, commit: str, *, blobs: bool) -> dict[str, Any]:
        files = repository.commits[commit]
        siblings = [self._sibling(path, data, blobs=blobs) for path, data in files.items()]
        return {**self.row(repository), "sha": commit, "siblings": siblings}

    def row(self, repository: FakeRepository) -> dict[str, Any]:
        return {
            "_id": "0", "id": repository.name, "author": repository.name.partition("/")[0],
            "private": repository.private, "gated": repository.gated, "disabled": False,
            "downloads": 0, "likes": 0, "tags": [], "lastModified": "2026-11-01T12:00:00.000Z",
            **repository.facts,
        }  # fmt: skip

    def _sibling(self, path: str, data: bytes, *, blobs: bool) -> dict[str, Any]:
        row: dict[str, Any] = {"rfilename": path}
        if blobs:
            row |= {"size": len(data), "blobId": _git(data)}
            if path.endswith(_LARGE):
                digest = "0" * 64 if path in self.lies else _sha256(data)
                row["lfs"] = {"sha256": digest, "size": len(data), "pointerSize": 134}
        return row

    def leaf(self, path: str, data: bytes) -> dict[str, Any]:
        """Return a file as the listing of a repository's tree has it."""
        row: dict[str, Any] = {"type": "file", "path": path, "size": len(data), "oid": _git(data)}
        if path.endswith(_LARGE):
            digest = "0" * 64 if path in self.lies else _sha256(data)
            row["lfs"] = {"oid": digest, "size": len(data), "pointerSize": 134}
        return row

    def found(self, query: dict[str, list[str]]) -> list[dict[str, Any]]:
        """Return the rows of ``/api/models`` that match, sorted."""
        words = query.get("search", [""])[0].lower()
        rows = [
            self.row(one)
            for one in self.repositories.values()
            if not one.private and words in one.name.lower()
        ]
        for tag in query.get("filter", []):
            rows = [row for row in rows if tag in row["tags"]]
        if "author" in query:
            rows = [row for row in rows if row["author"] == query["author"][0]]
        if "pipeline_tag" in query:
            rows = [row for row in rows if row.get("pipeline_tag") == query["pipeline_tag"][0]]
        order = query.get("sort", ["id"])[0]
        return sorted(rows, key=lambda row: row.get(order) or 0, reverse=order != "id")

    def blob(self, digest: str) -> tuple[str, bytes] | None:
        return self._blobs.get(digest)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Ignore clients that go away: that is what is tested."""


class _Handler(BaseHTTPRequestHandler):
    hub: FakeHub
    place: str
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # headers and body are written apart

    def log_message(self, *_: object) -> None:
        return

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        self._path = unquote(urlsplit(self.path).path)
        self._query = parse_qs(urlsplit(self.path).query)
        for part, status in self.hub.statuses.items():
            if part in self.path:
                self._refuse(status, "", "")
                return
        if self.place == "storage":
            self._storage()
        elif self._path == "/api/models":
            self._listing()
        elif self._path == "/api/daily_papers":
            month = self._query.get("month", [""])[0]
            fitting = [one for one in self.hub.papers if one["publishedAt"].startswith(month)]
            self._json(fitting[: int(self._query.get("limit", ["50"])[0])])
        elif self._path == "/blog/feed.xml":
            self._send(200, self.hub.feed.encode(), {"Content-Type": "application/rss+xml"})
        elif found := re.fullmatch(r"/api/models/(.+)/tree/([^/]+)", self._path):
            self._tree(found[1], found[2])
        elif self._path.startswith("/api/models/"):
            self._info()
        elif found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", self._path):
            self._file(found[1], found[2], found[3])
        else:
            self._refuse(404, "", "not found")

    def _listing(self) -> None:
        rows = self.hub.found(self._query)
        start = int(self._query.get("cursor", ["0"])[0])
        end = start + min(int(self._query.get("limit", ["1000"])[0]), 1000)
        headers = {}
        if end < len(rows):
            rest = re.sub(r"&?cursor=\d+", "", urlsplit(self.path).query)
            place = self.hub.next_page_at or self.hub.url
            headers["Link"] = f'<{place}/api/models?{rest}&cursor={end}>; rel="next"'
        self._json(rows[start:end], headers)

    def _info(self) -> None:
        name, _, revision = self._path.removeprefix("/api/models/").partition("/revision/")
        repository = self._visible(name)
        if repository is None:
            return
        commit = repository.commit(revision or "main")
        if commit is None:
            self._refuse(404, "RevisionNotFound", f"Invalid rev id: {revision}")
            return
        self._json(self.hub.info(repository, commit, blobs="blobs" in self._query))

    def _tree(self, name: str, revision: str) -> None:
        repository = self._visible(name)
        if repository is None:
            return
        files = repository.commits[repository.commit(revision) or ""]
        self._json([self.hub.leaf(path, data) for path, data in files.items()])

    def _visible(self, name: str) -> FakeRepository | None:
        """Return the repository, where the caller may know of it; else the refusal has been
        sent."""
        repository = self.hub.repositories.get(name)
        sent = self.headers.get("Authorization")
        if sent is not None and sent != f"Bearer {TOKEN}":
            self._refuse(401, "", "Invalid credentials in Authorization header")
            return None
        if repository is None or (repository.private and sent is None):
            self._refuse(404 if sent else 401, "RepoNotFound", "Repository not found")
            return None
        return repository

    def _file(self, name: str, revision: str, path: str) -> None:
        repository = self._visible(name)
        if repository is None:
            return
        if repository.gated and name not in self.hub.accepts:
            status = 403 if self.headers.get("Authorization") else 401
            self._refuse(status, "GatedRepo", f"Access to model {name} is restricted.")
            return
        if repository.gated and self.headers.get("Authorization") is None:
            self._refuse(401, "GatedRepo", f"Access to model {name} is restricted.")
            return
        commit = repository.commit(revision)
        if commit is None:
            self._refuse(404, "RevisionNotFound", f"Invalid rev id: {revision}")
            return
        data = repository.commits[commit].get(path)
        headers = {"X-Repo-Commit": commit}
        if data is None:
            self._refuse(404, "EntryNotFound", "Entry not found", headers)
        elif path.endswith(_LARGE):
            digest = _sha256(data)
            headers |= {
                "Location": f"{self.hub.storage_url}/blobs/{digest}?signature=secret",
                "X-Linked-Etag": f'"{digest}"', "X-Linked-Size": str(len(data)),
            }  # fmt: skip
            self._send(302, b"", headers)
        else:
            self._send(200, data, {**headers, "ETag": f'"{_git(data)}"'})

    def _storage(self) -> None:
        found = self.hub.blob(self._path.rpartition("/")[2])
        if found is None:
            self._refuse(404, "", "no such blob")
            return
        if self.hub.expired:
            self.hub.expired -= 1
            self._refuse(403, "", "Request has expired")
            return
        path, data = found
        if path in self.hub.corrupt:
            data = data[:-1] + bytes([data[-1] ^ 1])
        match = None if self.hub.without_ranges else _RANGE.match(self.headers.get("Range", ""))
        if match is None:
            self._send(200, data, {}, path)
            return
        start = int(match[1])
        if start >= len(data):
            self._send(416, b"", {"Content-Range": f"bytes */{len(data)}"})
            return
        span = f"bytes {start}-{len(data) - 1}/{len(data)}"
        self._send(206, data[start:], {"Content-Range": span}, path)

    # -- sending -----------------------------------------------------------------------------

    def _json(self, value: Any, headers: dict[str, str] | None = None) -> None:
        body = json.dumps(value).encode()
        self._send(200, body, {"Content-Type": "application/json", **(headers or {})})

    def _refuse(
        self, status: int, code: str, message: str, headers: dict[str, str] | None = None
    ) -> None:
        more = dict(headers or {})
        if code:
            more["X-Error-Code"] = code
        if message:
            more["X-Error-Message"] = message
        if status == 429:
            more["Retry-After"] = self.hub.retry_after
        self._send(status, b"{}", more)

    def _send(
        self, status: int, body: bytes, headers: dict[str, str], path: str | None = None
    ) -> None:
        sent = {name.lower(): value for name, value in self.headers.items()}
        self.hub.seen.append(Seen(self.place, self.command, self.path, sent, status))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        cuts = self.hub.cut.get(path or "")
        whole = body
        if cuts:
            whole = body[: cuts.pop(0)]
        with contextlib.suppress(ConnectionError):
            for piece in _pieces(whole, self.hub.pace if path else None):
                self.wfile.write(piece)
                self.wfile.flush()
        if len(whole) != len(body):
            self.close_connection = True


def _pieces(data: bytes, pace: float | None) -> Iterator[bytes]:
    """Yield the data at once, or in pieces of a twentieth of a second."""
    if pace is None:
        yield data
        return
    size = max(1, int(pace / 20))
    for start in range(0, len(data), size):
        yield data[start : start + size]
        time.sleep(0.05)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _sha1(data: bytes) -> str:
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


def _git(data: bytes) -> str:
    """Return a blob's id in git."""
    return _sha1(f"blob {len(data)}\0".encode() + data)
