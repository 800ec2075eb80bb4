"""The settings of plugins as data: schema, values, origins, and what must not be shown."""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from venom_core.language.polish import polish
from venom_core.plugins.discovery import Found
from venom_core.plugins.names import FIRST_PARTY
from venom_core.sdk import ProviderSpec, Setting, hookimpl
from venom_core.sdk.masking import MASK
from venom_core.testing import entry, stage
from venom_core.testing.staging import Stage

OLLAMA = entry("venom_ollama.plugin")
REMOTE = entry("venom_remote.plugin")
HF = entry("venom_hf.plugin")
ACME_SETTINGS = (
    Setting("url", "url", "http://127.0.0.1:9", "Where it listens.", env_aliases=("ACME_URL",)),
    Setting("folder", "path", None, "Where its files are."),
    Setting("slots", "int", 2, "Requests at a time.", minimum=1, maximum=8),
    Setting("share", "float", 0.5, "Part of the memory.", minimum=0, maximum=1),
    Setting("loud", "bool", False, "Whether it says much."),
    Setting("mode", "str", "fast", "How it works.", choices=("fast", "exact")),
    Setting("modes", "list", ("fast",), "What may be asked for.", choices=("fast", "exact")),
    Setting("mirrors", "list", (), "Other servers.", items="url"),
    Setting("token", "str", "hunter2-default", "Who asks.", secret=True),
)


@pytest.fixture
def acme(monkeypatch: pytest.MonkeyPatch) -> Found:
    """A stranger's plugin with a setting of each type."""
    module = types.ModuleType("acme_manifest")

    def venom_providers() -> list[ProviderSpec]:
        spec = ProviderSpec(
            "acme", "Acme", "Answers.", "nowhere:Nothing", frozenset(), settings=ACME_SETTINGS
        )
        return [spec]

    module.venom_providers = hookimpl(venom_providers)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "acme_manifest", module)
    return entry("acme_manifest", "acme")


