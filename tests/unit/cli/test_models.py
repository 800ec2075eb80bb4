"""`venom list`, `ps`, `show`, `rm`, `stop`, `pull`."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from venom_core.cli import terminal
from venom_core.cli.exit_codes import ExitCode
from venom_core.sdk.architecture import Architecture, Measured, MemoryPlan
from venom_core.sdk.errors import StorageError
from venom_core.sdk.memory_estimate import ggml_compute_bytes
from venom_core.sdk.provider import Model, PullProgress
from venom_core.testing import scripted
from venom_core.testing.deadlines import patience
from venom_core.testing.scripted import PULLS, SCRIPTS, Pause, Script, say


@pytest.fixture(autouse=True)
def _models() -> None:
    SCRIPTS["city"] = Script(
        say("x"),
        Model(
            "city",
            "folder",
            capabilities=frozenset({"chat"}),
            size_bytes=253_113_024,
            context_length=4096,
            instruct=False,
            defaults={"stop": ["\n"]},
            details={"layers": 18},
            license="None",
        ),
    )
    SCRIPTS["offered"] = Script([], Model("offered", "folder", size_bytes=98_000_000,
                                          installed=False, summary="For talk."))  # fmt: skip


def test_list_shows_what_is_installed_and_marks_the_default(cli) -> None:
    done = cli("list")
    header, *rows = done.out.splitlines()
    assert header.split() == ["NAME", "PROVIDER", "SIZE", "CONTEXT", "CAN"]
    assert rows == ["city *  scripted  253 MB  4096     chat"]


def test_list_json_is_the_record_of_the_api(cli) -> None:
    record = json.loads(cli("list", "--json").out)
    assert record["count"] == 1 and record["models"][0]["reference"] == "scripted://city"
    assert [model["name"] for model in record["available"]] == ["offered"]


def test_list_available_shows_sizes_and_commands(cli) -> None:
    out = cli("list", "--available").out
    assert "offered" in out and "98 MB" in out and "venom pull offered" in out
    suggestions = json.loads(cli("list", "--available", "--json").out)["suggestions"]
    assert "offered" in [found["name"] for found in suggestions]


def test_an_empty_list_says_what_to_do(cli) -> None:
    SCRIPTS.clear()
    assert "venom list --available" in cli("list").out


def test_ps(cli) -> None:
    assert "scripted://city" in cli("ps").out
    assert json.loads(cli("ps", "--json").out)["models"][0]["size_bytes"] == 1000
    SCRIPTS.clear()
    assert cli("ps").out == "No model is in memory.\n"


def test_show(cli) -> None:
    out = cli("show", "city").out
    for text in ("scripted://city", "253 MB", "4096", "a base model", 'stop = ["\\n"]', "18"):
        assert text in out
    model = json.loads(cli("show", "city", "--json").out)["model"]
    assert model["parameters"] == {"stop": ["\n"]} and model["details"] == {"layers": 18}


def test_show_says_whether_it_fits(cli) -> None:
    assert "Whether city fits is not known" in cli("show", "city").out
    fit = json.loads(cli("show", "city", "--json").out)["fit"]
    assert fit["verdict"] == "unknown" and fit["parts"] is None
    numbers = Architecture(
        "llama", layers=2, heads=1, kv_heads=(1, 1), key_length=64, value_length=64,
        vocabulary=100, embedding_length=64, weights_bytes=1_000_000, context_length=2048,
    )  # fmt: skip
    measured = Measured(0.01, 0.05, 3, "Real loads.")
    plan = MemoryPlan(
        "an engine", context_length=1024, compute=ggml_compute_bytes, measured=measured
    )
    known = replace(SCRIPTS["city"].model, architecture=numbers, memory_plan=plan)
    SCRIPTS["known"] = Script(say("x"), replace(known, ref="known"))
    out = " ".join(cli("show", "known", "--context", "2048").out.split())
    assert "known fits: it needs" in out and "at a context of 2048 tokens" in out
    assert "Counted: weights 1 MB" in out and "at most 5% off: Real loads." in out
    assert cli("show", "known", "--context", "2049").code == ExitCode.USAGE


def test_show_of_a_model_that_is_not_fetched(cli) -> None:
    assert "For talk." in cli("show", "offered").out


def test_rm_without_a_terminal_needs_yes(cli) -> None:
    done = cli("rm", "city")
    assert done.code == ExitCode.USAGE and "--yes" in done.err and "city" in SCRIPTS
    assert cli("rm", "city", "--json").code == ExitCode.USAGE
    assert "city" in SCRIPTS


@pytest.mark.parametrize(("answer", "gone"), [("y\n", True), ("\n", False), ("", False)])
def test_rm_asks_on_a_terminal(cli, monkeypatch, answer: str, gone: bool) -> None:
    import io

    monkeypatch.setattr(terminal, "is_terminal", lambda stream: True)
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    done = cli("rm", "city")
    assert ("city" not in SCRIPTS) is gone
    assert "253 MB" in done.err
    assert done.code == (0 if gone else ExitCode.USAGE)


def test_rm_yes(cli) -> None:
    done = cli("rm", "city", "--yes", "--json")
    assert json.loads(done.out)["success"] and "city" not in SCRIPTS


def test_rm_of_what_is_not_there(cli) -> None:
    assert cli("rm", "nothing", "--yes").code == ExitCode.NOT_FOUND


def test_stop(cli) -> None:
    done = cli("stop", "city")
    assert done.out == "scripted://city is no longer in memory.\n"
    assert "unload city" in scripted.SEEN.calls


def steps(*percents: int) -> list[PullProgress]:
    return [PullProgress("pulling", "Fetching", percent, 100) for percent in percents]


def test_pull_prints_plain_lines_off_a_terminal(cli, monkeypatch) -> None:
    # Each step is shown, and asked for many times while it is.
    monkeypatch.setattr("venom_core.models.operations.SAVE_SECONDS", 0.0)
    monkeypatch.setattr("venom_core.cli.connection.interface.POLL_SECONDS", 0.01)
    PULLS["offered"] = [
        *(
            part
            for percent in (0, 1, 2, 40, 41)
            for part in (*steps(percent), Pause(patience(0.15)))
        ),
        PullProgress("completed", "It is ready", 100, 100),
    ]
    done = cli("pull", "offered")
    assert (done.code, done.out) == (0, "")
    # Between the last byte and the end there is a moment that may be seen or not.
    lines = [line for line in done.err.splitlines() if "99 %" not in line]
    assert lines == [
        "offered: 0 %, 0 B of 1 kB, Fetching",
        "offered: 40 %, 1 kB of 1 kB, Fetching",
        "offered: 100 %, 1 kB of 1 kB, It is ready",
    ]
    assert "\r" not in done.err and "\x1b" not in done.err


def test_pull_json_is_one_document(cli) -> None:
    PULLS["offered"] = [*steps(10), PullProgress("completed", "It is ready", 100, 100)]
    record = json.loads(cli("pull", "offered", "--json").out)
    assert (record["name"], record["status"], record["progress"]) == ("offered", "completed", 100)


@pytest.mark.parametrize(
    ("last", "code"),
    [
        (StorageError("The disk is full.", code="disk_full"), ExitCode.STORAGE),
        (Pause(0), ExitCode.UNAVAILABLE),  # it just ends
    ],
)
def test_a_pull_that_fails_is_a_failure(cli, last: object, code: int) -> None:
    PULLS["offered"] = [*steps(10), last]  # type: ignore[list-item]
    assert cli("pull", "offered").code == code


def test_ctrl_c_stops_the_transfer_and_says_what_remains(cli, interrupt_once) -> None:
    PULLS["offered"] = [*steps(10), Pause(forever=True)]

    interrupt_once(lambda: "pull offered" in scripted.SEEN.calls)
    done = cli("pull", "offered")
    assert done.code == ExitCode.INTERRUPTED
    assert scripted.SEEN.closed == 1
    assert "not installed" in done.err and "Pull it again" in done.err


@pytest.mark.parametrize(
    ("count", "shown"),
    [(None, "?"), (0, "0 B"), (1, "1 kB"), (253_113_024, "253 MB"), (806_000_000, "0.8 GB"),
     (3_300_000_000, "3.3 GB")],
)  # fmt: skip
def test_sizes(count: int | None, shown: str) -> None:
    assert terminal.size(count) == shown


def test_no_color_is_honoured(monkeypatch) -> None:
    import io

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert terminal.bold("x", Terminal()) != "x"
    assert terminal.bold("x", io.StringIO()) == "x"
    monkeypatch.setenv("NO_COLOR", "1")
    assert terminal.bold("x", Terminal()) == "x"
