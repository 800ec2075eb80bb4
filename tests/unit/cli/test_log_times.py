"""`venom logs --since`: lines of people, objects and engines, each with its time."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest

from tests.unit.cli.conftest import Cli
from venom_core.cli.exit_codes import ExitCode
from venom_core.cli.log_times import Since, has_times, not_older
from venom_core.settings.paths import Paths

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


def at(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)


FORMS: dict[str, Callable[[datetime], str]] = {
    "text": lambda moment: f"{moment.astimezone():%Y-%m-%d %H:%M:%S},123 INFO a: said",
    "json": lambda moment: json.dumps(
        {"time": f"{moment:%Y-%m-%dT%H:%M:%S}.123Z", "level": "info"}
    ),
    "engine": lambda moment: f"{moment:%Y-%m-%dT%H:%M:%S}.123Z mine-1 POST /v1/embeddings 200",
}


@pytest.mark.parametrize("form", FORMS)
def test_what_is_not_older(form: str) -> None:
    write = FORMS[form]
    old, new = (
        [write(at(0)), "    of the old one"],
        [write(at(10)), "    of the new one", write(at(20))],
    )
    lines = ["before any time", *old, *new]
    assert has_times(lines)
    assert list(not_older(lines, at(5))) == new
    assert list(not_older(lines, at(10) + timedelta(microseconds=999))) == new
    assert list(not_older(lines, at(-5))) == [*old, *new]
    assert list(not_older(lines, at(30))) == []


@pytest.mark.parametrize("line", ["", "plain", "2026-13-45 99:00:00,000 x", "{}", "12:00:00 x"])
def test_a_line_without_a_time(line: str) -> None:
    assert not has_times([line])


@pytest.mark.parametrize(
    ("given", "back"),
    [
        ("90s", timedelta(seconds=90)), ("10m", timedelta(minutes=10)), ("2h", timedelta(hours=2)),
        ("3d", timedelta(days=3)),
    ],
)  # fmt: skip
def test_a_distance_is_counted_from_now(given: str, back: timedelta) -> None:
    before = datetime.now(UTC)
    found = Since().convert(given, None, None)
    assert before <= found + back <= datetime.now(UTC)


def test_a_moment_is_local_unless_it_says_otherwise() -> None:
    assert Since().convert("2026-11-28T12:00Z", None, None) == NOON
    local = f"{NOON.astimezone():%Y-%m-%dT%H:%M}"
    assert Since().convert(local, None, None) == NOON


@pytest.mark.parametrize("given", ["", "soon", "10", "10y", "-5m", "999999d", "2026-99-99", "٣m"])
def test_what_is_no_time(given: str) -> None:
    with pytest.raises(click.BadParameter):
        Since().convert(given, None, None)


def written(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_the_command(cli: Cli, paths: Paths) -> None:
    now = datetime.now(UTC)
    lines = [FORMS["text"](now - timedelta(days=1)) for _ in range(3)]
    lines += [FORMS["text"](now) + f" {number}" for number in range(70)]
    written(paths.logs_dir / "venom.log", "\n".join(lines) + "\n")
    assert cli("logs", "--since", "1h").out.splitlines() == lines[3:], "and not 50 of them"
    assert cli("logs", "--since", "1h", "-n", "2").out.splitlines() == lines[-2:]
    assert json.loads(cli("logs", "--since", "2d", "--json").out)["lines"] == lines
    written(paths.logs_dir / "venom.log", lines[0] + "\n")
    assert "Nothing was written since then" in cli("logs", "--since", "1h").out
    assert cli("logs", "--since", "soon").code == ExitCode.USAGE


def test_a_log_without_times_is_refused(cli: Cli, paths: Paths) -> None:
    written(paths.providers_dir / "llamacpp" / "engines" / "m.log", "loaded\n")
    for command in (("logs", "m"), ("engines", "logs", "m")):
        done = cli(*command, "--since", "1h")
        assert done.code == ExitCode.USAGE and "log_without_times" in done.err
        assert cli(*command).out == "loaded\n"
