"""Other spellings of a name, and a name that a provider may have which was never heard."""

from __future__ import annotations

import pytest

from tests.unit.models.test_registry import Shelf, model, registry_of
from venom_core.sdk.errors import EngineMissing, ModelNotFound, Unavailable, VenomError


class Folding(Shelf):
    def canonical(self, ref: str) -> str:
        return ref.lower().removeprefix("library/")


@pytest.mark.parametrize(
    "name", ["a://X:1b", "X:1B", "library/x:1b", "a://Library/X:1b", "LIBRARY/x:1b"]
)
async def test_a_provider_says_which_names_are_the_same(name: str) -> None:
    registry = registry_of(("a", "b"), a=Folding(model("x:1b")), b=Shelf(model("other")))
    assert (await registry.resolve(name)).reference == "a://x:1b"


async def test_the_name_itself_comes_before_another_spelling_of_it() -> None:
    registry = registry_of(("a",), a=Folding(model("x"), model("X")))
    assert (await registry.resolve("X")).reference == "a://X"


DOWN = Unavailable("It is down.", code="ollama_down", fix="Start it.")
MISSING = EngineMissing("No engine.", fix="Install it.")


@pytest.mark.parametrize(
    ("error", "name", "code"),
    [
        (DOWN, "llama3.2", "ollama_down"),
        (DOWN, "gemma3:4b", "ollama_down"),
        (DOWN, "othr-model", "model_not_found"),
        (MISSING, "llama3.2", "model_not_found"),
    ],
    ids=["unknown", "tagged", "nearly one that is there", "no engine"],
)
async def test_a_name_that_a_silent_provider_may_have(
    error: VenomError, name: str, code: str
) -> None:
    registry = registry_of(a=Shelf(error=error), b=Shelf(model("other-model")))
    with pytest.raises(VenomError) as caught:
        await registry.resolve(name)
    assert caught.value.code == code


async def test_a_provider_that_was_heard_once_did_not_have_it() -> None:
    shelf = Shelf(model("x"))
    registry = registry_of(a=shelf)
    await registry.listing()
    shelf.error = DOWN
    with pytest.raises(ModelNotFound):
        await registry.resolve("llama3.2")