async def told(one: Stage, plugin: str, **headers: str) -> dict[str, Any]:
    answer = await one.client.get(f"/api/v1/plugins/{plugin}/settings", headers=headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def form(one: Stage, plugin: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the rows by name, and the form of the only provider."""
    (provider,) = (await told(one, plugin))["providers"]
    return {row["key"].rpartition(".")[2]: row for row in provider["settings"]}, provider


async def test_each_type_has_its_schema(tmp_path: Path, acme: Found) -> None:
    async with stage(acme, home=tmp_path) as one:
        schema = (await form(one, "acme"))[1]["schema"]
    text = {"type": "string"}
    modes = {**text, "enum": ["fast", "exact"]}
    expected = {
        "url": {**text, "format": "uri", "default": "http://127.0.0.1:9"},
        "folder": {**text, "format": "path"},
        "slots": {"type": "integer", "minimum": 1, "maximum": 8, "default": 2},
        "share": {"type": "number", "minimum": 0, "maximum": 1, "default": 0.5},
        "loud": {"type": "boolean", "default": False},
        "mode": {**modes, "default": "fast"},
        "modes": {"type": "array", "items": modes, "default": ["fast"]},
        "mirrors": {"type": "array", "items": {**text, "format": "uri"}, "default": []},
        "token": {**text, "writeOnly": True},
    }
    helps = {setting.name: setting.help for setting in ACME_SETTINGS}
    assert (schema["type"], schema["additionalProperties"]) == ("object", False)
    assert schema["properties"] == {
        name: {**field, "description": helps[name]} for name, field in expected.items()
    }


async def test_each_value_has_its_origin_and_its_variable(tmp_path: Path, acme: Found) -> None:
    (tmp_path / "config.toml").write_text("[providers.acme]\nslots = 3\nlouder = true\n")
    env = {"ACME_URL": "http://h:1", "VENOM_ACME__LOUD": "true", "VENOM_ACME__SLOT": "4"}
    async with stage(acme, home=tmp_path, env=env) as one:
        rows, provider = await form(one, "acme")
    assert (rows["slots"]["value"], rows["slots"]["origin"]) == (3, "file")
    assert (rows["url"]["value"], rows["url"]["origin"]) == ("http://h:1", "env")
    assert (rows["url"]["env"], rows["url"]["variable"]) == ("VENOM_ACME__URL", "ACME_URL")
    assert rows["loud"]["variable"] == "VENOM_ACME__LOUD"
    assert (rows["mode"]["value"], rows["mode"]["origin"]) == ("fast", "default")
    assert "variable" not in rows["mode"] and rows["folder"]["value"] is None
    unknown = sorted(provider["warnings"])
    assert len(unknown) == 2
    assert unknown[0].startswith("VENOM_ACME__SLOT is set") and "VENOM_ACME__SLOTS" in unknown[0]
    assert unknown[1].startswith("providers.acme.louder in ")


HIDDEN = "hunter2"


@pytest.mark.parametrize(
    ("env", "toml"),
    [
        ({"VENOM_ACME__TOKEN": HIDDEN}, ""),
        ({}, f'[providers.acme]\ntoken = "{HIDDEN}"\n'),
        ({}, f'[providers.acme]\ntoken = ["{HIDDEN}"]\n'),
        ({"VENOM_ACME__URL": f"http://me:{HIDDEN}@h/p"}, ""),
        ({"VENOM_ACME__MIRRORS": f"http://a,http://me:{HIDDEN}@h/p"}, ""),
        ({"VENOM_ACME__URL": f"ftp://me:{HIDDEN}@h/p"}, ""),
        ({}, ""),
    ],
    ids=["variable", "file", "wrong type", "URL", "list of URLs", "unusable URL", "default"],
)
async def test_no_secret_is_shown(
    tmp_path: Path, acme: Found, env: dict[str, str], toml: str
) -> None:
    (tmp_path / "config.toml").write_text(toml)
    async with stage(acme, home=tmp_path, env=env) as one:
        found = json.dumps(await told(one, "acme"))
        shown = await one.cli("config", "show", "acme")
    assert HIDDEN not in found and HIDDEN not in shown.out + shown.err
    assert MASK in found or "invalid_setting" in found


@pytest.mark.parametrize(
    ("env", "toml", "name"),
    [
        ({"VENOM_ACME__SLOTS": "99"}, "", "slots"),
        ({"VENOM_ACME__SLOTS": "nan"}, "", "slots"),
        ({"VENOM_ACME__MODE": "slow"}, "", "mode"),
        ({}, "[providers.acme]\nshare = 1.5\n", "share"),
        ({}, "[providers.acme]\nloud = 7\n", "loud"),
        ({}, "[providers.acme]\nmodes = [7]\n", "modes"),
        ({}, "[providers]\nacme = 7\n", "url"),
    ],
)
async def test_what_cannot_be_used_is_an_error_at_its_place(
    tmp_path: Path, acme: Found, env: dict[str, str], toml: str, name: str
) -> None:
    (tmp_path / "config.toml").write_text(toml)
    async with stage(acme, home=tmp_path, env=env) as one:
        row = (await form(one, "acme"))[0][name]
    assert (row["value"], row["origin"], row["error"]["code"]) == (None, None, "invalid_setting")
    assert row["error"]["fix"] and row["error"]["docs"]


async def test_every_one_of_ours_speaks_both_languages(tmp_path: Path) -> None:
    names = sorted(name.removeprefix("venom-") for name in FIRST_PARTY)
    plugins = [entry(f"venom_{name}.plugin") for name in names]
    async with stage(*plugins, home=tmp_path) as one:
        for name in names:
            english, said = (
                await told(one, name),
                await told(one, name, **{"accept-language": "pl"}),
            )
            for form, formed in zip(english["providers"], said["providers"], strict=True):
                for row, other in zip(form["settings"], formed["settings"], strict=True):
                    field = row["key"].rpartition(".")[2]
                    assert other["help"] == polish(row["help"]) != row["help"], row["key"]
                    described = formed["schema"]["properties"][field]["description"]
                    assert described == other["help"]


@pytest.mark.parametrize("state", ["disabled", "broken", "two of a name", "nothing"])
async def test_a_plugin_that_is_not_loaded_says_why(
    tmp_path: Path, acme: Found, state: str
) -> None:
    env = {"VENOM_PLUGINS_DISABLED": "acme"} if state == "disabled" else {}
    broken = entry("no_such_manifest", "acme")
    other = Found("acme", "acme_manifest", acme.api, "venom-other", "1.0", "third_party")
    plugins = {
        "disabled": [acme],
        "broken": [broken],
        "two of a name": [acme, other],
        "nothing": [],
    }
    async with stage(*plugins[state], home=tmp_path, env=env) as one:
        answer = await one.client.get("/api/v1/plugins/acme/settings")
        shown = await one.cli("config", "show", "acme")
    found = answer.json()
    if state in ("disabled", "broken"):
        assert answer.status_code == 200 and found["providers"] == []
        assert found["reason"]["code"] and found["state"] in ("disabled", "failed")
        assert shown.code == 0 and found["reason"]["message"] in shown.out
    else:
        code = "plugin_not_found" if state == "nothing" else "ambiguous_plugin"
        assert found["code"] == code and code in shown.err
        assert "Traceback" not in shown.err


@pytest.mark.parametrize("name", ["..", "a%2Fb", "a" * 200, "%00", "a b"])
async def test_a_name_that_is_none(tmp_path: Path, acme: Found, name: str) -> None:
    async with stage(acme, home=tmp_path) as one:
        answer = await one.client.get(f"/api/v1/plugins/{name}/settings")
    assert answer.status_code in (404, 422)


async def test_the_command_line_shows_the_same(tmp_path: Path, acme: Found) -> None:
    env = {"ACME_URL": "http://h:1", "VENOM_ACME__SLOT": "4"}
    async with stage(acme, home=tmp_path, env=env) as one:
        over_api = await told(one, "acme")
        as_json = await one.cli("config", "show", "acme", "--json")
        shown = await one.cli("config", "show", "acme")
        whole = await one.cli("config", "show")
    assert json.loads(as_json.out) == over_api
    assert "env ACME_URL" in shown.out and "Requests at a time." in shown.out
    assert "env ACME_URL" in whole.out
    assert "VENOM_ACME__SLOT is set" in shown.err


async def test_one_without_settings_says_so(tmp_path: Path) -> None:
    async with stage(entry("venom_core.testing.scripted", "scripted"), home=tmp_path) as one:
        assert (await told(one, "scripted"))["providers"][0]["settings"] == []
        assert "scripted has no settings." in (await one.cli("config", "show", "scripted")).out
