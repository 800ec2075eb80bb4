"""An installation of the original system: read, taken over, and left again."""

from __future__ import annotations

import asyncio
import shutil
import stat
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from venom_core.composition import Venom
from venom_core.sdk.errors import NotFound
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths
from venom_core.store.audit import Actor
from venom_core.testing import scripted
from venom_core.testing.scripted import Script, say
from venom_core.testing.staging import SCRIPTED, entry, venom_over
from venom_core.usecases.legacy import Takeover, read_original, roll_back
from venom_core.usecases.overrides import Finding

INSTALLED = (
    SCRIPTED,
    *(entry(f"venom_{name}.plugin") for name in ("ollama", "llamacpp", "remote")),
)
ENV = Path(__file__).with_name("original.env")
MODEL = "org/gemma-3-4b-it"


@pytest.fixture
def original(tmp_path: Path) -> Path:
    folder = tmp_path / "original"
    (folder / "models").mkdir(parents=True)
    (folder / "models" / "tiny.gguf").write_bytes(b"GGUF")
    shutil.copy(ENV, folder / ".env")
    scripted.reset()
    scripted.SCRIPTS[MODEL] = Script(say("x"))
    yield folder
    scripted.reset()


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths.at(tmp_path / "home")


@asynccontextmanager
async def opened(paths: Paths) -> AsyncIterator[Venom]:
    venom = venom_over(Settings.load(paths, {"OLLAMA_HOST": "127.0.0.1:9"}), INSTALLED)
    await venom.start()
    await venom.host.load_all()
    try:
        yield venom
    finally:
        await venom.close()


async def taken_over(paths: Paths, folder: Path, *, dry_run: bool = False) -> dict[str, Finding]:
    async with opened(paths) as venom:
        takeover = Takeover(
            venom.settings,
            venom.host.specs(),
            venom.registry,
            venom.manager,
            Actor.local(),
            dry_run=dry_run,
        )
        findings = await takeover.run(read_original(folder))
    return {finding.name: finding for finding in findings}


async def test_what_can_be_taken_is_taken(paths: Paths, original: Path) -> None:
    findings = await taken_over(paths, original)
    written = tomllib.loads(paths.config_file.read_text())
    assert written["runtime"]["profile"] == "full", "an alias of the original"
    assert written["chat"]["ollama_model"] == "gemma3:4b"
    assert written["chat"]["simple_mode_system_prompt"] == "Answer briefly."
    assert written["providers"]["ollama"] == {"keep_alive": "5m", "profile": "low-vram-8-12gb"}
    assert "models" not in written, "the parameters are in the store"
    assert written["providers"]["remote"]["urls"] == ["http://127.0.0.1:8001"]
    assert written["providers"]["llamacpp"]["model_paths"] == [str(original / "models")]
    async with opened(paths) as venom:
        assert venom.profile.name == "full"
        active = await venom.manager.active("chat")
        assert active is not None and active.reference == f"scripted://{MODEL}"
        item = await venom.registry.resolve("gemma-3-4b-it")
        assert item.reference == f"scripted://{MODEL}", "the original's short name"
        assert await venom.manager.overrides(item) == {"temperature": 0.3, "max_tokens": 800}
    assert "num_ctx" in findings["MODEL_GENERATION_OVERRIDES scripted gemma-3-4b-it"].message


async def test_what_is_left_is_said(paths: Paths, original: Path) -> None:
    findings = await taken_over(paths, original)
    left = {name: one.message for name, one in findings.items() if one.outcome == "left"}
    assert "never run" in left["VLLM_START_COMMAND"]
    assert "venom-neon" in left["UI_THEME_DEFAULT"]
    assert "not installed" in left["MODEL_GENERATION_OVERRIDES ollama gemma3:4b"]
    assert "temperature" in left["MODEL_GENERATION_OVERRIDES vllm gemma-3-4b-it"]
    assert "REDIS_HOST" not in findings, "what has no meaning here is nobody's trouble"


async def test_a_secret_is_taken_and_never_shown(paths: Paths, original: Path) -> None:
    findings = await taken_over(paths, original)
    assert findings["HF_TOKEN"].outcome == "taken"
    assert "hf_secret" not in str([finding.record() for finding in findings.values()])
    assert "hf_secret" not in paths.config_file.read_text()
    assert stat.S_IMODE(paths.secrets_file.stat().st_mode) == 0o600
    written = tomllib.loads(paths.secrets_file.read_text())
    assert written["providers"]["llamacpp"]["hf_token"] == "hf_secret_of_the_original"


async def test_a_dry_run_says_the_same_and_changes_nothing(paths: Paths, original: Path) -> None:
    planned = await taken_over(paths, original, dry_run=True)
    assert not paths.config_file.exists()
    done = await taken_over(paths, original)
    assert planned == done


@pytest.mark.parametrize("before", ["nothing", "something"])
async def test_it_can_be_rolled_back(paths: Paths, original: Path, before: str) -> None:
    if before == "something":
        async with opened(paths) as venom:
            await asyncio.to_thread(venom.store.keys().create, "laptop")
        paths.config_file.write_text('[runtime]\nprofile = "light"\n')
    untouched = ENV.read_bytes()
    await taken_over(paths, original)
    await taken_over(paths, original)  # a second import must not become what one goes back to
    await asyncio.to_thread(roll_back, paths)
    assert paths.config_file.exists() == paths.store_file.exists() == (before == "something")
    assert not paths.secrets_file.exists(), "the token came with the import"
    if before == "something":
        async with opened(paths) as venom:
            assert (venom.profile.name, await venom.manager.active("chat")) == ("light", None)
            keys = await asyncio.to_thread(venom.store.keys().list)
            assert [key.name for key in keys] == ["laptop"]
    assert (original / ".env").read_bytes() == untouched
    with pytest.raises(NotFound):
        await asyncio.to_thread(roll_back, paths)


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"ollama": 5}', '{"ollama": {"m": 5}}', '{"a": {"m": {"t": NaN}}}']
)
async def test_overrides_that_are_no_object(paths: Paths, original: Path, text: str) -> None:
    (original / ".env").write_text(f"MODEL_GENERATION_OVERRIDES={text}\n")
    findings = await taken_over(paths, original)
    told = [one for name, one in findings.items() if name.startswith("MODEL_GENERATION_OVER")]
    assert [one.outcome for one in told] == ["left"]


@pytest.mark.parametrize("odd", ["1" + "0" * 30, "-1", "NaN", "1e999", '"12"', "true", "[]"])
async def test_one_bad_override_leaves_the_others(paths: Paths, original: Path, odd: str) -> None:
    given = f'{{"temperature": {odd}, "num_predict": 800}}'
    text = f'{{"scripted": {{"gemma-3-4b-it": {given}, "other": {odd}}}, "vllm": {odd}}}'
    (original / ".env").write_text(f"MODEL_GENERATION_OVERRIDES={text}\n")
    findings = await taken_over(paths, original)
    taken = findings["MODEL_GENERATION_OVERRIDES scripted gemma-3-4b-it"]
    assert taken.outcome == "taken"
    assert "'max_tokens': 800" in taken.message and "temperature must be" in taken.message
    assert findings["MODEL_GENERATION_OVERRIDES scripted other"].outcome == "left"
    assert findings["MODEL_GENERATION_OVERRIDES vllm"].outcome == "left"


def test_a_folder_without_anything(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as raised:
        read_original(tmp_path)
    assert raised.value.code == "legacy_not_found"
