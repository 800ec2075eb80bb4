"""`venom version`, `help`, `load`, `unload`, `logs` and aliases: the table of what each says."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.cli.processes import running, venom
from venom_core._version import __version__
from venom_core.cli.exit_codes import ExitCode
from venom_core.cli.log_reading import last_lines, new_lines
from venom_core.models import references
from venom_core.plugins.host import PluginHost
from venom_core.sdk.provider import Model
from venom_core.sdk.spec import EngineRequirement
from venom_core.settings.paths import Paths
from venom_core.testing import scripted
from venom_core.testing.deadlines import eventually, patience
from venom_core.testing.scripted import Script, say


@pytest.fixture(autouse=True)
def model() -> None:
    scripted.SCRIPTS["city"] = Script(say("Warsaw"), Model("city", "folder", context_length=100))


def written(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def test_version(cli) -> None:
    assert cli("version").out.splitlines()[0] == f"venom {__version__}"
    told = json.loads(cli("version", "--json").out)
    assert (told["version"], told["server"]) == (__version__, None)


def test_version_of_a_running_server(tmp_path: Path) -> None:
    with running(tmp_path / "home", "serve", "--port", "0") as server:
        server.url()
        shown = venom(tmp_path / "home", "version").stdout
        assert re.search(rf"Server\s+{re.escape(__version__)} \(http://127", shown)


@pytest.mark.parametrize(
    "names", [(), ("run",), ("sessions",), ("sessions", "export"), ("help",), ("alias", "set")]
)
def test_help_is_what_the_option_shows(cli, names: tuple[str, ...]) -> None:
    helped, asked = cli("help", *names), cli(*names, "--help")
    assert helped.code == 0 and helped.out == asked.out != ""


@pytest.mark.parametrize("names", [("nothing",), ("sessions", "nothing"), ("run", "nothing")])
def test_help_of_no_command(cli, names: tuple[str, ...]) -> None:
    refused = cli("help", *names)
    assert (refused.code, refused.out) == (ExitCode.USAGE, "")
    assert re.search("(no|such) command", refused.err) or (
        f"{names[0]} has no commands" in refused.err
    )


@pytest.mark.parametrize("command", ["unload", "stop"])
def test_load_and_out_again(cli, command: str) -> None:
    loaded = json.loads(cli("load", "city", "--json").out)
    assert loaded == {
        "success": True, "message": "scripted://city is in memory.",
        "reference": "scripted://city", "loaded": True,
    }  # fmt: skip
    assert cli("load", "city").out == "scripted://city is in memory.\n"
    assert cli(command, "city").out == "scripted://city is no longer in memory.\n"
    assert cli(command).code == ExitCode.USAGE
    assert cli("load", "nothing").code == ExitCode.NOT_FOUND


def test_an_engine_that_would_end_with_the_command(cli, monkeypatch: pytest.MonkeyPatch) -> None:
    known = PluginHost.specs

    def specs(host: PluginHost):
        engine = EngineRequirement("sys", "scripted")
        return {name: replace(spec, engine=engine) for name, spec in known(host).items()}

    monkeypatch.setattr(PluginHost, "specs", specs)
    refused = cli("load", "city")
    assert (refused.code, "server_needed" in refused.err) == (ExitCode.UNAVAILABLE, True)
    assert "venom serve" in refused.err


def test_no_log_yet(cli, paths: Paths) -> None:
    assert str(paths.logs_dir / "venom.log") in cli("logs").out
    assert "venom serve" in cli("logs").out and "venom serve" in cli("logs", "--list").out
    assert json.loads(cli("logs", "--json").out)["lines"] == []
    assert json.loads(cli("logs", "--list", "--json").out) == {"logs": []}


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ((), [f"line {n}" for n in range(50, 100)]),
        (("-n", "2"), ["line 98", "line 99"]),
        (("-n", "0"), []),
        (("--lines", "1000"), [f"line {n}" for n in range(100)]),
        (("server", "-n", "1"), ["line 99"]),
        (("llamacpp/gemma", "-n", "1"), ["loaded"]),
        (("gemma",), ["engine", "loaded"]),
        (("page-build",), ["built"]),
    ],
)
def test_logs(cli, paths: Paths, options: tuple[str, ...], shown: list[str]) -> None:
    lines = "".join(f"line {n}\n" for n in range(100))
    written(paths.logs_dir / "venom.log", lines)
    written(paths.logs_dir / "page-build.log", "built\n")
    written(paths.providers_dir / "llamacpp" / "engines" / "gemma.log", "engine\nloaded\n")
    done = cli("logs", *options)
    assert (done.code, done.out.splitlines()) == (0, shown)
    assert json.loads(cli("logs", *options, "--json").out)["lines"] == shown


def test_the_list_and_a_name_of_several(cli, paths: Paths) -> None:
    written(paths.logs_dir / "venom.log", "x\n")
    for name in ("a", "b"):
        written(paths.providers_dir / "llamacpp" / "engines" / f"{name}.log", "x" * 2000)
    rows = json.loads(cli("logs", "--list", "--json").out)["logs"]
    assert (rows[0]["name"], len(rows)) == ("server", 3)
    assert rows[1]["size_bytes"] == 2000 and rows[1]["changed_at"].endswith("Z")
    shown = cli("logs", "--list").out
    assert "llamacpp/a" in shown and "2 kB" in shown and "just now" in shown
    assert cli("logs", "llamacpp").code == ExitCode.CONFLICT
    refused = cli("logs", "nothing")
    assert refused.code == ExitCode.NOT_FOUND
    assert "There are: server, llamacpp/" in refused.err
    assert cli("logs", "-f", "--json").code == ExitCode.USAGE


def test_a_file_that_was_begun_anew_goes_on_from_the_one_before(tmp_path: Path) -> None:
    file = written(tmp_path / "venom.log", "c\n")
    written(tmp_path / "venom.log.1", "a\nb\n")
    assert last_lines(file, 2) == ["b", "c"]
    assert last_lines(file, 9) == ["a", "b", "c"]
    long = "é" * 70_000
    written(file, f"first\n{long}\nlast")
    assert last_lines(file, 2) == [long, "last"]


def test_following_a_log_through_its_renewal(tmp_path: Path) -> None:
    file = written(tmp_path / "venom.log", "old\n")
    seen: list[str] = []
    lines = new_lines(file)

    def read() -> None:
        for line in lines:
            seen.append(line)
            if line == "end":
                return

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    with file.open("a") as stream:
        stream.write("one\nhalf")
        stream.flush()
        assert eventually(lambda: seen == ["one"], 20)
        stream.write(" done\n")
        stream.flush()
        assert eventually(lambda: seen[1:] == ["half done"], 20)
        # A look between these two would see the end of the old file; none may be needed.
        file.rename(tmp_path / "venom.log.1")
        stream.write("last of it\nno end")
    file.write_text("new\nend\n")
    thread.join(patience(20))
    assert seen == ["one", "half done", "last of it", "no end", "new", "end"]


@pytest.mark.parametrize(
    ("name", "target", "code"),
    [
        ("fast", "city", None),
        ("fast", "scripted://city", None),
        ("fast", "gone", "alias_leads_nowhere"),
        ("fast", "scripted://gone", "alias_leads_nowhere"),
        ("fast", "nobody://city", "alias_leads_nowhere"),
        ("fast", "fast2", "alias_leads_nowhere"),
        ("city", "town", "alias_hides_model"),
        ("town", "scripted://city", "alias_hides_model"),
        ("city", "gone", "alias_leads_nowhere"),
    ],
)
def test_an_alias_that_hides_or_leads_nowhere_says_so(
    cli, name: str, target: str, code: str | None
) -> None:
    scripted.SCRIPTS["town"] = Script(say("Warsaw"), Model("town", "folder"))
    assert references.parse_reference(target)
    made = json.loads(cli("alias", "set", name, target, "--json").out)
    [listed] = json.loads(cli("alias", "list", "--json").out)["aliases"]
    assert made["problem"] == listed["problem"]
    assert (made["problem"] or {"code": None})["code"] == code
    findings = json.loads(cli("doctor", "--json").out)["findings"]
    assert [one["code"] for one in findings if one["name"] == f"alias {name}"] == (
        [code] if code else []
    )
    for done in (cli("alias", "set", name, target), cli("alias", "list")):
        said = [line for line in done.err.splitlines() if f"The alias {name!r}" in line]
        assert bool(said) is (code is not None), done.err


def test_an_alias_of_an_alias_is_followed_to_its_end(cli) -> None:
    cli("alias", "set", "fast", "city")
    assert json.loads(cli("alias", "set", "quick", "fast", "--json").out)["problem"] is None
    cli("alias", "rm", "fast")
    [quick] = json.loads(cli("alias", "list", "--json").out)["aliases"]
    assert (
        quick["problem"]["code"] == "alias_leads_nowhere" and "fast" in quick["problem"]["message"]
    )
