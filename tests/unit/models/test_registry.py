"""The model that a name means, and what a provider that is down does to the list."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.guards import guarded
from venom_core.models import registry as registry_module
from venom_core.models.references import check_plain, is_plain, parse_reference
from venom_core.models.registry import ModelRegistry, Names
from venom_core.plugins.guarded import SECONDS, GuardedProvider
from venom_core.sdk.errors import (
    AmbiguousModel,
    EngineMissing,
    InvalidRequest,
    ModelNotFound,
    NotFound,
    Unavailable,
    VenomError,
)
from venom_core.sdk.provider import Model
from venom_core.testing.deadlines import patience


class Shelf:
    """A provider of which the registry uses ``models`` alone."""

    def __init__(self, *models: Model, error: BaseException | None = None) -> None:
        self.stock = models
        self.error = error
        self.asked = 0

    async def models(self) -> Sequence[Model]:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return self.stock


def registry_of(
    order: Sequence[str] = (), offers: Mapping[str, Sequence[Model]] | None = None, **shelves: Shelf
) -> ModelRegistry:
    async def names() -> Sequence[str]:
        return list(shelves)

    class Host:
        async def provider(self, name: str) -> GuardedProvider:
            if name not in shelves:
                raise NotFound("There is none.", code="provider_not_found", fix="venom plugins")
            return guarded(shelves[name], name)

        async def offered(self, name: str) -> Sequence[Model]:
            return (offers or {}).get(name, ())

        def resolve_name(self, name: str) -> str | None:
            return name if name in shelves else None

    return ModelRegistry(Host(), names, lambda: order, lambda: patience(5))  # type: ignore[arg-type]


def model(ref: str, **more: object) -> Model:
    return Model(ref, "folder", **more)  # type: ignore[arg-type]


async def test_the_bare_name_is_the_id_where_it_resolves_to_the_model() -> None:
    registry = registry_of(
        ("a", "b"), a=Shelf(model("x"), model("only-a")), b=Shelf(model("x")), c=Shelf(model("y"))
    )
    listing = await registry.listing()
    ids = {item.reference: item.id for item in listing.models}
    assert ids == {"a://x": "x", "a://only-a": "only-a", "b://x": "b://x", "c://y": "y"}
    for reference, id_ in ids.items():
        assert (await registry.resolve(id_)).reference == reference
        assert (await registry.resolve(reference)).reference == reference


async def test_without_its_engine_a_provider_offers_and_serves_nothing() -> None:
    """Its offers are listed beside the reason; another provider's model is chosen."""
    missing = Shelf(error=EngineMissing("No engine.", fix="venom plugins install b"))
    registry = registry_of(a=Shelf(model("big", instruct=False)), b=missing, offers={
        "b": [model("small", installed=False, instruct=True)]
    })  # fmt: skip
    listing = await registry.listing(fresh=True)
    assert [item.reference for item in listing.installed] == ["a://big"]
    assert [item.id for item in listing.models if not item.model.installed] == ["b://small"]
    assert listing.stale["b"].code == "engine_missing"
    chosen, _ = await registry.default(lambda: "x://*", lambda _: True)
    assert chosen.reference == "a://big"
    for name, code in (("small", "model_not_found"), ("b://small", "engine_missing")):
        with pytest.raises(VenomError) as raised:
            await registry.resolve(name)
        assert raised.value.code == code
        assert raised.value.fix == "venom plugins install b"
    missing.error = None
    missing.stock = (model("small"),)
    await registry.listing(fresh=True)
    assert (await registry.resolve("small")).reference == "b://small"


async def test_between_two_outside_the_profiles_order_nobody_wins() -> None:
    registry = registry_of((), a=Shelf(model("x")), b=Shelf(model("x")))
    with pytest.raises(AmbiguousModel) as raised:
        await registry.resolve("x")
    assert "a://x" in raised.value.message
    assert "b://x" in raised.value.message
    listing = await registry.listing()
    assert {item.id for item in listing.models} == {"a://x", "b://x"}


async def test_latest_is_understood_and_an_exact_name_comes_first() -> None:
    registry = registry_of(("a", "b"), a=Shelf(model("g:latest")), b=Shelf(model("g")))
    assert (await registry.resolve("g")).reference == "b://g"
    registry = registry_of((), a=Shelf(model("g:latest"), model("g:2b")))
    assert (await registry.resolve("g")).reference == "a://g:latest"
    assert (await registry.resolve("a://g")).reference == "a://g:latest"


