"""`venom keys`, `config`, `plugins`, `doctor`, `completion`."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path

import pytest

from venom_core.cli import installing
from venom_core.cli.exit_codes import ExitCode
from venom_core.installing.installer import InstallPlan
from venom_core.installing.planned import Addition
from venom_core.installing.sources import InstallSource
from venom_core.sdk.pip import InstallFailed
from venom_core.settings.paths import Paths
from venom_core.testing.deadlines import patience
from venom_core.testing.scripted import SCRIPTS, Script, say

# -- keys -----------------------------------------------------------------------------------------


def test_a_key_is_shown_once_and_kept_as_a_hash(cli, paths: Paths) -> None:
    done = cli("keys", "create", "laptop")
    key = done.out.strip()
    assert re.fullmatch(r"venom-[0-9a-f]{8}-\S{43}", key)
    listed = cli("keys", "list")
    assert "laptop" in listed.out and key not in listed.out
    assert key.split("-", 2)[2].encode() not in paths.store_file.read_bytes()
    assert stat.S_IMODE(paths.store_file.stat().st_mode) == 0o600


def test_keys_as_json_and_revoking(cli) -> None:
    made = json.loads(cli("keys", "create", "ci", "--json").out)
    assert made["key"].startswith(f"venom-{made['id']}-")
    revoked = json.loads(cli("keys", "revoke", made["id"], "--json").out)
    assert revoked["revoked_at"]
    listed = json.loads(cli("keys", "list", "--json").out)["keys"]
    assert [(key["id"], key["name"]) for key in listed] == [(made["id"], "ci")]
    assert "key" not in listed[0]


def test_a_key_with_rights(cli) -> None:
    limits = ("--requests-per-day", "5", "--tokens-per-day", "900")
    words = ("create", "team", "--scope", "chat", "--model", "gemma3:*", *limits)
    made = json.loads(cli("keys", *words, "--json").out)
    assert made["scopes"] == ["chat"] and made["models"] == ["gemma3:*"]
    assert (made["requests_per_day"], made["tokens_per_day"]) == (5, 900)
    cli("keys", "create", "all")
    shown = cli("keys", "list").out
    assert "chat: gemma3:*" in shown and "5 requests, 900 tokens" in shown
    assert "everything" in shown
    assert cli("keys", "create", "bad", "--scope", "root").code == ExitCode.USAGE
    assert cli("keys", "create", "bad", "--model", "a b").code == ExitCode.USAGE


def test_the_audit_trail(cli, paths: Paths) -> None:
    assert "Nothing was changed" in cli("audit").out
    assert not paths.store_file.exists()
    made = json.loads(cli("keys", "create", "ci", "--json").out)
    cli("keys", "revoke", made["id"])
    cli("plugins", "disable", "scripted")
    cli("usage", "erase", "--key", made["id"])
    entries = json.loads(cli("audit", "--json").out)["entries"]
    actions = [entry["action"] for entry in entries]
    assert actions == ["usage.erase", "plugin.disable", "key.revoke", "key.create"]
    states = (entries[1]["before"], entries[1]["after"])
    assert states == ({"state": "loaded"}, {"state": "disabled"})
    assert "key.revoke" in cli("audit").out
    assert len(json.loads(cli("audit", "--limit", "1", "--json").out)["entries"]) == 1


def test_a_key_that_is_not_there(cli) -> None:
    assert cli("keys", "revoke", "nope").code == ExitCode.NOT_FOUND


def test_listing_keys_makes_no_store(cli, paths: Paths) -> None:
    assert "venom keys create" in cli("keys", "list").out
    assert not paths.store_file.exists()


# -- config ---------------------------------------------------------------------------------------


def test_config_tells_each_origin(cli, monkeypatch, paths: Paths) -> None:
    paths.make(paths.home)
    paths.config_file.write_text("[server]\nport = 9000\n[nonsense]\nx = 1\n")
    monkeypatch.setenv("VENOM_HOST", "::1")
    told = json.loads(cli("config", "show", "--json").out)
    rows = {row["key"]: (row["value"], row["origin"]) for row in told["settings"]}
    assert rows["server.port"] == (9000, "file")
    assert rows["server.host"] == ("::1", "env")
    assert rows["runtime.profile"] == ("light", "default")
    assert any("nonsense" in warning for warning in told["warnings"])
    shown = cli("config", "show")
    assert "VENOM_PORT" in shown.out and "nonsense" in shown.err


def test_a_broken_file_is_a_sentence_with_its_line(cli, paths: Paths) -> None:
    paths.make(paths.home)
    paths.config_file.write_text("[server]\nport = = 1\n")
    done = cli("config", "show")
    assert done.code == ExitCode.OK and "line 2" in done.err
    assert "VENOM_PORT" in done.out and "The defaults are used." in done.err
    refused = cli("config", "set", "server.port", "9000")
    assert refused.code == ExitCode.USAGE and "invalid_config_file" in refused.err


# -- plugins --------------------------------------------------------------------------------------


def test_plugins_alone_lists_and_its_json_is_the_record(cli) -> None:
    assert cli("plugins").out == cli("plugins", "list").out
    records = json.loads(cli("plugins", "--json").out)["plugins"]
    assert records[0]["id"] == "scripted" and records[0]["state"] == "loaded"
    assert set(records[0]) == {
        "id", "state", "recoverable", "reason", "distribution", "version", "api", "origin",
        "load_ms", "providers",
    }  # fmt: skip


def test_disable_stays_and_enable_undoes_it(cli, paths: Paths) -> None:
    done = cli("plugins", "disable", "scripted")
    assert done.code == 0 and "disabled" in done.out and "Fix:" in done.out
    assert "scripted" in paths.config_file.read_text()
    assert json.loads(cli("plugins", "--json").out)["plugins"][0]["state"] == "disabled"
    assert json.loads(cli("plugins", "enable", "scripted", "--json").out)["success"]
    assert json.loads(cli("plugins", "--json").out)["plugins"][0]["state"] == "loaded"


def test_no_plugin_at_all(cli, installed) -> None:
    installed.clear()
    assert "venom plugins install" in cli("plugins").out


class FakeInstaller:
    """Plans and installs without pip; ``installed`` holds what was carried out."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.installed: list[str] = []
        self.failure = failure

    def plan(self, name: str, *, third_party: bool = False) -> InstallPlan:
        addition = Addition("xllamacpp", "1.0", "x.whl", 34_000_000, None, "ab" * 32)
        source = InstallSource(Path("/wheels"), {})
        return InstallPlan(name, "venom-x[engine]==1", source, not third_party, (addition,))

    def install(self, plan: InstallPlan, *, output=None) -> None:
        if self.failure:
            raise self.failure
        self.installed.append(plan.name)


