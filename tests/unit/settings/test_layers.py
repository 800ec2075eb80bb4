from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.settings.specs import PLACES, acme
from venom_core.sdk.errors import InvalidRequest, StorageError
from venom_core.sdk.spec import Setting
from venom_core.settings.core import CORE_SETTINGS, CoreSettings
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths
from venom_core.settings.values import MASK, convert
from venom_core.settings.variables import provider_variable

SPEC = acme(
    Setting("host", "url", "http://127.0.0.1:1", "Where.", env_aliases=("ACME_HOST", "ACME")),
    Setting("slots", "int", 2, "How many.", minimum=1, maximum=8),
    Setting("mode", "str", "fast", "Which way.", choices=("fast", "slow")),
    Setting("token", "str", None, "A secret.", secret=True),
    Setting("nodes", "list", (), "Several."),
    Setting("kinds", "list", (), "Some of these.", choices=("a", "b", "c")),
    Setting("verbose", "bool", False, "Say more."),
)


def settings(tmp_path: Path, toml: str = "", env: dict[str, str] | None = None, **flags: object):
    paths = Paths.at(tmp_path)
    if toml:
        paths.config_file.write_text(toml)
    return Settings.load(paths, env, flags)


def in_use(found: Settings) -> Settings:
    """Raise what is wrong in the file, which stops no start."""
    if found.problem is not None:
        raise found.problem
    return found


class TestPrecedence:
    def test_default(self, tmp_path):
        found = settings(tmp_path)
        assert found.core == CoreSettings()
        assert found.core.port == 8366
        assert found.origin("port") == found.origin("server.port") == "default"

    def test_each_layer_wins_over_those_below(self, tmp_path):
        toml, env = "[server]\nport = 1001\n", {"VENOM_PORT": "1002"}
        assert settings(tmp_path, toml).core.port == 1001
        assert settings(tmp_path, toml).origin("port") == "file"
        assert settings(tmp_path, toml, env).core.port == 1002
        assert settings(tmp_path, toml, env).origin("port") == "env"
        assert settings(tmp_path, toml, env, port=1003).core.port == 1003
        assert settings(tmp_path, toml, env, port=1003).origin("port") == "flag"

    def test_flag_that_was_not_given_and_empty_variable_count_as_unset(self, tmp_path):
        found = settings(tmp_path, env={"VENOM_PORT": ""}, port=None)
        assert found.origin("port") == "default"

    def test_zero_and_false_are_values(self, tmp_path):
        found = settings(tmp_path, env={"VENOM_PORT": "0"})
        assert (found.core.port, found.origin("port")) == (0, "env")

    def test_lists(self, tmp_path):
        env = {"VENOM_ALLOWED_HOSTS": " a.example, b.example ,"}
        assert settings(tmp_path, env=env).core.allowed_hosts == ("a.example", "b.example")
        toml = '[plugins]\nallow = ["ollama"]\n'
        assert settings(tmp_path, toml).core.plugins == ("ollama",)
        assert settings(tmp_path, "[plugins]\nallow = []\n").core.plugins == ()

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("a,b", ("a", "b")),
            ('["a","b"]', ("a", "b")),
            (' [ "a" , "b,c" ] ', ("a", "b,c")),
            ('["[a]"]', ("[a]",)),
            ('["a", " "]', ("a",)),
            ("[]", ()),
            ("a,[b", ("a", "[b")),
            ("[::1],b", ("[::1]", "b")),
            ("[fe80::1%eth0]", ("[fe80::1%eth0]",)),
            ('["\\u0105", "/z\\u017c"]', ("ą", "/zż")),
            ("[a,b]", None),
            ("['a','b']", None),
            ('["a", 5]', None),
            ('["a", null]', None),
            ('[["a"]]', None),
            ('["a"', None),
            ('["a"],b', None),
            ("[" * 5000, None),
            ("[dir]/x", None),
            ("[:dir]", None),
        ],
    )
    @pytest.mark.parametrize("layer", ["env", "file", "provider", "provider-file"])
    def test_a_list_as_one_text(self, tmp_path, layer, text, expected):
        def read():
            if layer == "env":
                return settings(
                    tmp_path, env={"VENOM_PLUGINS_DISABLED": text}
                ).core.plugins_disabled
            quoted = json.dumps(text)
            if layer == "file":
                toml = f"[plugins]\ndisabled = {quoted}\n"
                return in_use(settings(tmp_path, toml)).core.plugins_disabled
            env = {"VENOM_ACME_LAB__NODES": text} if layer == "provider" else {}
            toml = "" if env else f"[providers.acme-lab]\nnodes = {quoted}\n"
            return settings(tmp_path, toml, env).provider(SPEC).values["nodes"]

        if expected is not None:
            assert read() == expected
            return
        with pytest.raises(InvalidRequest) as caught:
            read()
        error = caught.value
        name = "nodes" if layer.startswith("provider") else "plugins_disabled"
        assert (error.code, error.param) == ("invalid_setting", name)
        variable = {
            "env": "VENOM_PLUGINS_DISABLED",
            "file": "[plugins] disabled",
            "provider": "VENOM_ACME_LAB__NODES",
        }.get(layer, name)
        assert variable in error.message and "JSON array" in error.message
        assert '["[one]"]' in error.fix

    @pytest.mark.parametrize("text", ["a,b", '["a", "b"]'])
    def test_a_list_of_choices(self, tmp_path, text):
        found = settings(tmp_path, env={"VENOM_ACME_LAB__KINDS": text}).provider(SPEC)
        assert found.values["kinds"] == ("a", "b")
        with pytest.raises(InvalidRequest) as caught:
            settings(tmp_path, env={"VENOM_ACME_LAB__KINDS": text.replace("b", "d")}).provider(SPEC)
        assert "one of a, b, c" in caught.value.message

    @pytest.mark.parametrize("part", CORE_SETTINGS, ids=lambda part: part.name)
    def test_every_setting_is_reachable_from_environment_and_file(self, tmp_path, part):
        good = {"int": 2048, "float": 2.5, "list": ["x"], "bool": True}.get(part.setting.type, "x")
        if part.setting.choices:
            good = part.setting.choices[-1]
        if part.name == "max_concurrent":
            good = 3
        good = PLACES.get(part.name, good)
        text = ",".join(good) if isinstance(good, list) else str(good)
        expected = tuple(good) if isinstance(good, list) else good
        by_env = settings(tmp_path, env={part.env: text})
        assert getattr(by_env.core, part.name) == expected
        table, key = part.key.split(".")
        written = text.lower() if part.setting.type == "bool" else repr(good)
        by_file = settings(tmp_path, f"[{table}]\n{key} = {written}\n")
        assert getattr(by_file.core, part.name) == expected
        assert by_file.origin(part.name) == "file"
        assert by_env.warnings == by_file.warnings == []