async def test_a_provider_that_is_down_makes_its_part_stale_and_no_more() -> None:
    down = Shelf(model("x"))
    registry = registry_of((), a=down, b=Shelf(model("y")))
    assert len((await registry.listing()).models) == 2
    down.error = Unavailable("It is down.", code="a_down", fix="Start it.")
    listing = await registry.listing(fresh=True)
    assert [item.reference for item in listing.models] == ["a://x", "b://y"], (
        "the last answer stays"
    )
    assert listing.stale["a"].code == "a_down"
    down.error = None
    assert (await registry.listing(fresh=True)).stale == {}


async def test_a_provider_that_hangs_costs_its_own_timeout_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(SECONDS, "models", 0.05)
    hanging = Shelf()
    hanging.models = lambda: asyncio.sleep(1e6)  # type: ignore[assignment,method-assign]
    listing = await registry_of((), a=hanging, b=Shelf(model("y"))).listing()
    assert [item.reference for item in listing.models] == ["b://y"]
    assert listing.stale["a"].code == "upstream_timeout"


@pytest.mark.parametrize("error", [KeyError("x"), SystemExit(3), RecursionError()])
async def test_a_provider_that_fails_in_its_own_way_is_stale_too(error: BaseException) -> None:
    listing = await registry_of((), a=Shelf(error=error), b=Shelf(model("y"))).listing()
    assert [item.reference for item in listing.models] == ["b://y"]
    assert listing.stale["a"].code == "upstream_error"


async def test_many_requests_ask_a_provider_once() -> None:
    shelf = Shelf(model("x"))
    registry = registry_of((), a=shelf)
    for _ in range(50):
        await registry.resolve("x")
    assert shelf.asked == 1


async def test_a_model_that_came_meanwhile_is_found_at_the_second_look() -> None:
    shelf = Shelf(model("x"))
    registry = registry_of((), a=shelf)
    await registry.listing()
    shelf.stock = (model("x"), model("new"))
    assert (await registry.resolve("new")).reference == "a://new"
    assert (await registry.resolve("a://new")).reference == "a://new"
    assert shelf.asked == 2


async def test_what_is_not_there_says_how_to_get_it() -> None:
    registry = registry_of((), a=Shelf(model("can-have", installed=False)))
    with pytest.raises(ModelNotFound) as raised:
        await registry.resolve("can-have")
    assert raised.value.fix == "Fetch it with: venom pull can-have"
    with pytest.raises(ModelNotFound):
        await registry.resolve("nothing")
    with pytest.raises(NotFound) as ghost:
        await registry.resolve("ghost://x")
    assert (ghost.value.code, ghost.value.fix) == ("provider_not_found", "venom plugins")


async def test_a_named_provider_that_is_down_is_the_reason_given() -> None:
    registry = registry_of((), a=Shelf(error=Unavailable("It is down.", code="a_down", fix="Up!")))
    with pytest.raises(Unavailable) as raised:
        await registry.resolve("a://x")
    assert (raised.value.code, raised.value.fix) == ("a_down", "Up!")


@pytest.mark.parametrize(
    ("fits_up_to", "chosen"), [(10**12, "ollama://gemma3:12b"), (5, "ollama://gemma3:4b"),
                           (0, "ollama://gemma3:4b")],
)  # fmt: skip
async def test_the_default_is_the_largest_match_that_fits(fits_up_to: int, chosen: str) -> None:
    registry = registry_of(
        ("ollama",),
        ollama=Shelf(model("gemma3:4b", size_bytes=4), model("gemma3:12b", size_bytes=12),
                     model("other:70b", size_bytes=70)),
        b=Shelf(model("z")),
    )  # fmt: skip
    item, because = await registry.default(
        lambda: "ollama://gemma3:*", lambda one: one.size_bytes <= fits_up_to
    )
    assert item.reference == chosen
    assert because


async def test_an_instruct_model_comes_before_a_base_model() -> None:
    registry = registry_of(
        ("a", "b"), a=Shelf(model("base", instruct=False)), b=Shelf(model("it", instruct=True))
    )
    assert (await registry.default(lambda: "ollama://*", lambda _: True))[0].reference == "b://it"
    registry = registry_of(("a",), a=Shelf(model("base", instruct=False)))
    assert (await registry.default(lambda: "ollama://*", lambda _: True))[0].reference == "a://base"


