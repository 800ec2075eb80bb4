"""`venom run ./model.gguf`: a file of one's own, served for this one command."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import Any

from venom_core.cli.first_steps import EMBEDDED
from venom_core.sdk.errors import (
    Conflict,
    EngineMissing,
    InvalidRequest,
    NotFound,
    VenomError,
    restored,
)
from venom_core.sdk.gguf import NotGguf, model_name, read_header
from venom_core.sdk.hub_files import is_gguf_model, is_later_part, parts_of
from venom_core.settings.variables import provider_variable

VARIABLE = provider_variable(EMBEDDED, "model_paths")
SUFFIX = ".gguf"


def is_gguf_path(word: str) -> bool:
    """Return whether a word names a file: no reference, and no sentence that ends in such a
    name."""
    if not word.lower().endswith(SUFFIX) or "://" in word:
        return False
    return not any(character.isspace() for character in word) or Path(word).is_file()


def is_there(word: str) -> bool:
    """Return whether the file that a word names is on this machine."""
    return Path(word).expanduser().is_file()


def offer_file(word: str, env: MutableMapping[str, str] | None = None) -> Path:
    """Name the file in the environment, where the provider's settings are read from.

    Raises ``NotFound`` where there is no such file.
    """
    env = os.environ if env is None else env
    path = Path(word).expanduser().absolute()
    if not is_there(word):
        raise NotFound(
            f"There is no file {word}.", code="file_not_found", fix="See the models: venom list"
        )
    if "," in str(path):
        raise InvalidRequest(
            "A path with a comma cannot be named in a setting.", fix="Rename the file or folder."
        )
    given = [part for part in (env.get(VARIABLE), str(path)) if part]
    env[VARIABLE] = ",".join(given)
    return path


def reference_of(
    path: Path, listing: Mapping[str, Any], plugins: Sequence[Mapping[str, Any]], url: str | None
) -> str:
    """Return the reference that the provider gave the file.

    Args:
        plugins: the records of what is installed.

    Raises ``Conflict`` where a running server does not serve it, ``InvalidRequest`` where it is
    no model, or why the provider did not say.
    """
    name = model_name(path)
    for model in listing["models"]:
        if model["provider"] == EMBEDDED and model["name"] == name:
            return str(model["reference"])
    for unheard in listing["stale"]:
        if unheard["provider"] == EMBEDDED:
            raise restored(unheard)
    if kept_out := next(_kept_out(plugins), None):
        raise restored(kept_out)
    if url is not None:
        raise Conflict(
            f"The running server does not serve {path.name}.",
            code="file_not_served",
            fix=f"Stop it and run this again, or start it with {VARIABLE}={path}",
        )
    raise _not_served(path)


def _kept_out(plugins: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield the reason that the engine's plugin, where it is installed, does not take part."""
    for record in plugins:
        if record["id"] == EMBEDDED:
            parts = (record, *record["providers"])
            yield from (part["reason"] for part in parts if part["reason"])


def _not_served(path: Path) -> VenomError:
    """Return why no provider serves a file that was named to one."""
    try:
        read_header(path)
    except NotGguf as error:
        return InvalidRequest(
            f"{path.name} is no usable GGUF file: {error}.",
            code="file_not_usable",
            fix="Fetch or copy it again, or name another file.",
        )
    except OSError as error:
        return InvalidRequest(
            f"{path.name} cannot be read ({error.strerror}).",
            code="file_not_usable",
            fix=f"Let this user read it: chmod u+r {path}",
        )
    if not is_gguf_model(path.name) or is_later_part(path.name):
        return InvalidRequest(
            f"{path.name} is a part that cannot answer alone.",
            code="file_not_usable",
            fix="Name the model's own file, or the first of its parts (-00001-of-...).",
        )
    if missing := [part.name for part in parts_of(path) if not part.exists()]:
        return InvalidRequest(
            f"{path.name} is one part of several, and {missing[0]} is not beside it.",
            code="file_not_usable",
            fix="Fetch or copy all parts into one folder.",
        )
    return EngineMissing(
        "The embedded engine, which runs GGUF files, is not installed.",
        fix=f"venom plugins install {EMBEDDED}",
    )