@pytest.fixture
def installer(monkeypatch) -> FakeInstaller:
    fake = FakeInstaller()
    monkeypatch.setattr(installing, "make_installer", lambda: fake)
    return fake


def test_install_shows_the_plan_and_without_a_terminal_needs_yes(cli, installer) -> None:
    done = cli("plugins", "install", "scripted")
    assert done.code == ExitCode.USAGE and installer.installed == []
    assert "34.0 MB" in done.err and "xllamacpp 1.0   34 MB" in done.err and "--yes" in done.err


def test_install_yes_installs_and_tells_what_became_of_it(cli, installer) -> None:
    done = cli("plugins", "install", "scripted", "--yes", "--json")
    record = json.loads(done.out)
    assert installer.installed == ["scripted"] and done.err == ""
    assert record["size_bytes"] == 34_000_000
    assert record["plugin"]["state"] == "loaded"


def test_an_install_that_fails_shows_what_pip_said(cli, installer) -> None:
    installer.failure = InstallFailed("pip failed.", fix="Look.", code="install_failed",
                                      output="ERROR: no such wheel")  # fmt: skip
    done = cli("plugins", "install", "scripted", "--yes")
    assert done.code == ExitCode.UNAVAILABLE and "no such wheel" in done.err


# -- doctor ---------------------------------------------------------------------------------------


def findings(output: str) -> dict[str, dict[str, object]]:
    return {finding["name"]: finding for finding in json.loads(output)["findings"]}


def test_doctor_names_what_is_required_and_broken(cli) -> None:
    done = cli("doctor", "--json")
    found = findings(done.out)
    assert done.code == ExitCode.FAILED and json.loads(done.out)["ok"] is False
    assert found["profile"]["required"] and found["profile"]["level"] == "problem"
    assert found["profile"]["fix"]
    for name in ("python", "machine", "data directory", "settings", "store", "server", "port",
                 "page", "plugin scripted", "provider scripted"):  # fmt: skip
        assert name in found, name


def test_doctor_is_content_where_the_profile_needs_nothing(cli, monkeypatch) -> None:
    monkeypatch.setenv("VENOM_RUNTIME_PROFILE", "llm_off")
    done = cli("doctor")
    assert done.code == 0 and "Nothing that is required is broken." in done.out
    assert "venom.log" in done.out


