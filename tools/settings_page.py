"""`python -m tools.settings_page`: write what docs/configuration.md and its Polish say of each
setting's type, bounds, default, other names and moment, and the table of all, from the settings.

What a setting is for is written by hand, above. ``--check`` compares instead.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Final

from tools import generated
from tools.plugins import make_importable, packages
from tools.projects import ROOT
from venom_core.sdk.spec import Setting
from venom_core.settings.core import CORE_SETTINGS
from venom_core.settings.variables import provider_variable

TARGETS = {
    "en": ROOT / "docs" / "configuration.md",
    "pl": ROOT / "docs" / "pl" / "configuration.md",
}
_SECTION = re.compile(
    r"^### `(?P<env>\w+)`\n(?P<body>.*?)(?=^#{1,3} |\Z)", re.MULTILINE | re.DOTALL
)
_FACTS = re.compile(r"^(In the file|W pliku) `.*$", re.MULTILINE)
_TABLE = re.compile(
    r"(?P<head>^## (All of them|Wszystkie naraz)\n(?:[^|#\n].*\n|\n)+)(?:\|.*\n)*", re.MULTILINE
)
#: Numbers from here on are written without an exponent.
_LARGE = 1e6
_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "facts": "In the file", "one of": "one of", "default": "default", "unset": "not set",
        "str": "text", "int": "a whole number", "float": "a number", "bool": "true or false",
        "url": "a URL", "path": "a path", "list": "a list", "between": "from {} to {}",
        "least": "at least {}", "also": "Also read from", "then": ", then from",
        "flag": "Flag", "secret": "Secret.", "live": "Counts at once.",
        "later": "Counts from the next start on.", "variable": "variable",
        "key": "in `config.toml`", "type": "what it is",
    },
    "pl": {
        "facts": "W pliku", "one of": "jedno z", "default": "domyślnie", "unset": "nieustawione",
        "str": "tekst", "int": "liczba całkowita", "float": "liczba",
        "bool": "prawda albo fałsz (`true`, `false`)",
        "url": "adres URL", "path": "ścieżka", "list": "lista", "between": "od {} do {}",
        "least": "co najmniej {}", "also": "Czytane też z", "then": ", potem z",
        "flag": "Opcja", "secret": "Sekret.", "live": "Liczy się od razu.",
        "later": "Liczy się od następnego startu.", "variable": "zmienna",
        "key": "w `config.toml`", "type": "co to jest",
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Declared:
    """A setting of the core or of a provider.

    Args:
        option: the option of `venom serve` that sets it.
        live: whether a change counts at once; None where the provider is opened anew for it.
    """

    env: str
    key: str
    setting: Setting
    option: str | None = None
    live: bool | None = None


def declared() -> Iterator[Declared]:
    """Yield every setting of the core and of the plugins of this release, in their order."""
    from venom_core.cli.commands.serve import serve

    options = {name for one in serve.params for name in one.opts}
    for part in CORE_SETTINGS:
        option = part.option if part.option in options else None
        yield Declared(part.env, part.key, part.setting, option, part.live)
    make_importable(ROOT)
    for package in packages(ROOT):
        for spec in import_module(f"{package}.plugin").venom_providers():
            for setting in spec.settings:
                env = provider_variable(spec.name, setting.name)
                yield Declared(env, f"providers.{spec.name}.{setting.name}", setting)


def rendered(language: str, text: str) -> str:
    """Return the page's text with the settings' own words put into it.

    Raises:
        ValueError: a setting has no section, or its section has no line to be replaced.
    """
    all_of_them = list(declared())
    by_name = {one.env: one for one in all_of_them}
    written = set()

    def section(found: re.Match[str]) -> str:
        one = by_name.get(found["env"])
        if one is None or not _FACTS.search(found["body"]):
            return found[0]
        written.add(one.env)
        facts = _facts(one, _WORDS[language])
        return found[0][: len(found[0]) - len(found["body"])] + _FACTS.sub(
            lambda _: facts, found["body"]
        )

    text = _SECTION.sub(section, text)
    if missing := sorted(set(by_name) - written):
        begins = _WORDS[language]["facts"]
        raise ValueError(
            f"{missing[0]}: write a section with the heading ### `{missing[0]}` that says what the"
            f" setting is for, and below it a line that begins with: {begins} `"
        )
    table = _table(all_of_them, _WORDS[language])
    text, count = _TABLE.subn(lambda found: found["head"] + table, text)
    if not count:
        raise ValueError("the section for the table of all settings is gone")
    return text


def _facts(one: Declared, words: Mapping[str, str]) -> str:
    said = [f"{words['facts']} `{one.key}`: {_type(one.setting, words)};"]
    said.append(f"{words['default']} {_default(one.setting, words)}.")
    if aliases := one.setting.env_aliases:
        also = words["then"].join(f" `{name}`" for name in aliases)
        said.append(f"{words['also']}{also}.")
    if one.option is not None:
        said.append(f"{words['flag']}: `venom serve {one.option}`.")
    if one.setting.secret:
        said.append(words["secret"])
    if one.live is not None:
        said.append(words["live" if one.live else "later"])
    return " ".join(said)


def _type(setting: Setting, words: Mapping[str, str]) -> str:
    if setting.choices:
        return f"{words['one of']} {', '.join(f'`{choice}`' for choice in setting.choices)}"
    low, high = setting.minimum, setting.maximum
    if low is None:
        return words[setting.type]
    if high is None:
        bounds = f", {words['least']}".format(_number(low))
    else:
        bounds = f" {words['between']}".format(_number(low), _number(high))
    return words[setting.type] + bounds


def _default(setting: Setting, words: Mapping[str, str]) -> str:
    value = setting.default
    if value is None or value in ("", ()):
        return words["unset"]
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, int | float):
        return f"`{_number(value)}`"
    return f"`{value if isinstance(value, str) else ', '.join(value)}`"


def _number(value: float) -> str:
    return f"{value:g}" if abs(value) < _LARGE else f"{value:.0f}"


def _table(settings: list[Declared], words: Mapping[str, str]) -> str:
    rows = [f"| {words['variable']} | {words['key']} | {words['type']} | {words['default']} |"]
    rows.append("|---|---|---|---|")
    rows += [
        f"| [`{one.env}`](#{one.env.lower()}) | `{one.key}` | {_type(one.setting, words)}"
        f" | {_default(one.setting, words)} |"
        for one in settings
    ]
    return "\n".join(rows) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Return 1 where ``--check`` finds a page stale, or a setting has no section."""
    try:
        texts = {name: rendered(name, path.read_text("utf-8")) for name, path in TARGETS.items()}
    except ValueError as fault:
        print(f"docs/configuration.md, docs/pl/configuration.md: {fault}", file=sys.stderr)
        return 1
    codes = [
        generated.main("tools.settings_page", path, partial(texts.__getitem__, name), arguments)
        for name, path in TARGETS.items()
    ]
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
