"""The child process of one download: fetches files into the Hugging Face cache, and nothing else.

It gets its work as one line of JSON on standard input, the token in it, so that no list of
processes shows it; and it ends at once when that pipe closes, whatever became of Venom. It prints a
line of JSON for each step; the last one says ``completed`` or carries the refusal.

The library's own ``hf_hub_download`` throws a half of a file away since 2.0. So the bytes are
brought by its ``http_get`` into ``blobs/<etag>.incomplete``, the name that it had for that, under
its lock; a later run goes on from there. A file gets its name in ``blobs`` after its digest was
checked, and only then does the library link it where others see it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from venom_core.sdk.disk import disk_errors, sha256_of, write_file
from venom_core.sdk.errors import RateLimited, StorageError, UpstreamError, VenomError
from venom_core.sdk.hub_files import COMMIT, size_of
from venom_hf.cache import CACHE
from venom_hf.refusals import digest_mismatch, refusal
from venom_hf.weights import RemoteFile, is_safe_name

ATTEMPTS = 4
#: The library's own steps are of 10 MB: so much would be lost with each end, and be told late.
STEP_BYTES = 256 * 1024
REPORT_SECONDS = 0.2
HEARTBEAT_SECONDS = 2.0
LOCK_SECONDS = 3600
_ETAG = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)
_TRANSIENT = (500, 502, 503, 504)
#: What a storage answers for an address that is no longer valid.
_REFUSED = (400, 401, 403, 404)


@dataclass(frozen=True, slots=True)
class Job:
    """Everything one download needs to know; ``folder`` is the repository's in the cache."""

    endpoint: str
    token: str | None
    timeout: float
    cache_dir: Path
    repo: str
    commit: str
    revision: str
    files: tuple[RemoteFile, ...]

    @classmethod
    def parse(cls, line: bytes) -> Job:
        values = json.loads(line)
        files = tuple(RemoteFile(**file) for file in values.pop("files"))
        return cls(**{**values, "cache_dir": Path(values["cache_dir"]), "files": files})

    @property
    def folder(self) -> Path:
        return self.cache_dir / f"models--{self.repo.replace('/', '--')}"