class TestRefusals:
    @pytest.mark.parametrize(
        ("env", "word"),
        [
            ({"VENOM_PORT": "99999"}, "at most 65535"),
            ({"VENOM_PORT": "http"}, "a whole number"),
            ({"VENOM_STALL_TIMEOUT": "nan"}, "a number"),
            ({"VENOM_PARAMETER_POLICY": "loose"}, "strict, warn"),
            ({"VENOM_MAX_BODY_BYTES": "10"}, "at least 1024"),
        ],
    )
    def test_bad_variable_is_named(self, tmp_path, env, word):
        with pytest.raises(InvalidRequest) as caught:
            settings(tmp_path, env=env)
        assert caught.value.code == "invalid_setting"
        assert next(iter(env)) in caught.value.message
        assert word in caught.value.message
        assert next(iter(env)) in (caught.value.fix or "")

    def test_bad_key_in_the_file_is_named(self, tmp_path):
        with pytest.raises(InvalidRequest) as caught:
            in_use(settings(tmp_path, "[server]\nport = true\n"))
        assert "[server] port" in caught.value.message
        assert str(tmp_path / "config.toml") in caught.value.message

    def test_table_that_is_no_table(self, tmp_path):
        with pytest.raises(InvalidRequest) as caught:
            in_use(settings(tmp_path, "server = 3\n"))
        assert caught.value.code == "invalid_setting"

    def test_malformed_file_says_the_line(self, tmp_path):
        with pytest.raises(InvalidRequest) as caught:
            in_use(settings(tmp_path, "[server]\nport = = 3\n"))
        assert caught.value.code == "invalid_config_file"
        assert "line 2" in caught.value.message
        assert caught.value.fix

    def test_file_that_is_not_text(self, tmp_path):
        (tmp_path / "config.toml").write_bytes(b"\xff\xfe\x00")
        with pytest.raises(InvalidRequest) as caught:
            in_use(settings(tmp_path))
        assert caught.value.code == "invalid_config_file"

    @given(raw=st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.none()))
    def test_any_value_is_converted_or_refused_as_our_error(self, raw):
        for setting in SPEC.settings:
            with contextlib.suppress(InvalidRequest):
                convert(setting, raw, "the test")

    @given(raw=st.text(alphabet="secrtXYZ0123", min_size=6))
    def test_secret_is_never_shown(self, raw):
        setting = Setting("token", "int", None, "A secret number.", secret=True, maximum=0)
        with pytest.raises(InvalidRequest) as caught:
            convert(setting, "7" + raw, "the test")
        assert raw not in str(caught.value.record())

    def test_password_in_a_refused_url_is_never_shown(self):
        with pytest.raises(InvalidRequest) as caught:
            convert(SPEC.settings[0], "ftp://me:hunter2@host", "ACME_HOST")
        assert "hunter2" not in str(caught.value.record())


