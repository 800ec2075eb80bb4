"""Settings that name a place of the network: what is taken, what is refused, and in which words."""

from __future__ import annotations

from pathlib import Path

import pytest

from venom_core.sdk.errors import InvalidRequest
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths

GOOD = [
    ("VENOM_HOST", "127.0.0.1"), ("VENOM_HOST", "0.0.0.0"), ("VENOM_HOST", "::"),
    ("VENOM_HOST", "::1"), ("VENOM_HOST", "[::1]"), ("VENOM_HOST", "fe80::1%eth0"),
    ("VENOM_HOST", "localhost"), ("VENOM_HOST", "box.local"), ("VENOM_HOST", "my_box"),
    ("VENOM_HOST", "127.1"), ("VENOM_HOST", " localhost "),
    ("VENOM_ALLOWED_HOSTS", "example.org,10.0.0.5,box"), ("VENOM_ALLOWED_HOSTS", '["[::1]"]'),
    ("VENOM_ALLOWED_ORIGINS", "https://example.org,http://localhost:3000"),
    ("VENOM_ALLOWED_ORIGINS", "chrome-extension://abcdef,app://obsidian.md"),
    ("VENOM_ALLOWED_ORIGINS", "http://[::1]:3000/"),
    ("VENOM_ROOT_PATH", "/venom"), ("VENOM_ROOT_PATH", "/venom/"), ("VENOM_ROOT_PATH", "/"),
    ("VENOM_ROOT_PATH", "/a.b/c_d/~e-f"),
    ("VENOM_TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/8,fd00::/8,::1"),
]  # fmt: skip
BAD = [
    ("VENOM_HOST", "a b"), ("VENOM_HOST", "http://localhost"), ("VENOM_HOST", "localhost:80"),
    ("VENOM_HOST", "::::"), ("VENOM_HOST", "a/b"), ("VENOM_HOST", "é.example"),
    ("VENOM_HOST", "-x"), ("VENOM_HOST", "a" * 300),
    ("VENOM_ALLOWED_HOSTS", "example.org,a b"), ("VENOM_ALLOWED_HOSTS", "https://example.org"),
    ("VENOM_ALLOWED_HOSTS", "example.org:443"), ("VENOM_ALLOWED_HOSTS", "*"),
    ("VENOM_ALLOWED_ORIGINS", "example.org"), ("VENOM_ALLOWED_ORIGINS", "*"),
    ("VENOM_ALLOWED_ORIGINS", "https://example.org/page"),
    ("VENOM_ALLOWED_ORIGINS", "https://user:secret@example.org"),
    ("VENOM_ROOT_PATH", "venom"), ("VENOM_ROOT_PATH", "//x"), ("VENOM_ROOT_PATH", "/a b"),
    ("VENOM_ROOT_PATH", "/a//b"), ("VENOM_ROOT_PATH", "/é"), ("VENOM_ROOT_PATH", "/a?b"),
    ("VENOM_ROOT_PATH", "/../x/%2e"),
    ("VENOM_TRUSTED_PROXIES", "*"), ("VENOM_TRUSTED_PROXIES", "proxy.example"),
    ("VENOM_TRUSTED_PROXIES", "10.0.0.0/33"), ("VENOM_TRUSTED_PROXIES", "10.0.0.1/8"),
    ("VENOM_TRUSTED_PROXIES", "127.0.0.1,no address"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), GOOD)
def test_what_is_a_place_is_taken(tmp_path: Path, name: str, value: str) -> None:
    core = Settings.load(Paths.at(tmp_path), {name: value}).core
    assert getattr(core, name.removeprefix("VENOM_").lower())


@pytest.mark.parametrize(("name", "value"), BAD)
def test_what_is_none_is_refused_and_named(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        Settings.load(Paths.at(tmp_path), {name: value})
    assert raised.value.code == "invalid_setting" and name in raised.value.message
    assert "such as" in raised.value.message or "host name" in raised.value.message
    assert "secret" not in raised.value.message


@pytest.mark.parametrize(("name", "value"), BAD)
def test_in_the_file_it_does_not_stop_the_next_start(tmp_path: Path, name: str, value: str) -> None:
    paths = Paths.at(tmp_path)
    key = name.removeprefix("VENOM_").lower()
    listed = key in ("allowed_hosts", "allowed_origins", "trusted_proxies")
    written = str(value.split(",")).replace("'", '"') if listed else f'"{value}"'
    paths.config_file.write_text(f"[server]\n{key} = {written}\n", encoding="utf-8")
    settings = Settings.load(paths, {})
    assert settings.problem is not None
    assert getattr(settings.core, key) == getattr(
        Settings.load(Paths.at(tmp_path / "x"), {}).core, key
    )