class Report:
    """Prints what goes on: at once where the stage changes, else now and then."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._said: dict[str, Any] = {}
        self.finished = 0
        self.current = 0
        self.stage = "pulling"
        self.file = ""

    def start(self) -> None:
        threading.Thread(target=self._go_on, daemon=True).start()

    def step(self, stage: str, file: str) -> None:
        self.stage, self.file = stage, file
        self.say(self._now())

    def say(self, words: Mapping[str, Any]) -> None:
        with self._lock:
            sys.stdout.write(json.dumps(words) + "\n")
            sys.stdout.flush()

    def _now(self) -> dict[str, Any]:
        return {"stage": self.stage, "file": self.file, "done": self.finished + self.current}

    def _go_on(self) -> None:
        last = time.monotonic()
        while True:
            time.sleep(REPORT_SECONDS)
            now = self._now()
            if now != self._said or time.monotonic() - last > HEARTBEAT_SECONDS:
                self._said, last = now, time.monotonic()
                self.say(now)


class Counted:
    """A file whose writes are counted as they come; what ``http_get`` does with one, no more."""

    def __init__(self, file: BinaryIO, report: Report) -> None:
        self._file = file
        self._report = report

    def write(self, data: bytes) -> int:
        written = self._file.write(data)
        self._report.current += written
        return written

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def truncate(self, size: int | None = None) -> int:
        length = self._file.truncate(size)
        self._report.current = length
        return length


class Fetcher:
    """Brings the files of one job into the cache."""

    def __init__(self, job: Job, report: Report) -> None:
        self._job = job
        self._report = report

    def run(self) -> None:
        for file in self._job.files:
            self._report.current = 0
            self._bring(file)
            self._report.finished += file.size_bytes
            self._report.current = 0
        self._point()

    def _bring(self, file: RemoteFile) -> None:
        """Fetch, check and link one file. Raises ``StorageError`` for a wrong digest."""
        job = self._job
        if not is_safe_name(file.name) or not COMMIT.fullmatch(job.commit):
            raise UpstreamError("Hugging Face names a file that cannot be used.")
        pointer = job.folder / "snapshots" / job.commit / file.name
        if size_of(pointer) == file.size_bytes:
            self._check(pointer, file)
            return
        self._report.step("pulling", file.name)
        etag = self._download(file)
        with disk_errors(CACHE):
            self._link(file)
        if size_of(pointer) != file.size_bytes:
            raise UpstreamError(f"Hugging Face sent another file than {file.name}, {etag}.")

    def _download(self, file: RemoteFile) -> str:
        """Bring the file's blob; gives its name."""
        from huggingface_hub.utils import WeakFileLock

        job = self._job
        said = self._asked(file)
        etag = said.etag or ""
        if not _ETAG.fullmatch(etag) or said.size not in (None, file.size_bytes):
            raise UpstreamError("Hugging Face contradicts its own listing.", fix="Fetch it again.")
        blob = job.folder / "blobs" / etag
        lock = job.cache_dir / ".locks" / job.folder.name / f"{etag}.lock"
        with disk_errors(CACHE):
            blob.parent.mkdir(parents=True, exist_ok=True)
            lock.parent.mkdir(parents=True, exist_ok=True)
        with WeakFileLock(lock, timeout=LOCK_SECONDS):
            if size_of(blob) == file.size_bytes:
                self._check(blob, file)
                return etag
            part = blob.with_name(f"{etag}.incomplete")
            self._transfer(said.location, part, file)
            self._check(part, file)
            with disk_errors(CACHE):
                os.replace(part, blob)
        return etag

    def _transfer(self, url: str, part: Path, file: RemoteFile) -> None:
        """Bring ``part`` to the file's size, going on from what it holds."""
        for attempt in range(1, ATTEMPTS + 1):
            have = size_of(part)
            if have > file.size_bytes:
                part.unlink()
                have = 0
            self._report.current = have
            if have == file.size_bytes and part.exists():
                return
            try:
                with disk_errors(CACHE), part.open("r+b" if have else "wb") as target:
                    target.seek(have)
                    self._get(url, target, have, file)
                    target.flush()
                    os.fsync(target.fileno())
            except (StorageError, RateLimited):
                raise
            except Exception as error:
                elsewhere = _origin(url) != _origin(self._job.endpoint)
                refused = elsewhere and _status(error) in _REFUSED
                if _status(error) == 416:
                    part.unlink(missing_ok=True)
                elif attempt == ATTEMPTS and refused:
                    raise UpstreamError(
                        "The storage behind Hugging Face refuses the download.",
                        fix="Fetch it again: it goes on from there.",
                    ) from error
                elif attempt == ATTEMPTS or not (refused or _worth_another_try(error)):
                    raise
                time.sleep(attempt)
                url = self._asked(file).location  # the storage's addresses hold for an hour

    def _asked(self, file: RemoteFile) -> Any:
        """Return what the Hub says of a file now: digest, size, address."""
        from huggingface_hub import get_hf_file_metadata, hf_hub_url

        job = self._job
        url = hf_hub_url(job.repo, file.name, revision=job.commit, endpoint=job.endpoint)
        return get_hf_file_metadata(
            url, token=job.token or False, timeout=job.timeout, endpoint=job.endpoint
        )

    def _get(self, url: str, target: BinaryIO, have: int, file: RemoteFile) -> None:
        from huggingface_hub.file_download import http_get
        from huggingface_hub.utils import build_hf_headers

        # The token is for the endpoint; where that points at another place, it stays behind.
        mine = _origin(url) == _origin(self._job.endpoint)
        headers = build_hf_headers(token=(self._job.token if mine else None) or False)
        http_get(
            url,
            Counted(target, self._report),  # type: ignore[arg-type]
            resume_size=have,
            headers={**headers, "Accept-Encoding": "identity"},
            expected_size=file.size_bytes,
        )

    def _check(self, path: Path, file: RemoteFile) -> None:
        """Compare the digest; what is wrong is removed before anybody can see it."""
        self._report.current = file.size_bytes
        self._report.step("verifying", file.name)
        with disk_errors(CACHE):
            right = is_what_it_says(path) if _is_weights(file) else True
            right = right and digest_of(path, file) in (file.sha256 or file.git, None)
            if not right:
                Path(os.path.realpath(path)).unlink(missing_ok=True)
                path.unlink(missing_ok=True)
        if not right:
            raise digest_mismatch(file.name)

    def _link(self, file: RemoteFile) -> None:
        """Let the library put the blob where every program looks for it."""
        from huggingface_hub import hf_hub_download

        job = self._job
        hf_hub_download(
            job.repo,
            file.name,
            revision=job.commit,
            cache_dir=job.cache_dir,
            endpoint=job.endpoint,
            token=job.token or False,
            etag_timeout=job.timeout,
        )

    def _point(self) -> None:
        """Let the asked revision stand for the commit, now that all of it is there."""
        if COMMIT.fullmatch(self._job.revision):
            return
        place = self._job.folder / "refs" / self._job.revision
        with disk_errors(CACHE):
            place.parent.mkdir(parents=True, exist_ok=True)
            write_file(place, self._job.commit, mode=0o666)