class TestProviderSettings:
    def test_names_in_order(self, tmp_path):
        toml = '[providers.acme-lab]\nhost = "http://file:1"\n'
        own, alias = "VENOM_ACME_LAB__HOST", "ACME_HOST"
        assert provider_variable("acme-lab", "host") == own
        env = {own: "http://own:1", alias: "http://alias:1", "ACME": "http://last:1"}
        for variable, expected in list(zip(env, env.values(), strict=True)):
            found = settings(tmp_path, toml, env).provider(SPEC)
            assert (found.values["host"], found.origins["host"]) == (expected, "env")
            del env[variable]
        found = settings(tmp_path, toml).provider(SPEC)
        assert (found.values["host"], found.origins["host"]) == ("http://file:1", "file")
        assert settings(tmp_path / "none").provider(SPEC).origins["host"] == "default"

    def test_types(self, tmp_path):
        env = {
            "VENOM_ACME_LAB__HOST": "127.0.0.1:11434",
            "VENOM_ACME_LAB__NODES": "a,b",
            "VENOM_ACME_LAB__VERBOSE": "yes",
        }
        values = settings(tmp_path, env=env).provider(SPEC).values
        assert values["host"] == "http://127.0.0.1:11434"
        assert values["nodes"] == ("a", "b")
        assert values["verbose"] is True
        assert (values["slots"], values["token"]) == (2, None)

    @pytest.mark.parametrize(
        ("name", "raw"),
        [("SLOTS", "9"), ("SLOTS", "1.5"), ("MODE", "odd"), ("HOST", "ftp://x"), ("VERBOSE", "?")],
    )
    def test_bad_value(self, tmp_path, name, raw):
        variable = f"VENOM_ACME_LAB__{name}"
        with pytest.raises(InvalidRequest) as caught:
            settings(tmp_path, env={variable: raw}).provider(SPEC)
        assert caught.value.param == name.lower()
        assert variable in caught.value.message

    def test_bad_value_behind_an_alias_names_the_alias(self, tmp_path):
        with pytest.raises(InvalidRequest, match="ACME_HOST"):
            settings(tmp_path, env={"ACME_HOST": "ftp://x"}).provider(SPEC)


class TestWarnings:
    def test_unknown_variables_and_keys(self, tmp_path):
        toml = "[server]\nprot = 1\n[sevrer]\nport = 1\n[providers.acme-lab]\nslot = 3\n"
        found = settings(tmp_path, toml, {"VENOM_PROT": "1", "VENOM_ACME_LAB__SLOT": "3"})
        found.provider(SPEC)
        found.provider(SPEC)
        text = "\n".join(found.warnings)
        assert "VENOM_PROT is set" in text
        assert "VENOM_PORT" in text
        assert "server.prot in" in text
        assert "did you mean server.port" in text
        assert "sevrer in" in text
        assert "providers.acme-lab.slot in" in text
        assert "VENOM_ACME_LAB__SLOT is set" in text
        assert len(found.warnings) == 5

    def test_providers_that_are_not_there(self, tmp_path):
        env = {"VENOM_GONE__HOST": "x", "VENOM_ACME_LAB__SLOTS": "3", "VENOM_HOME": "/x"}
        found = settings(tmp_path, "[providers.away]\nx = 1\n", env)
        found.check_providers([SPEC])
        assert len(found.warnings) == 2
        assert "providers.away" in found.warnings[0]
        assert "VENOM_GONE__HOST" in found.warnings[1]


