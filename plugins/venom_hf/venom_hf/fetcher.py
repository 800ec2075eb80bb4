"""The child process of one download: fetches files into the Hugging Face cache, and nothing else.

It gets its work as one line of JSON on standard input, the token in it, so that no list of
processes shows it; and it ends at once when that pipe closes, whatever became of Venom. It prints a
line of JSON for each step; the last one says ``completed`` or carries the refusal.

The library's own ``hf_hub_download`` throws a half of a file away since 2.0. So the bytes are
brought into ``blobs/<etag>.incomplete``, the name that it had for that, under its lock; a later run
goes on from there. A file gets its name in ``blobs`` after its digest was checked, and only then
does the library link it where others see it.
"""

from __future__ import annotations

import asyncio
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
from typing import Any

from venom_core.sdk.disk import disk_errors, write_file
from venom_core.sdk.errors import UpstreamError
from venom_core.sdk.hub_download import (
    ANOTHER_PROGRAM,
    HubConnections,
    HubDownload,
    HubFile,
    check_digest,
    rate_limited,
    reject,
)
from venom_core.sdk.hub_files import COMMIT, size_of
from venom_hf.cache import CACHE
from venom_hf.refusals import refusal
from venom_hf.weights import is_safe_name

REPORT_SECONDS = 0.2
HEARTBEAT_SECONDS = 2.0
LOCK_SECONDS = 3600
_ETAG = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)


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
    files: tuple[HubFile, ...]

    @classmethod
    def parse(cls, line: bytes) -> Job:
        values = json.loads(line)
        files = tuple(HubFile(**file) for file in values.pop("files"))
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


class Fetcher:
    """Brings the files of one job into the cache."""

    def __init__(self, job: Job, report: Report) -> None:
        self._job = job
        self._report = report
        self._runner = asyncio.Runner()
        self._hub = HubConnections(job.endpoint, job.token, read_timeout=job.timeout)

    def run(self) -> None:
        for file in self._job.files:
            self._report.current = 0
            self._bring(file)
            self._report.finished += file.size_bytes
            self._report.current = 0
        self._point()

    def _bring(self, file: HubFile) -> None:
        """Fetch, check and link one file. Raises ``StorageError`` for a wrong digest."""
        job = self._job
        if not is_safe_name(file.name) or not COMMIT.fullmatch(job.commit):
            raise UpstreamError(
                "Hugging Face names a file that cannot be used.", fix=ANOTHER_PROGRAM
            )
        pointer = job.folder / "snapshots" / job.commit / file.name
        if size_of(pointer) == file.size_bytes:
            self._check(pointer, file)
            return
        self._report.step("pulling", file.name)
        etag = self._download(file)
        with disk_errors(CACHE):
            self._link(file)
        if size_of(pointer) != file.size_bytes:
            raise UpstreamError(
                f"Hugging Face sent another file than {file.name}, {etag}.", fix=ANOTHER_PROGRAM
            )

    def _download(self, file: HubFile) -> str:
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
            self._runner.run(self._transfer(part, file))
            self._check(part, file)
            with disk_errors(CACHE):
                os.replace(part, blob)
        return etag

    async def _transfer(self, part: Path, file: HubFile) -> None:
        """Bring ``part`` to the file's size, going on from what it holds."""
        download = HubDownload(self._hub, self._address(file), file, part, place=CACHE)
        async for have in download.steps():
            self._report.current = have

    def _address(self, file: HubFile) -> str:
        from huggingface_hub import hf_hub_url

        job = self._job
        return hf_hub_url(job.repo, file.name, revision=job.commit, endpoint=job.endpoint)

    def _asked(self, file: HubFile) -> Any:
        """Return what the Hub says of a file now: digest, size, address."""
        from huggingface_hub import get_hf_file_metadata

        job = self._job
        return get_hf_file_metadata(
            self._address(file), token=job.token or False, timeout=job.timeout,
            endpoint=job.endpoint,
        )  # fmt: skip

    def _check(self, path: Path, file: HubFile) -> None:
        """Compare the digest; what is wrong is removed before anybody can see it."""
        self._report.current = file.size_bytes
        self._report.step("verifying", file.name)
        with disk_errors(CACHE):
            right = is_what_it_says(path) if _is_weights(file) else True
        if not right:
            raise reject(path, file.name, CACHE)
        check_digest(path, file, CACHE)

    def _link(self, file: HubFile) -> None:
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


def is_what_it_says(path: Path) -> bool:
    """Return whether weights begin as their format does: a renamed pickle does not."""
    with path.open("rb") as opened:
        head = opened.read(9)
    length = int.from_bytes(head[:8], "little")
    return head[:4] == b"GGUF" or (length < 100_000_000 and head[8:9] == b"{")


def _is_weights(file: HubFile) -> bool:
    return file.name.lower().endswith((".safetensors", ".gguf"))


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
    """Set no sleep for as long as a 429 says: people decide for themselves."""
    from huggingface_hub import get_session

    def tell(response: Any) -> None:
        if response.status_code == 429:
            response.read()
            raise rate_limited(response.headers.get("Retry-After"))

    get_session().event_hooks["response"].append(tell)


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