def test_doctor_of_a_home_that_cannot_be_written(cli, monkeypatch, tmp_path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("VENOM_HOME", str(tmp_path / "file" / "home"))
    done = cli("doctor", "--json")
    assert done.code == ExitCode.FAILED
    assert findings(done.out)["data directory"]["code"] == "home_not_writable"


def test_doctor_survives_a_broken_configuration(cli, paths: Paths) -> None:
    paths.make(paths.home)
    paths.config_file.write_text("= 1")
    done = cli("doctor", "--json")
    assert done.code == ExitCode.FAILED
    assert findings(done.out)["settings"]["code"] == "invalid_config_file"


def test_doctor_tells_who_holds_the_port(cli, monkeypatch) -> None:
    import os
    import socket

    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        monkeypatch.setenv("VENOM_PORT", str(other.getsockname()[1]))
        found = findings(cli("doctor", "--json").out)["port"]
    assert found["code"] == "port_in_use" and f"pid {os.getpid()}" in str(found["message"])


def test_doctor_tells_where_the_engines_log(cli, paths: Paths) -> None:
    assert "engine logs" not in cli("doctor").out
    folder = paths.providers_dir / "llamacpp" / "engines"
    folder.mkdir(parents=True)
    (folder / "model.log").write_text("out of memory")
    assert str(folder / "model.log") in cli("doctor").out


def test_doctor_tells_a_misspelt_variable(cli, monkeypatch) -> None:
    monkeypatch.setenv("VENOM_PROT", "1")
    out = cli("doctor").out
    assert "VENOM_PROT" in out and "VENOM_PORT" in out


def test_doctor_runs_the_checks_of_plugins(cli, monkeypatch) -> None:
    from venom_core.plugins.doctor import DoctorReport
    from venom_core.plugins.host import PluginHost
    from venom_core.sdk.hookspecs import DoctorFinding

    async def reports(self: object) -> list[DoctorReport]:
        return [DoctorReport("scripted", "disk", DoctorFinding(False, "Disk", "It is full.", "rm"))]

    monkeypatch.setattr(PluginHost, "doctor", reports)
    assert "Disk: It is full." in cli("doctor").out


# -- completion -----------------------------------------------------------------------------------


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(cli, shell: str) -> None:
    out = cli("completion", shell).out
    assert "_VENOM_COMPLETE" in out and "venom" in out


def test_completion_completes_commands() -> None:
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-m", "venom_core.cli.main"],
        env={"_VENOM_COMPLETE": "bash_complete", "COMP_WORDS": "venom qu", "COMP_CWORD": "1"},
        capture_output=True,
        text=True,
        timeout=patience(60),
        check=False,
    )
    assert done.stdout.split() == ["plain,quickstart"]


def test_a_listing_into_a_closed_pipe_ends_quietly() -> None:
    import subprocess
    import sys

    script = f"{sys.executable} -m venom_core.cli.main config show | true"
    done = subprocess.run(
        ["sh", "-c", script], capture_output=True, text=True, timeout=patience(60), check=False
    )
    assert done.stderr == ""


def test_the_listing_of_models_says_which_is_left_out_and_why(cli, monkeypatch) -> None:
    from venom_core.sdk.provider import Model
    from venom_core.testing.scripted import ScriptedProvider

    async def models(self: object) -> list[object]:
        return [Model("good", "x"), None, Model("big", "x", size_bytes="12")]  # type: ignore[arg-type]

    monkeypatch.setattr(ScriptedProvider, "models", models)
    done = cli("list")
    assert done.code == 0
    assert "good" in done.out
    assert "big" not in done.out
    said = "scripted: #2 is left out. It is of the type NoneType and no Model."
    assert said in done.err
    said = "scripted: big is left out. Its size_bytes, of the type str, does not fit the declared"
    assert f"{said} int | None." in done.err


def test_the_listing_of_plugins_names_the_rules_that_a_provider_broke(cli, monkeypatch) -> None:
    from venom_core.plugins.breaches import Breach, Breaches
    from venom_core.sdk import law

    assert "broke" not in cli("plugins").out
    kinds = ((law.FRAMES, "chat"), (law.FRAMES, "complete"), (law.LETS_GO, "chat"))
    found = [Breach("scripted", rule, method, 1).record() for rule, method in kinds]
    monkeypatch.setattr(Breaches, "records", lambda _self: found)
    said = "\nscripted: It broke rules of the provider interface: frames, lets_go.\n"
    assert f"{said}  Where and how often: venom doctor\n" in cli("plugins").out


def test_the_listing_of_models_names_a_provider_that_does_not_answer(cli, monkeypatch) -> None:
    from venom_core.sdk.errors import Unavailable
    from venom_core.testing.scripted import ScriptedProvider

    async def down(self: object) -> list[object]:
        raise Unavailable("Scripted is down.", code="scripted_down", fix="Start it.")

    SCRIPTS["city"] = Script(say("x"))
    monkeypatch.setattr(ScriptedProvider, "models", down)
    done = cli("list")
    assert done.code == 0 and "scripted: Scripted is down. Start it." in done.err