class TestRows:
    def test_origin_and_masks(self, tmp_path):
        env = {"VENOM_ACME_LAB__TOKEN": "hunter2", "ACME_HOST": "http://me:hunter2@h/p"}
        found = settings(tmp_path, env=env, port=9)
        rows = {row["key"]: row for row in found.rows([SPEC])}
        assert rows["server.port"]["value"] == 9
        assert rows["server.port"]["origin"] == "flag"
        assert rows["providers.acme-lab.token"]["value"] == MASK
        assert rows["providers.acme-lab.host"]["value"] == f"http://{MASK}@h/p"
        assert rows["providers.acme-lab.host"]["env"] == "VENOM_ACME_LAB__HOST"
        assert "hunter2" not in str(rows)

    def test_unusable_value_is_shown_as_an_error(self, tmp_path):
        rows = settings(tmp_path, env={"VENOM_ACME_LAB__SLOTS": "99"}).rows([SPEC])
        row = next(row for row in rows if row["key"] == "providers.acme-lab.slots")
        assert row["error"]["code"] == "invalid_setting"


class TestDisabling:
    def test_is_kept_with_comments_and_mode(self, tmp_path):
        toml = '# mine\n[server]\nport = 7 # why\n\n[plugins]\ndisabled = ["a"]\n'
        found = settings(tmp_path, toml)
        (tmp_path / "config.toml").chmod(0o640)
        found.set_plugin_disabled("onnx", True)
        text = (tmp_path / "config.toml").read_text()
        assert "# mine" in text
        assert "# why" in text
        assert (tmp_path / "config.toml").stat().st_mode & 0o777 == 0o640
        assert settings(tmp_path).core.plugins_disabled == ("a", "onnx")
        assert found.plugin_disabled("onnx") == "file"
        found.set_plugin_disabled("onnx", False)
        assert found.plugin_disabled("onnx") is None
        assert settings(tmp_path).core.plugins_disabled == ("a",)

    def test_new_file_is_owner_only(self, tmp_path):
        found = settings(tmp_path / "new")
        found.set_plugin_disabled("onnx", True)
        assert (tmp_path / "new" / "config.toml").stat().st_mode & 0o777 == 0o600
        assert {path.name for path in (tmp_path / "new").iterdir()} == {
            "config.toml", "run", "backups",
        }  # fmt: skip

    def test_environment_does_not_hide_what_was_disabled_by_command(self, tmp_path):
        found = settings(tmp_path, env={"VENOM_PLUGINS_DISABLED": "hf"})
        found.set_plugin_disabled("onnx", True)
        assert found.plugin_disabled("hf") == "env"
        assert found.plugin_disabled("onnx") == "file"
        assert found.core.plugins_disabled == ("hf",)

    def test_home_that_cannot_be_written(self, tmp_path):
        blocker = tmp_path / "file"
        blocker.write_text("")
        found = Settings(Paths.at(blocker / "home"))
        with pytest.raises(StorageError) as caught:
            found.set_plugin_disabled("onnx", True)
        assert caught.value.code == "home_not_writable"
        assert "VENOM_HOME" in (caught.value.fix or "")


class TestPaths:
    def test_resolve_touches_nothing(self, tmp_path):
        home = tmp_path / "home"
        paths = Paths.resolve({"VENOM_HOME": str(home)})
        assert paths.config_file == home / "config.toml"
        assert paths.run_dir == home / "run"
        assert not home.exists()

    def test_default_and_relative(self):
        assert Paths.resolve({}).home == Path.home() / ".venom"
        assert Paths.resolve({"VENOM_HOME": ""}).home == Path.home() / ".venom"
        assert Paths.resolve({"VENOM_HOME": "x"}).home == Path.cwd() / "x"


def test_a_version_costs_no_settings():
    """Whoever asks for the version only must not pay for pydantic."""
    code = (
        "import sys\n"
        "from venom_core.cli.main import main\n"
        "sys.argv = ['venom', '--version']\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(sorted({'pydantic', 'pydantic_settings'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_an_unusable_value_under_a_higher_layer_is_nobodys_trouble(tmp_path):
    found = settings(tmp_path, "[server]\nport = true\n", {"VENOM_PORT": "http"}, port=5)
    assert found.core.port == 5
