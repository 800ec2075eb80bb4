"""Whether what a plugin brings is what :mod:`venom_core.sdk.spec` says: declarations, classes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice
from typing import Any, get_args
from urllib.parse import urlsplit

from venom_core.plugins.names import RESERVED_NAMES, is_name
from venom_core.sdk.architecture import MAX_BYTES, Architecture, MemoryPlan
from venom_core.sdk.errors import InvalidRequest
from venom_core.sdk.numbers import MOST_EXACT
from venom_core.sdk.plausible import plausible
from venom_core.sdk.provider import Provider
from venom_core.sdk.spec import (
    CPU_SUFFIX,
    BuildFormat,
    Capability,
    EngineEnvironment,
    EngineRequirement,
    Proposal,
    ProviderSpec,
    Setting,
    SettingType,
)
from venom_core.settings.values import convert

MOST_PROVIDERS = 64
MOST_PREFERENCE = 100
MOST_PROPOSALS = 32
_FACTORY = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
_MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_PINNED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9][A-Za-z0-9.+!_-]*")
_DISTRIBUTION = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,126}[A-Za-z0-9])?")
_WORD = re.compile(r"[a-z][a-z0-9]{0,31}")
_PLATFORM = re.compile(r"[a-z0-9]+-[a-z0-9_]+")
_IDENTIFIER = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")
_SETTING_TYPES = get_args(SettingType)


class BadSpec(Exception):
    """A declaration is wrong; the text is a clause that says what."""


def class_fault(cls: object, spec: ProviderSpec) -> tuple[str, str] | None:
    """Return the code and a clause for a class that cannot be the provider declared by ``spec``."""
    if not isinstance(cls, type) or not issubclass(cls, Provider):
        return "factory_failed", "names a factory that is no Provider class"
    abstract = sorted(getattr(cls, "__abstractmethods__", ()))
    if abstract:
        return "factory_failed", f"has a class without {', '.join(abstract)}"
    names = sorted(Capability(ability).value for ability in spec.capabilities)
    lacking = [name for name in names if getattr(cls, name) is getattr(Provider, name)]
    if lacking:
        what = f"declares {', '.join(lacking)} and its class has no such method"
        return "capability_mismatch", what
    return None


def providers_of(returned: object, plugin: str, owner: str) -> tuple[ProviderSpec, ...]:
    """Return the declarations that ``venom_providers`` returned, checked.

    Args:
        returned: an iterable of :class:`ProviderSpec`, as a generator too; at most
            :data:`MOST_PROVIDERS` are taken from it.
        plugin: the entry point's name; owner: the distribution's.

    Raises:
        BadSpec: what is wrong with the first faulty one.
    """
    if not isinstance(returned, Iterable) or isinstance(returned, str | bytes | dict):
        raise BadSpec(f"venom_providers returned {_kind(returned)} and not a list of ProviderSpec")
    specs = list(islice(returned, MOST_PROVIDERS + 1))
    if len(specs) > MOST_PROVIDERS:
        raise BadSpec(f"venom_providers returned more than {MOST_PROVIDERS} providers")
    taken: set[str] = set()
    for spec in specs:
        if not isinstance(spec, ProviderSpec):
            raise BadSpec(f"venom_providers returned {_kind(spec)} and not a ProviderSpec")
        _check_names(spec, plugin, owner)
        for name in (spec.name, *spec.aliases):
            if name in taken:
                raise BadSpec(f"it declares the name {name} twice")
            taken.add(name)
        _check_texts(spec)
        _check_abilities(spec)
        _check_settings(spec)
        _check_choice(spec)
    return tuple(specs)


# What plugins declare is typed, and nobody checked it: to these functions it is Any.


def _check_names(spec: Any, plugin: str, owner: str) -> None:
    if not is_name(spec.name):
        raise BadSpec(f"the provider name {_show(spec.name)} is not lower-case words with dashes")
    if spec.name != plugin and not spec.name.startswith(f"{plugin}-"):
        raise BadSpec(f"the provider name {spec.name} is neither {plugin} nor {plugin}-*")
    if not isinstance(spec.aliases, tuple) or not all(is_name(alias) for alias in spec.aliases):
        raise BadSpec(f"the aliases of {spec.name} are not a tuple of lower-case names")
    for name in (spec.name, *spec.aliases):
        if RESERVED_NAMES.get(name, owner) != owner:
            raise BadSpec(f"the name {name} belongs to {RESERVED_NAMES[name]}")


def _check_texts(spec: Any) -> None:
    for name in ("title", "summary"):
        text = getattr(spec, name)
        if not _is_line(text):
            raise BadSpec(f"the {name} of {spec.name} is not one line of text")
    if not isinstance(spec.factory, str) or not _FACTORY.fullmatch(spec.factory):
        raise BadSpec(f'the factory of {spec.name} is not written "module:Class"')
    if spec.homepage is not None and not _is_web_address(spec.homepage):
        raise BadSpec(f"the homepage of {spec.name} is not an http:// or https:// address")
    if not isinstance(spec.local, bool):
        raise BadSpec(f"local of {spec.name} is not true or false")
    if not isinstance(spec.observes, bool):
        raise BadSpec(f"observes of {spec.name} is not true or false")
    if spec.observes and spec.capabilities:
        raise BadSpec(f"{spec.name} observes, and declares capabilities all the same")


def _check_abilities(spec: Any) -> None:
    if not isinstance(spec.capabilities, frozenset):
        raise BadSpec(f"the capabilities of {spec.name} are not a frozenset")
    for ability in spec.capabilities:
        if ability not in list(Capability):
            raise BadSpec(f"{spec.name} declares the unknown capability {_show(ability)}")
    if not isinstance(spec.parameters, frozenset) or not all(
        isinstance(name, str) for name in spec.parameters
    ):
        raise BadSpec(f"the parameters of {spec.name} are not a frozenset of names")
    _check_engine(spec, spec.engine)
    _check_builds(spec)
    _check_environments(spec)


def _check_engine(spec: Any, engine: Any) -> None:
    if engine is None:
        return
    if not isinstance(engine, EngineRequirement):
        raise BadSpec(f"the engine of {spec.name} is not an EngineRequirement")
    module: object = engine.module
    if not isinstance(module, str) or not _MODULE.fullmatch(module) or not is_name(engine.install):
        raise BadSpec(f"the engine of {spec.name} does not name a module and a plugin")
    if engine.size_bytes is not None and not _is_size(engine.size_bytes):
        raise BadSpec(f"the engine of {spec.name} has a size that cannot be")


def _check_builds(spec: Any) -> None:
    if not isinstance(spec.builds, tuple) or not all(
        isinstance(one, BuildFormat) for one in spec.builds
    ):
        raise BadSpec(f"the builds of {spec.name} are not a tuple of BuildFormat")
    if (Capability.BUILD in spec.capabilities) != bool(spec.builds):
        raise BadSpec(f"{spec.name} declares build and no format, or a format and no build")
    for one in spec.builds:
        if not isinstance(one.name, str) or not _WORD.fullmatch(one.name):
            raise BadSpec(f"the format {_show(one.name)} is not lower-case letters and digits")
        for words in (one.precisions, one.execution_providers):
            if not _are_texts(words, _WORD):
                raise BadSpec(
                    f"the format {one.name} has a precision or an execution provider that is none"
                )
        if one.default is not None and one.default not in [each.name for each in spec.settings]:
            raise BadSpec(f"the format {one.name} has its default in a setting that is none")


def _check_environments(spec: Any) -> None:
    """Check what ``venom engines install`` would hand to pip."""
    if not isinstance(spec.environments, tuple) or not all(
        isinstance(one, EngineEnvironment) for one in spec.environments
    ):
        raise BadSpec(f"the environments of {spec.name} are not a tuple of EngineEnvironment")
    for one in spec.environments:
        name: object = one.name
        if not is_name(name) or (name != spec.name and not one.name.startswith(f"{spec.name}-")):
            raise BadSpec(f"the environment {_show(name)} is neither {spec.name} nor {spec.name}-*")
        if not _is_line(one.title) or not _is_line(one.summary):
            raise BadSpec(f"the environment {name} has no title or summary")
        if not _are_texts(one.packages, _PINNED) or not _are_texts(one.modules, _MODULE):
            raise BadSpec(f"the environment {name} does not name packages as name==version")
        if not (_is_size(one.download_bytes) and _is_size(one.disk_bytes)):
            raise BadSpec(f"the environment {name} has a size that cannot be")
        if one.platforms != () and not _are_texts(one.platforms, _PLATFORM):
            raise BadSpec(f"the environment {name} has platforms that are none")
        _check_machine_of(one, {other.name for other in spec.environments})


def _check_machine_of(one: EngineEnvironment, names: set[str]) -> None:
    """Check what an environment leaves out, and which machine it asks for."""
    if one.excludes != () and not _are_texts(one.excludes, _DISTRIBUTION):
        raise BadSpec(f"the environment {one.name} leaves out what is no distribution")
    if one.memory_bytes != 0 and not _is_size(one.memory_bytes):
        raise BadSpec(f"the environment {one.name} has a size that cannot be")
    if one.card not in (None, "nvidia"):
        raise BadSpec(f"the environment {one.name} needs a card of nobody's")
    if one.card is not None and f"{one.name}{CPU_SUFFIX}" not in names:
        raise BadSpec(f"the environment {one.name} needs a card, and there is no {one.name}-cpu")


def _are_texts(values: object, pattern: re.Pattern[str]) -> bool:
    return (
        isinstance(values, tuple)
        and bool(values)
        and all(isinstance(one, str) and pattern.fullmatch(one) for one in values)
    )


def _check_settings(spec: Any) -> None:
    if not isinstance(spec.settings, tuple):
        raise BadSpec(f"the settings of {spec.name} are not a tuple")
    names: set[str] = set()
    for setting in spec.settings:
        if not isinstance(setting, Setting):
            raise BadSpec(f"{spec.name} has a setting that is not a Setting")
        _check_setting(spec, setting, names)
        names.add(setting.name)


def _check_choice(spec: Any) -> None:
    """Check what the provider says of itself beside others: rank, proposals, what it needs."""
    rank: object = spec.preference
    if isinstance(rank, bool) or not isinstance(rank, int) or not 0 <= rank <= MOST_PREFERENCE:
        raise BadSpec(f"the preference of {spec.name} is not from 0 to {MOST_PREFERENCE}")
    for name in ("needs", "default_model"):
        text = getattr(spec, name)
        if text is not None and not _is_line(text):
            raise BadSpec(f"the {name} of {spec.name} is not one line of text")
    proposals: object = spec.proposals
    if not isinstance(proposals, tuple) or len(proposals) > MOST_PROPOSALS:
        raise BadSpec(f"the proposals of {spec.name} are not a tuple of at most {MOST_PROPOSALS}")
    for proposal in proposals:
        if not isinstance(proposal, Proposal) or not all(
            map(_is_line, (proposal.name, proposal.title, proposal.summary))
        ):
            raise BadSpec(f"{spec.name} has a proposal without name, title or summary")
        if not _is_size(proposal.size_bytes):
            raise BadSpec(f"the proposal {_show(proposal.name)} has no size")
        _check_numbers(proposal)
        if proposal.terms_url is not None and not _is_web_address(proposal.terms_url):
            raise BadSpec(f"the proposal {_show(proposal.name)} names no address as its terms")
    _check_pages(spec)


def _is_size(value: object) -> bool:
    return type(value) is int and 0 < value < MAX_BYTES


def _check_numbers(proposal: Any) -> None:
    """Check what the fit check of a proposal would count with."""
    for value, kind in ((proposal.architecture, Architecture), (proposal.memory_plan, MemoryPlan)):
        if value is not None and not isinstance(value, kind):
            raise BadSpec(f"the proposal {_show(proposal.name)} has no {kind.__name__} as such")
    plan = proposal.memory_plan
    if plan is not None and plausible(plan, "a proposal") != plan:
        raise BadSpec(f"the proposal {_show(proposal.name)} has a memory plan that cannot be")


def _check_pages(spec: Any) -> None:
    try:
        for pattern, name in spec.pages:
            re.compile(pattern)
            if not _is_line(name):
                raise TypeError
    except (TypeError, ValueError, re.error):
        raise BadSpec(f"the pages of {spec.name} are no pairs of a pattern and a name") from None


def _is_line(text: object) -> bool:
    return isinstance(text, str) and bool(text.strip()) and text.isprintable()


def _check_setting(spec: Any, setting: Any, names: set[str]) -> None:
    name = setting.name
    if not isinstance(name, str) or not _IDENTIFIER.fullmatch(name) or name in names:
        raise BadSpec(
            f"{spec.name} has the setting {_show(name)} twice or misspelt"
            " (lower-case words joined by one underscore)"
        )
    if setting.type not in _SETTING_TYPES:
        raise BadSpec(f"the setting {name} has the unknown type {_show(setting.type)}")
    for words in (setting.env_aliases, setting.choices):
        if not isinstance(words, tuple) or not all(isinstance(word, str) for word in words):
            raise BadSpec(f"the setting {name} has env_aliases or choices in no tuple")
    if not all(_VARIABLE.fullmatch(variable) for variable in setting.env_aliases):
        raise BadSpec(f"the setting {name} has an env_alias that is no variable's name")
    _check_bounds(setting)
    _check_default(setting)


def _check_bounds(setting: Any) -> None:
    low, high = setting.minimum, setting.maximum
    for bound in (low, high):
        if bound is not None and not _is_number(bound):
            raise BadSpec(f"the setting {setting.name} has a bound that is no number")
    if low is not None and high is not None and low > high:
        raise BadSpec(f"the setting {setting.name} has bounds that leave no value")


def _is_number(value: object) -> bool:
    """Return whether it is a number that everybody can read: neither NaN nor of thirty digits."""
    return type(value) in (int, float) and -MOST_EXACT <= value <= MOST_EXACT  # type: ignore[operator]


def _check_default(setting: Setting) -> None:
    if setting.default is None or setting.default == ():
        return
    try:
        if convert(setting, setting.default, "the default") != setting.default:
            raise BadSpec(f"the default of the setting {setting.name} is not of its type")
    except (InvalidRequest, TypeError):
        raise BadSpec(f"the default of the setting {setting.name} breaks its own rules") from None


def _is_web_address(text: object) -> bool:
    if not isinstance(text, str):
        return False
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _kind(value: object) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"


def _show(value: object) -> str:
    """Return foreign text for a sentence of ours: short, and without control characters."""
    text = value if isinstance(value, str) else _kind(value)
    return "".join(char for char in text if char.isprintable())[:40] or "(empty)"