async def test_an_embedding_model_is_never_chosen_to_chat() -> None:
    registry = registry_of((), a=Shelf(model("e", capabilities=frozenset({"embedding"}))))
    with pytest.raises(ModelNotFound) as raised:
        await registry.default(lambda: "ollama://*", lambda _: True)
    assert raised.value.code == "no_model"


@given(st.text(max_size=250))
def test_what_is_fetched_is_no_path_no_flag_and_no_line(text: str) -> None:
    if not is_plain(text):
        return
    assert str(parse_reference(text)) == text
    assert text.isascii()
    assert not text.startswith(("/", "-"))
    assert ".." not in text.replace(":", "/").replace("@", "/").split("/")
    assert not set(text) & set(" \n\r\t\0?#%\\&;|$`'\"<>*")


@pytest.mark.parametrize(
    "text", ["a/../b", "..", "a:..", "../a", "/etc/passwd", "-rf", "a b", "a\n", "", "a%2e%2e",
             "a\\b", "ś"],
)  # fmt: skip
def test_probllama_names_that_could_leave_a_folder_are_not_fetched(text: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        check_plain(text, param="name")
    assert raised.value.code == "invalid_model_name"


@pytest.mark.parametrize(
    "text", ["", " ", "a\n", "a\x1b[31m", "a\ud800", "a\x9b", "a\u202e", "x" * 501, "UP://x", "x://",
             "://x", "x://a\tb"],
)  # fmt: skip
def test_what_cannot_be_shown_is_no_reference(text: str) -> None:
    with pytest.raises(InvalidRequest):
        parse_reference(text)


@pytest.mark.parametrize(
    "text", ["My Model (v2).gguf", "Żółw 1b", "/models/llama 3/", "a?b#c%20d", "s3://bucket/x",
             "remote://s3://bucket/x", "../x", "x" * 500],
)  # fmt: skip
def test_names_are_opaque(text: str) -> None:
    assert str(parse_reference(text)) == text


@pytest.mark.parametrize(
    "text", ["gemma3:4b", "org/model", "org/model@main", "hf.co/a/b:Q4_K_M", "ollama://ns/m:tag",
             "a..b", "v1.5"],
)  # fmt: skip
def test_the_fields_names_pass(text: str) -> None:
    assert str(parse_reference(text)) == text


def names_in_use(**more: object) -> object:
    """Give the registry aliases and models that win over others."""

    async def meant() -> Names:
        return names

    names = Names(**more)  # type: ignore[arg-type]
    return meant


def two_shelves(**more: object) -> ModelRegistry:
    registry = registry_of(("a", "b"), a=Shelf(model("x"), model("y:latest")), b=Shelf(model("x")))
    registry._names = names_in_use(**more)  # type: ignore[assignment]
    return registry


async def test_the_order_of_meanings_alias_then_in_use_then_the_profile() -> None:
    """Each step is taken only where the one before it says nothing."""
    steps = (
        ({"aliases": {"x": "a://y"}, "preferred": (("b", "x"),)}, "a://y:latest"),
        ({"preferred": (("b", "x"),)}, "b://x"),
        ({}, "a://x"),
    )
    for more, meant in steps:
        registry = two_shelves(**more)
        assert (await registry.resolve("x")).reference == meant
        assert (await registry.resolve("b://x")).reference == "b://x", "a full name is never bent"


async def test_the_listed_id_follows_aliases_and_what_is_in_use() -> None:
    for more in ({"preferred": (("b", "x"),)}, {"aliases": {"x": "a://y"}}, {}):
        registry = two_shelves(**more)
        for item in (await registry.listing()).installed:
            assert (await registry.resolve(item.id)).reference == item.reference


async def test_a_change_of_what_is_in_use_shows_at_once() -> None:
    registry = two_shelves()
    assert [item.id for item in (await registry.listing()).models] == ["x", "y:latest", "b://x"]
    registry._names = names_in_use(preferred=(("b", "x"),))  # type: ignore[assignment]
    assert [item.id for item in (await registry.listing()).models] == ["a://x", "y:latest", "x"]


async def test_what_is_in_use_settles_what_would_be_ambiguous() -> None:
    registry = registry_of((), a=Shelf(model("x")), b=Shelf(model("x")))
    registry._names = names_in_use(preferred=(("c", "x"), ("b", "x")))  # type: ignore[assignment]
    assert (await registry.resolve("x")).reference == "b://x"


async def test_aliases_may_follow_each_other_and_a_loop_ends() -> None:
    registry = two_shelves(aliases={"one": "two", "two": "b://x", "p": "q", "q": "p"})
    assert (await registry.resolve("one")).reference == "b://x"
    with pytest.raises(InvalidRequest) as raised:
        await registry.resolve("p")
    assert raised.value.code == "alias_loop"


async def test_what_is_known_is_told_without_asking() -> None:
    shelf = Shelf(model("x"))
    registry = registry_of((), a=shelf)
    assert registry.known() is None
    await registry.listing()
    shelf.error = Unavailable("It is down.")
    known = registry.known()
    assert known is not None
    assert [item.reference for item in known.installed] == ["a://x"]
    await registry.close()


async def test_a_change_between_asking_and_reading_leaves_no_gap() -> None:
    """A pull that ends while somebody else's question is on its way forgets the listing."""
    shelf = Shelf(model("x"))
    registry = registry_of(a=shelf, b=Shelf(model("y")))
    ask_one = registry._ask_one

    async def asked_and_changed(name: str) -> None:
        await ask_one(name)
        registry.forget(name)

    registry._ask_one = asked_and_changed  # type: ignore[method-assign]
    assert [item.id for item in (await registry.listing()).models] == ["x", "y"]
    assert (await registry.resolve("a://x")).model.ref == "x"
    assert shelf.asked >= 2, "what was forgotten is asked for again"


async def test_a_provider_that_hangs_costs_a_listing_nothing_but_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is asked on, and what it says at last is in the next listing."""
    monkeypatch.setitem(SECONDS, "models", 0.1)
    monkeypatch.setattr(registry_module, "TROUBLE_PATIENCE", 0.01)
    answers = asyncio.Event()

    class Hanging(Shelf):
        async def models(self) -> Sequence[Model]:
            self.asked += 1
            await answers.wait()
            return self.stock

    hanging = Hanging(model("slow"))
    registry = registry_of(a=Shelf(model("x")), b=hanging)
    for _ in range(3):
        listing = await registry.listing(fresh=True)
        assert [item.id for item in listing.models] == ["x"]
        assert "b" in listing.stale
    assert hanging.asked == 2, "one question is on its way, not one for every listing"
    monkeypatch.setitem(SECONDS, "models", 10.0)
    asyncio.get_running_loop().call_later(0.2, answers.set)
    assert (await registry.resolve("slow")).reference == "b://slow", "who asks for it waits"
    listing = await registry.listing(fresh=True)
    assert ([item.id for item in listing.models], dict(listing.stale)) == (["x", "slow"], {})
    await registry.close()


async def test_what_a_source_brought_is_run_by_the_runtime_that_lists_the_same_files() -> None:
    digest = f"sha256:{'a' * 64}"
    kept = model("org/tiny:Q4", digest=digest, capabilities=frozenset())
    other = model("org/other:Q4", digest=f"sha256:{'b' * 64}", capabilities=frozenset())
    runs = model("hf.co/org/tiny:Q4", digest=digest, capabilities=frozenset({"chat"}))
    registry = registry_of(
        ("llamacpp", "vllm"), hub=Shelf(kept, other), vllm=Shelf(runs), llamacpp=Shelf(runs)
    )
    listing = await registry.listing()
    grouped = {item.reference: (item.source, item.runtimes) for item in listing.models}
    assert grouped == {
        "hub://org/tiny:Q4": ("hub", ("vllm", "llamacpp")),
        "hub://org/other:Q4": ("hub", ()),
        "vllm://hf.co/org/tiny:Q4": ("hub", ("vllm", "llamacpp")),
        "llamacpp://hf.co/org/tiny:Q4": ("hub", ("vllm", "llamacpp")),
    }
    asked = await registry.resolve("hub://org/tiny:Q4")
    assert (await registry.serving(asked)).reference == "llamacpp://hf.co/org/tiny:Q4"
    alone = await registry.resolve("hub://org/other:Q4")
    assert await registry.serving(alone) is alone


LATE_OR_FAILING = {
    "late": None,
    "its own error": KeyError("x"),
    "exits": SystemExit(3),
    "interrupts": KeyboardInterrupt(),
    "cancels itself": asyncio.CancelledError(),
    "refuses": Unavailable("It is down."),
}


@pytest.mark.parametrize("patient", [True, False])
@pytest.mark.parametrize("trouble", LATE_OR_FAILING)
async def test_who_is_late_or_fails_keeps_what_it_listed_before(
    monkeypatch: pytest.MonkeyPatch, trouble: str, *, patient: bool
) -> None:
    shelf = Shelf(model("x"), model("y"))
    registry = registry_of(a=shelf, b=Shelf(model("z")))
    await registry.listing()
    if trouble == "late":
        monkeypatch.setitem(SECONDS, "models", 0.05)
        shelf.models = lambda: asyncio.sleep(1e6)  # type: ignore[assignment,method-assign]
    shelf.error = LATE_OR_FAILING[trouble]
    for _ in range(2):
        listing = await registry.listing(fresh=True, patient=patient)
        assert [item.reference for item in listing.models] == ["a://x", "a://y", "b://z"]
        assert set(listing.stale) == {"a"}
    assert (await registry.resolve("a://x")).model.ref == "x"
    await registry.close()


async def test_who_is_late_to_open_keeps_what_it_listed_before() -> None:
    registry = registry_of(a=Shelf(model("x")))
    await registry.listing()
    registry._open_patience = lambda: 0.05
    registry._host.provider = lambda name: asyncio.sleep(1e6)  # type: ignore[method-assign,assignment]
    listing = await registry.listing(fresh=True)
    assert [item.reference for item in listing.models] == ["a://x"]
    assert listing.stale["a"].code == "upstream_timeout"


@pytest.mark.parametrize(
    ("kept", "served"),
    [
        ({"digest": f"commit:{'c' * 40}"}, {"digest": f"commit:{'c' * 40}"}),
        ({"digest": f"commit:{'c' * 40}#Q4_K_M"}, {"digest": f"commit:{'c' * 40}#Q4_K_M"}),
        ({"location": Path("/models/a")}, {"location": Path("/models/a")}),
        ({"digest": "bare", "location": Path("/models/a")}, {"location": Path("/models/a")}),
    ],
)
async def test_a_folder_is_run_by_the_runtime_that_lists_the_same_folder(
    kept: dict[str, Any], served: dict[str, Any]
) -> None:
    source = model("org/tiny", capabilities=frozenset(), **kept)
    runs = model("tiny", capabilities=frozenset({"chat"}), **served)
    registry = registry_of(("onnx",), hub=Shelf(source), onnx=Shelf(runs))
    listing = await registry.listing()
    grouped = {item.reference: (item.source, item.runtimes) for item in listing.models}
    assert grouped == {"hub://org/tiny": ("hub", ("onnx",)), "onnx://tiny": ("hub", ("onnx",))}
    asked = await registry.resolve("hub://org/tiny")
    assert (await registry.serving(asked)).reference == "onnx://tiny"


@pytest.mark.parametrize(
    ("kept", "other"),
    [
        ({}, {}),
        ({"digest": "a" * 64}, {"digest": "a" * 64}),
        ({"digest": f"commit:{'c' * 40}"}, {"digest": f"commit:{'d' * 40}"}),
        ({"digest": f"commit:{'c' * 40}"}, {"digest": f"commit:{'c' * 40}#Q4_K_M"}),
        ({"digest": f"sha256:{'c' * 40}"}, {"digest": f"commit:{'c' * 40}"}),
        ({"location": Path("/models/a")}, {"location": Path("/models/b")}),
        ({"digest": "C:/models", "location": None}, {"digest": "C:/models"}),
    ],
)
async def test_what_nothing_says_to_be_the_same_stays_apart(
    kept: dict[str, Any], other: dict[str, Any]
) -> None:
    source = model("org/tiny", capabilities=frozenset(), **kept)
    runs = model("tiny", capabilities=frozenset({"chat"}), **other)
    registry = registry_of(("onnx",), hub=Shelf(source), onnx=Shelf(runs))
    grouped = {item.reference: item.runtimes for item in (await registry.listing()).models}
    assert grouped == {"hub://org/tiny": (), "onnx://tiny": ("onnx",)}
    asked = await registry.resolve("hub://org/tiny")
    assert await registry.serving(asked) is asked
