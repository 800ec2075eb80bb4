"""States that a command meets: the true sentence, and a fix that ends the state when it is done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from venom_core.cli import gguf
from venom_core.cli.gguf import reference_of
from venom_core.models.registry import ListedModel, Listing, ModelRegistry
from venom_core.models.transfers import ModelTransfers
from venom_core.models.unknown import unknown_model
from venom_core.sdk.errors import (
    EngineMissing,
    InvalidRequest,
    ModelNotFound,
    Unavailable,
    VenomError,
)
from venom_core.sdk.provider import Model, PullPlan
from venom_core.sdk.spec import Capability, Proposal, ProviderSpec, Setting
from venom_core.sdk.states import Reason
from venom_core.settings.values import convert
from venom_core.testing import scripted
from venom_core.testing.deadlines import patience
from venom_core.testing.gguf import gguf_bytes
from venom_core.testing.scripted import SCRIPTS, Script, say

HEADER = {"general.architecture": "llama", "llama.context_length": 4096}
FILES = {
    "noise": (b"hello" * 100, "m.gguf", "it does not begin as a GGUF file", "Fetch or copy"),
    "empty": (b"", "m.gguf", "it ends in the middle of its header", "Fetch or copy"),
    "later part": (gguf_bytes(HEADER), "m-00002-of-00003.gguf", "a part that cannot", "first of"),
    "parts missing": (gguf_bytes(HEADER), "m-00001-of-00003.gguf", "m-00002-of-00003.gguf is not",
                      "all parts"),
    "projector": (gguf_bytes(HEADER), "mmproj-m.gguf", "a part that cannot", "own file"),
    "no engine": (gguf_bytes(HEADER), "m.gguf", "is not installed", "venom plugins install"),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_not_served_says_its_own_reason(tmp_path: Path, name: str) -> None:
    data, called, sentence, fix = FILES[name]
    path = tmp_path / called
    path.write_bytes(data)
    listing = {"models": [], "stale": []}
    with pytest.raises(VenomError) as refused:
        reference_of(path, listing, [], None)
    assert sentence in refused.value.message and fix in str(refused.value.fix)
    # Done: a whole file under a name of its own, and the engine there.
    served = {"provider": gguf.EMBEDDED, "name": "whole", "reference": "x://whole"}
    assert reference_of(tmp_path / "whole.gguf", {"models": [served], "stale": []}, [], None)


ENGINE_GONE = {"code": "engine_missing", "message": "It is not there.", "fix": "Install it."}
SWITCHED_OFF = {"code": "disabled_by_user", "message": "It is disabled.",
                "fix": "venom plugins enable llamacpp"}  # fmt: skip


@pytest.mark.parametrize(
    ("record", "told"),
    [
        ({"reason": SWITCHED_OFF, "providers": []}, SWITCHED_OFF),
        ({"reason": None, "providers": [{"reason": ENGINE_GONE}]}, ENGINE_GONE),
    ],
)
def test_an_engine_that_takes_no_part_says_why(
    tmp_path: Path, record: dict[str, Any], told: dict[str, Any]
) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(gguf_bytes(HEADER))
    plugins = [{"id": "another", "reason": None, "providers": []}, {"id": gguf.EMBEDDED, **record}]
    with pytest.raises(VenomError) as refused:
        reference_of(path, {"models": [], "stale": []}, plugins, None)
    assert (refused.value.code, refused.value.fix) == (told["code"], told["fix"])


@pytest.mark.parametrize(
    "written", ["127.0.0.1:8000", "http://127.0.0.1:8000", "localhost:8000/v1", " 10.0.0.2:1 "]
)
def test_a_list_of_urls_takes_what_people_write(written: str) -> None:
    urls = convert(Setting("urls", "list", (), "", items="url"), written, "VENOM_X__URLS")
    assert isinstance(urls, tuple) and urls[0].startswith("http://")


@pytest.mark.parametrize("written", ["ftp://x", "http://", "http://a b", "http://x:0"])
def test_what_is_no_url_is_refused_where_it_stands(written: str) -> None:
    with pytest.raises(InvalidRequest, match="VENOM_X__URLS must be http:// or https:// URLs"):
        convert(Setting("urls", "list", (), "", items="url"), written, "VENOM_X__URLS")


class Source:
    """A provider that fetches, or does not answer."""

    def __init__(self, *taken: str, down: VenomError | None = None, proposes: str = "") -> None:
        self.taken, self.down, self.proposes = taken, down, proposes

    def canonical(self, ref: str) -> str:
        return ref

    async def models(self) -> list[Model]:
        if self.down is not None:
            raise self.down.again()
        return []

    async def plan_pull(self, ref: str) -> PullPlan:
        if ref not in self.taken and "*" not in self.taken:
            raise ModelNotFound(f"The embedded engine cannot fetch {ref!r}.", param="name")
        return PullPlan(ref)


class Host:
    def __init__(self, **sources: Source) -> None:
        self.sources = sources

    async def provider(self, name: str) -> Source:
        return self.sources[name]

    async def offered(self, name: str) -> list[Model]:
        return []

    def resolve_name(self, name: str) -> str | None:
        return name if name in self.sources else None

    def specs(self) -> dict[str, ProviderSpec]:
        return {
            name: ProviderSpec(
                name, name, name, "m:C", frozenset({Capability.PULL}),
                proposals=(Proposal(source.proposes, "t", 1, "s"),) if source.proposes else (),
            )
            for name, source in self.sources.items()
        }  # fmt: skip


def transfers_of(**sources: Source) -> ModelTransfers:
    host = Host(**sources)

    async def names() -> list[str]:
        return list(sources)

    registry = ModelRegistry(host, names, lambda: list(sources), lambda: patience(5))  # type: ignore[arg-type]
    return ModelTransfers(host, registry, lambda _: None, lambda _: names())  # type: ignore[arg-type]


NOT_HERE = EngineMissing("Big is not installed here.", fix="Install it.")
DOWN = Unavailable("Big does not answer.", code="big_down", fix="Start it: big serve")


@pytest.mark.parametrize("absent", [NOT_HERE, DOWN])
@pytest.mark.parametrize("name", ["proposed:4b", "any:1b"])
async def test_a_pull_blames_who_is_absent_and_not_who_answers(
    absent: VenomError, name: str
) -> None:
    small, big = Source("tiny"), Source("*", down=absent, proposes="proposed:4b")
    with pytest.raises(type(absent)) as refused:
        await transfers_of(small=small, big=big).plan(name)
    assert refused.value.message == f"Nobody who answers now can fetch {name!r}. {absent.message}"
    assert refused.value.fix == absent.fix
    big.down = None  # the fix is done
    assert await transfers_of(small=small, big=big).plan(name) == ("big", PullPlan(name))


async def test_who_answers_and_has_it_is_taken_whoever_is_absent() -> None:
    plan = await transfers_of(big=Source("*", down=DOWN), small=Source("tiny")).plan("tiny")
    assert plan == ("small", PullPlan("tiny"))


async def test_with_one_source_its_own_words_are_told() -> None:
    with pytest.raises(ModelNotFound, match="The embedded engine cannot fetch 'x'"):
        await transfers_of(small=Source("tiny")).plan("x")


def test_a_misspelt_model_is_run_by_the_name_that_the_fix_gives(cli) -> None:
    SCRIPTS["gemma3:4b"] = Script(say("Warsaw"))
    refused = cli("run", "gema3:4b", "Hello there")
    assert "The model 'gema3:4b' is not installed." in refused.err
    assert "Did you mean gemma3:4b?" in refused.err
    assert cli("run", "gemma3:4b", "Hello there").out == "Warsaw\n"


def test_an_unknown_model_is_among_those_of_the_list(cli) -> None:
    SCRIPTS["gemma3:4b"] = Script(say("Warsaw"))
    assert "venom list" in cli("show", "quite-another").err
    assert "gemma3:4b" in cli("list").out
    assert not scripted.SEEN.requests


def test_the_last_key_revoked_says_what_that_opens(cli) -> None:
    for name in ("a", "b"):
        cli("keys", "create", name)
    ids = [line.split()[0] for line in cli("keys", "list").out.splitlines()[1:]]
    assert "last key" not in cli("keys", "revoke", ids[0]).err
    assert "now lets everybody" in cli("keys", "revoke", ids[1]).err


OFFERED = ListedModel("small", Model("tiny", "gguf", installed=False))
HERE = ListedModel("small", Model("tiny", "gguf"))


@pytest.mark.parametrize(
    ("models", "reason", "mentioned"),
    [
        ((HERE,), NOT_HERE, False),
        ((OFFERED,), NOT_HERE, False),
        ((), NOT_HERE, True),  # nobody else is there: without it nothing will answer
        ((HERE,), DOWN, True),
    ],
)
def test_who_is_not_on_this_machine_is_not_mentioned(
    models: tuple[ListedModel, ...], reason: VenomError, mentioned: bool
) -> None:
    listing = Listing(models, {"big": Reason.of(reason)})
    assert (reason.message in unknown_model("x", listing).message) is mentioned
