"""Tables and times for people: as wide as the terminal, whole in a pipe, wide letters counted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from rich.cells import cell_len

from tests.unit.cli.terminals import on_terminal
from venom_core.cli.dates import spoken
from venom_core.cli.tables import laid_out, wrapped
from venom_core.settings.paths import Paths
from venom_core.store.database import open_database
from venom_core.store.sessions import Message, Owner, SessionRepository

HEADERS = ("NAME", "PROVIDER", "SIZE", "CONTEXT", "CAN")
ROWS = (
    ("gemma3-270m-base *", "llamacpp", "253 MB", "32768", "chat, complete"),
    ("模型-中文名字:4b", "ollama", "3.3 GB", "131072", "chat, complete, tools, vision, embeddings"),
    ("hf.co/ggml-org/gemma-3-1b-it-GGUF:Q4_K_M-and-more-letters", "ollama", "1 GB", "-", "-"),
)
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


def squeezed(lines: Sequence[str]) -> str:
    return re.sub(r"\s", "", "".join(lines))


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120, 200])
@pytest.mark.parametrize("columns", [1, 2, 5])
def test_no_line_is_wider_than_the_terminal_and_nothing_is_lost(width: int, columns: int) -> None:
    rows = [row[:columns] for row in ROWS]
    lines = [line.text for line in laid_out(HEADERS[:columns], rows, width)]
    assert max(map(cell_len, lines)) <= width
    shown = sorted(squeezed(lines))
    for cell in (cell for row in rows for cell in row):
        for letter in set(re.sub(r"\s", "", cell)):
            assert shown.count(letter) >= sum(squeezed(row).count(letter) for row in rows)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_name_that_has_room_is_in_one_piece(width: int) -> None:
    lines = [line.text for line in laid_out(HEADERS, ROWS[:2], width)]
    assert any(line.startswith("gemma3-270m-base") for line in lines)
    assert any(line.startswith("模型-中文名字:4b") for line in lines)


def test_in_a_pipe_each_row_is_one_whole_line() -> None:
    head, *rows = [line.text for line in laid_out(HEADERS, ROWS, None)]
    assert [re.split(r"\s{2,}", row) for row in rows] == [list(row) for row in ROWS]
    starts = {
        cell_len(row[: row.index(provider)])
        for row, (_, provider, *_) in zip(rows, ROWS, strict=False)
    }
    assert starts == {head.index("PROVIDER")}  # the wide letters are counted twice


def test_too_narrow_columns_become_a_block_for_each_row() -> None:
    lines = laid_out(HEADERS, ROWS[:1], 40)
    assert [line.text for line in lines][:2] == ["gemma3-270m-base *", "  PROVIDER  llamacpp"]
    assert [line.strong for line in lines][:2] == [True, False]


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("a bb ccc", 4, ["a bb", "ccc"]),
        ("", 10, [""]),
        ("abcdef", 4, ["abcd", "ef"]),
        ("中文中文", 4, ["中文", "中文"]),
        ("中文中", 5, ["中文", "中"]),
        ("中文", 1, ["中", "文"]),
        ("one  two", 20, ["one  two"]),
    ],
)
def test_wrapping(text: str, width: int, lines: list[str]) -> None:
    assert wrapped(text, width) == lines


@pytest.fixture
def conversations(tmp_path: Path) -> Path:
    paths = Paths.at(tmp_path / "home")
    paths.make(paths.home)
    repository = SessionRepository(open_database(paths.store_file))
    first = Message("user", "What?")
    answer = Message("assistant", "That.", first.id, "scripted://m")
    title = "Eine lange Überschrift über 中文 und alles, was darin gesagt wurde, bis zum Ende"
    identifier = "0f9c2d6a-1111-2222-3333-444455556666"
    repository.create(Owner(), identifier, title, [first, answer])
    return paths.home


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
def test_a_command_on_a_terminal_of_that_width(conversations: Path, columns: int) -> None:
    with on_terminal(conversations, "sessions", COLUMNS=str(columns)) as terminal:
        terminal.process.wait(60)
        shown = terminal.until("just now")
    lines = [ESCAPES.sub("", line).rstrip("\r") for line in shown.split("\n")]
    assert max(map(cell_len, lines)) <= columns
    assert "Ende" in shown and "0f9c2d6a" in shown and "0f9c2d6a-1111" not in shown


def test_the_same_command_in_a_pipe(cli, monkeypatch, conversations: Path) -> None:
    monkeypatch.setenv("VENOM_HOME", str(conversations))
    monkeypatch.setenv("COLUMNS", "40")
    _head, row = cli("sessions").out.splitlines()
    assert row.startswith("0f9c2d6a-1111-2222-3333-444455556666  Eine") and "Ende  2" in row


WARSAW = timezone(timedelta(hours=1))
NOW = datetime(2026, 11, 26, 12, 30, tzinfo=WARSAW)


@pytest.fixture
def _in_warsaw(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "XXX-1")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("_in_warsaw")
@pytest.mark.parametrize(
    ("moment", "english", "polish"),
    [
        ("2026-11-26T11:29:30.000Z", "just now", "przed chwilą"),
        ("2026-11-26T11:30:20Z", "just now", "przed chwilą"),
        ("2026-11-26T11:29:00Z", "1 minute ago", "minutę temu"),
        ("2026-11-26T11:08:00Z", "22 minutes ago", "22 minuty temu"),
        ("2026-11-26T11:18:00Z", "12 minutes ago", "12 minut temu"),
        ("2026-11-26T10:00:00Z", "1 hour ago", "godzinę temu"),
        ("2026-11-26T09:30:00+00:00", "2 hours ago", "2 godziny temu"),
        ("2026-11-26T09:30:00", "2 hours ago", "2 godziny temu"),
        # By the clock of whoever reads: 23:30 UTC is half past midnight here.
        ("2026-11-25T23:30:00Z", "12 hours ago", "12 godzin temu"),
        ("2026-11-25T22:30:00Z", "yesterday", "wczoraj"),
        ("2026-11-24T23:00:00Z", "yesterday", "wczoraj"),
        ("2026-11-24T22:59:00Z", "2 days ago", "2 dni temu"),
        ("2026-11-20T12:00:00Z", "6 days ago", "6 dni temu"),
        ("2026-11-18T23:30:00Z", "19 Nov 2026", "19 lis 2026"),
        ("2025-05-01T10:00:00Z", "1 May 2025", "1 maj 2025"),
        ("2026-11-26T11:35:30Z", "in 5 minutes", "za 5 minut"),
        ("2026-11-26T13:31:00Z", "in 2 hours", "za 2 godziny"),
        ("2026-11-27T11:30:00Z", "tomorrow", "jutro"),
        ("2026-11-29T11:30:00Z", "in 3 days", "za 3 dni"),
        ("soon", "soon", "soon"),
        ("", None, None),
        (None, None, None),
    ],
)
def test_times_as_people_say_them(
    moment: str | None, english: str | None, polish: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert spoken(moment, NOW) == english
    monkeypatch.setenv("LC_ALL", "pl_PL.UTF-8")
    assert spoken(moment, NOW) == polish


def test_an_hour_before_midnight_is_said_in_hours_right_after_it() -> None:
    past_midnight = datetime(2026, 11, 26, 0, 30).astimezone()
    assert (
        spoken("2026-11-25T23:00:00" + past_midnight.strftime("%z"), past_midnight) == "1 hour ago"
    )
