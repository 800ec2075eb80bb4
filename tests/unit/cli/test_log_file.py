"""The log's file: its two formats, its bounds, and a disk that is full."""

from __future__ import annotations

import json
import logging
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest

from venom_core.cli import log_file as log_file_module
from venom_core.cli.log_lines import JsonLines, TextLines
from venom_core.cli.logs import begin_logging, end_logging, log_file
from venom_core.sdk.masking import forget_secret, keep_secret
from venom_core.sdk.request_ids import CURRENT, accept
from venom_core.settings.paths import Paths

SECRET = "sk-of-somebody-4711"
FULL = Path("/dev/full")


@contextmanager
def logging_to(paths: Paths, form: str | None, level: str = "info") -> Iterator[logging.Logger]:
    begin_logging(paths, level, form=form)
    try:
        yield logging.getLogger("a.plugin")
    finally:
        end_logging()


def entries(paths: Paths) -> list[dict[str, object]]:
    return [json.loads(line) for line in log_file(paths).read_text().split("\n") if line]


@pytest.fixture
def _one_secret() -> Iterator[None]:
    keep_secret(SECRET)
    yield
    forget_secret(SECRET)


@pytest.mark.usefixtures("_one_secret")
@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("plain", "plain"),
        ("żółw", "żółw"),
        ("two\nlines\t1", "two\nlines\t1"),
        ("\x1b[31mred\x9b", "\x1b[31mred\x9b"),
        (f"it sent {SECRET}", "it sent ********"),
        ('"},{"level":"error', '"},{"level":"error'),
    ],
    ids=["plain", "letters", "lines", "escapes", "a secret", "json"],
)
def test_a_line_is_one_object_and_nothing_of_it_moves_a_terminal(
    paths: Paths, said: str, shown: str
) -> None:
    with logging_to(paths, "json") as log:
        log.info("%s", said)
        try:
            raise ValueError(said)
        except ValueError:
            log.exception("it failed")
    text = log_file(paths).read_text()
    first, second = entries(paths)
    assert list(first) == ["time", "level", "logger", "message", "request_id"]
    assert (first["level"], first["logger"], first["message"]) == ("info", "a.plugin", shown)
    assert str(first["time"]).endswith("Z") and datetime.fromisoformat(str(first["time"]))
    assert (second["level"], second["message"]) == ("error", "it failed")
    assert str(second["exception"]).startswith("Traceback") and "ValueError" in str(second)
    assert text.count("\n") == 2 and not {"\x1b", "\x9b"} & set(text) and SECRET not in text


def test_half_a_character_is_written_as_an_escape() -> None:
    record = logging.LogRecord("a", logging.INFO, "", 0, "half \ud800", None, None)
    for lines in (TextLines(), JsonLines()):
        assert "\\ud800" in lines.format(record).encode().decode()


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_line_names_the_request_that_it_is_about(paths: Paths, form: str) -> None:
    with logging_to(paths, form) as log:
        log.info("before")
        token = CURRENT.set("mine-1")
        log.info("within")
        CURRENT.reset(token)
    text = log_file(paths).read_text()
    if form == "json":
        assert [entry["request_id"] for entry in entries(paths)] == [None, "mine-1"]
    else:
        before, within = text.splitlines()
        assert before.endswith("INFO a.plugin: before")
        assert within.endswith("INFO a.plugin: [mine-1] within")


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("mine-1", True), ("a" * 64, True), ("a" * 65, False), ("", False), (None, False),
        ("x\ny", False), ("é", False), ("a b", False), ("x;y", False), ("mine-1\n", False),
    ],
)  # fmt: skip
def test_an_id_is_taken_where_it_is_harmless(given: str | None, taken: bool) -> None:
    found = accept(given)
    assert (found == given) is taken
    assert taken or found.startswith("req-")


@pytest.mark.parametrize(
    ("env", "kind"), [({}, TextLines), ({"VENOM_LOG_FORMAT": "json"}, JsonLines)]
)
def test_a_command_writes_as_the_settings_say(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, env: dict[str, str], kind: type
) -> None:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    with logging_to(paths, None) as log:
        log.warning("of a command")
    line = log_file(paths).read_text().strip()
    assert line.startswith("{") is (kind is JsonLines) and "of a command" in line


def test_settings_that_cannot_be_read_stop_no_line(paths: Paths) -> None:
    paths.make(paths.home)
    paths.config_file.write_text("this is no TOML")
    with logging_to(paths, None) as log:
        log.warning("of a command")
    assert "WARNING a.plugin: of a command" in log_file(paths).read_text()


def test_the_log_is_bounded_and_its_owner_s(paths: Paths, monkeypatch) -> None:
    monkeypatch.setattr(log_file_module, "MAX_BYTES", 4000)
    with logging_to(paths, "json") as log:
        for number in range(200):
            log.info("%s", f"{number:04} " + "x" * 90)
    files = sorted(paths.logs_dir.iterdir())
    assert [file.name for file in files] == ["venom.log", "venom.log.1"]
    assert all(file.stat().st_size <= 4000 for file in files)
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert str(entries(paths)[-1]["message"]).startswith("0199")


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("form", ["text", "json"])
def test_a_full_disk_loses_lines_and_is_told_once(paths: Paths, capsys, form: str) -> None:
    paths.make(paths.logs_dir)
    log_file(paths).symlink_to(FULL)
    with logging_to(paths, form) as log:
        for number in range(3):
            log.error("%d", number)
    told = capsys.readouterr().err
    assert told.count("cannot be written") == 1 and "No space left on device" in told
    assert "Traceback" not in told and "Logging error" not in told


def test_room_again_and_the_log_says_what_it_lacks(paths: Paths, monkeypatch, capsys) -> None:
    with logging_to(paths, "text") as log:
        log.info("first")
        write = log_file_module._Lines.write
        torn = iter([True, False, False])

        def full(self: object, text: str) -> int:
            if next(torn):  # half of it came to the disk, as write(2) does it
                os.write(self.fileno(), text.encode()[:10])  # type: ignore[attr-defined]
                self._torn = True  # type: ignore[attr-defined]
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(log_file_module._Lines, "write", full)
        for _ in range(3):
            log.info("lost")
        monkeypatch.setattr(log_file_module._Lines, "write", write)
        log.info("again")
        log.info("last")
    lines = log_file(paths).read_text().splitlines()
    assert [line.rpartition(": ")[2] for line in lines if len(line) > 10] == [
        "first",
        "again",
        "3",
        "last",
    ]
    assert len(lines) == 5, "the torn line stands alone"
    assert capsys.readouterr().err.count("cannot be written") == 1


def test_a_screen_that_is_gone_stops_nothing(paths: Paths, monkeypatch, capsys) -> None:
    class Gone:
        def write(self, text: str) -> int:
            raise BrokenPipeError(32, "Broken pipe")

        flush = write

    monkeypatch.setattr("sys.stderr", Gone())
    begin_logging(paths, "info", to_stderr=True, form="text")
    try:
        logging.getLogger("a.plugin").error("it failed")
    finally:
        monkeypatch.undo()
        end_logging()
    assert "it failed" in log_file(paths).read_text() and capsys.readouterr().err == ""