def digest_of(path: Path, file: RemoteFile) -> str | None:
    """Return the digest by which the Hub knows the file: sha256 of a large one, git's id of a small
    one; None where the Hub said none."""
    if file.sha256:
        return sha256_of(path)
    if not file.git:
        return None
    content = path.read_bytes()
    header = f"blob {len(content)}\0".encode()
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()


def is_what_it_says(path: Path) -> bool:
    """Return whether weights begin as their format does: a renamed pickle does not."""
    with path.open("rb") as opened:
        head = opened.read(9)
    length = int.from_bytes(head[:8], "little")
    return head[:4] == b"GGUF" or (length < 100_000_000 and head[8:9] == b"{")


def _is_weights(file: RemoteFile) -> bool:
    return file.name.lower().endswith((".safetensors", ".gguf"))


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _status(error: BaseException) -> int | None:
    status = getattr(getattr(error, "response", None), "status_code", None)
    return status if isinstance(status, int) else None


def _worth_another_try(error: Exception) -> bool:
    status = _status(error)
    return status is None or status in _TRANSIENT


def watch_the_pipe() -> None:
    """End with Venom: the pipe closes when it goes, by whatever end."""
    while os.read(0, 4096):
        pass
    os._exit(3)


def first_line() -> bytes:
    line = bytearray()
    while not line.endswith(b"\n"):
        piece = os.read(0, 65536)
        if not piece:
            os._exit(3)
        line += piece
    return bytes(line)


def prepare_the_library() -> None:
    """Set small steps, and no sleep for as long as a 429 says: people decide for themselves."""
    from huggingface_hub import constants, get_session

    constants.DOWNLOAD_CHUNK_SIZE = STEP_BYTES

    def tell(response: Any) -> None:
        if response.status_code == 429:
            response.read()
            raise _limited(response)

    get_session().event_hooks["response"].append(tell)


def _limited(response: Any) -> VenomError:
    error = Exception()
    error.response = response  # type: ignore[attr-defined]
    return refusal(error)


def main() -> int:
    job = Job.parse(first_line())
    threading.Thread(target=watch_the_pipe, daemon=True).start()
    report = Report()
    report.start()
    try:
        prepare_the_library()
        Fetcher(job, report).run()
    except BaseException as error:
        told = refusal(error, job.repo)
        frames = [
            f"{Path(frame.filename).name}:{frame.lineno}"
            for frame in traceback.extract_tb(error.__traceback__)[-6:]
        ]
        report.say(
            {
                "refused": told.whole(),
                "where": [type(error).__name__, *frames],
            }
        )  # fmt: skip
        return 1
    report.say({"completed": True})
    return 0


if __name__ == "__main__":
    # Threads that are still in a read must not hold up the end.
    code = main()
    sys.stdout.flush()
    os._exit(code)
