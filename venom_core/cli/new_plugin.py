"""A new plugin from the templates: a whole project, certified as it is made."""

from __future__ import annotations

import contextlib
import re
import shutil
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from venom_core._version import __version__
from venom_core.plugins.names import RESERVED_NAMES, is_name
from venom_core.sdk.errors import Conflict, InvalidRequest, StorageError

TEMPLATES = Path(__file__).with_name("plugin_template")
#: What the provider is over: a server that is there, or an engine that the plugin starts. Each has
#: a folder of its own beside what both have; its ``words.toml`` is what the shared files say of it.
Kind = Literal["server", "engine"]
SHARED, WORDS = "both", "words.toml"
LONGEST_NAME = 40
_PREFIX = re.compile(r"venom[_-]")


def plugin_name(given: str) -> str:
    """Return a plugin's name for what a person typed: ``venom_demo`` and ``demo`` are ``demo``.

    Raises:
        InvalidRequest: ``invalid_plugin_name``, with the reason.
    """
    name = _PREFIX.sub("", given.strip(), count=1).replace("_", "-")
    shown = "".join(char for char in given if char.isprintable())[:LONGEST_NAME]
    if not is_name(name) or not name[0].isalpha() or len(name) > LONGEST_NAME:
        raise InvalidRequest(
            f"{shown} is no name for a plugin.",
            fix="Take lower-case letters and digits, words joined by a dash: my-server",
            code="invalid_plugin_name",
        )
    if name in RESERVED_NAMES or name == "core":
        raise InvalidRequest(
            f"The name {name} is one of Venom's own.",
            fix="Take another one: a plugin of somebody else's cannot be called so.",
            code="invalid_plugin_name",
        )
    return name


def make_plugin(name: str, folder: Path, kind: Kind = "server") -> list[str]:
    """Write the project of a plugin into a new folder; return its files, as they lie in it.

    Raises:
        Conflict: ``folder_exists``: nothing there is overwritten.
        StorageError: the disk refuses; nothing is left of the folder.
    """
    files = dict(_files(kind, _words_of(name)))
    try:
        folder.mkdir(parents=True)
        with contextlib.ExitStack() as half_made:
            half_made.callback(shutil.rmtree, folder, ignore_errors=True)
            for place, text in files.items():
                path = folder / place
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            half_made.pop_all()
    except FileExistsError:
        raise Conflict(
            f"{folder} is there already, and nothing in it is overwritten.",
            fix="Name another place: venom plugins new NAME --path FOLDER",
            code="folder_exists",
        ) from None
    except OSError as error:
        raise StorageError(
            f"{folder} cannot be written ({error.strerror}).",
            fix="Name another place: venom plugins new NAME --path FOLDER",
        ) from error
    return sorted(files)


def _words_of(name: str) -> Mapping[str, str]:
    year, month, _ = __version__.split(".", 2)
    parts = name.split("-")
    return {
        "NAME": name,
        "DISTRIBUTION": f"venom-{name}",
        "PACKAGE": f"venom_{name.replace('-', '_')}",
        "CODE": name.replace("-", "_"),
        "CLASS": "".join(part.title() for part in parts) + "Provider",
        "TITLE": " ".join(part.title() for part in parts),
        "VARIABLE": f"VENOM_{name.replace('-', '_').upper()}",
        "SINCE": f"{year}.{month}",
        "UNTIL": str(int(year) + 1),
    }


def _files(kind: Kind, words: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield each file of the project: where it lies, and its text."""
    told = tomllib.loads((TEMPLATES / kind / WORDS).read_text(encoding="utf-8"))
    words = {**words, **{name: _filled(text.strip(), words) for name, text in told.items()}}
    for folder in (TEMPLATES / SHARED, TEMPLATES / kind):
        for template in sorted(folder.rglob("*.txt")):
            place = template.relative_to(folder).as_posix().removesuffix(".txt")
            place = place.replace("PACKAGE", words["PACKAGE"]).replace("dot_", ".")
            yield place, _filled(template.read_text(encoding="utf-8"), words)


def _filled(text: str, words: Mapping[str, str]) -> str:
    return re.sub(r"@([A-Z]+)@", lambda found: words[found[1]], text)
