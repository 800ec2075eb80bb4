"""Generation parameters of a model: what may be set, within which bounds, and three views of it.

*Default* is what people are shown where nothing is set; it is never sent. *Saved* is the stored
override. *Effective* is what a request that says nothing gets: the saved value, else the model's
own; where neither is, the engine decides.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from typing_extensions import TypedDict

from venom_core.sdk.errors import InvalidRequest
from venom_core.sdk.provider import Model

MOST_STOPS = 16
LONGEST_STOP = 200
_LONGEST_SHOWN = 40


ParameterType = Literal["float", "int", "list", "enum"]


class ParameterBounds(TypedDict, total=False):
    """``min`` and ``max``, inclusive, where there is a bound; ``options`` of an ``enum``."""

    min: float
    max: float
    options: list[str]


class ParameterView(ParameterBounds):
    """One parameter as a form needs it; ``default`` is what people are shown."""

    type: ParameterType
    default: Any
    desc: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter by its OpenAI name; bounds are inclusive, None for no bound."""

    name: str
    type: ParameterType
    default: Any
    minimum: float | None
    maximum: float | None
    desc: str
    options: tuple[str, ...] = ()

    def view(self) -> ParameterView:
        """Return it as the API shows it; keys without a value are left out."""
        bounds: ParameterBounds = {}
        if self.minimum is not None:
            bounds["min"] = self.minimum
        if self.maximum is not None:
            bounds["max"] = self.maximum
        if self.options:
            bounds["options"] = list(self.options)
        return {"type": self.type, "default": self.default, **bounds, "desc": self.desc}

    def problem(self, value: object) -> str | None:
        """Return the sentence that says what is wrong with a value; None for a good one."""
        match self.type:
            case "enum":
                good = isinstance(value, str) and value in self.options
                wanted = f"one of {', '.join(self.options)}"
            case "list":
                good = _is_stops(value)
                wanted = f"a list of 1 to {MOST_STOPS} texts of at most {LONGEST_STOP} characters"
            case "int":
                good = isinstance(value, int) and not isinstance(value, bool) and self._has(value)
                wanted = f"a whole number{self._bounds()}"
            case "float":
                number = isinstance(value, int | float) and not isinstance(value, bool)
                good = number and self._has(value)
                wanted = f"a number{self._bounds()}"
        return None if good else f"{self.name} must be {wanted}, not {_shown(value)}."

    def _has(self, value: Any) -> bool:
        # Comparisons with NaN are false, and so would let it pass a check for "outside".
        low = -math.inf if self.minimum is None else self.minimum
        high = math.inf if self.maximum is None else self.maximum
        return bool(low <= value <= high and abs(value) != math.inf)

    def _bounds(self) -> str:
        if self.minimum is None:
            return ""
        if self.maximum is None:
            return f" of at least {_number(self.minimum)}"
        return f" from {_number(self.minimum)} to {_number(self.maximum)}"


_TABLE = (
    Parameter("temperature", "float", 0.7, 0, 2, "How freely the next word is drawn; 0 is exact."),
    Parameter("max_tokens", "int", 2048, 1, None, "The longest answer, in tokens."),
    Parameter("top_p", "float", 0.9, 0, 1, "Draw from the likeliest words up to this share."),
    Parameter("top_k", "int", 40, 1, 100, "Draw from so many of the likeliest words."),
    Parameter("repeat_penalty", "float", 1.1, 1, 2, "How strongly repetition is held down."),
    Parameter("min_p", "float", 0.0, 0, 1, "Leave out words below this share of the likeliest."),
    Parameter("presence_penalty", "float", 0.0, -2, 2, "Hold down words that occurred at all."),
    Parameter("frequency_penalty", "float", 0.0, -2, 2, "Hold down words by how often they came."),
    Parameter("seed", "int", None, 0, 2**63 - 1, "The same seed draws the same words."),
    Parameter("stop", "list", [], None, None, "The answer ends before any of these texts."),
)
_EFFORT = Parameter(
    "reasoning_effort", "enum", None, None, None, "How long the model may think.",
    ("none", "low", "medium", "high"),
)  # fmt: skip

Schema = Mapping[str, Parameter]


@dataclass(frozen=True, slots=True)
class GenerationConfig:
    """The three views of one model. ``own`` are the model's own defaults."""

    schema: Schema
    saved: Mapping[str, Any]
    own: Mapping[str, Any]

    @property
    def effective(self) -> dict[str, Any]:
        """Return what a request is sent with that names no parameter."""
        return {**self.own, **self.saved}

    @property
    def shown(self) -> dict[str, Any]:
        """Return a value for every parameter of the schema, for a form."""
        return {name: self.effective.get(name, p.default) for name, p in self.schema.items()}

    def origins(self) -> dict[str, str]:
        """Return the origin of each effective value, in the words of a request's explanation."""
        return {name: "override" if name in self.saved else "model" for name in self.effective}


def schema_of(model: Model, honoured: Collection[str]) -> Schema:
    """Return what can be set for a model, overlaid by the model's own defaults.

    Args:
        honoured: the parameters that its provider declares; no other can have an effect.
    """
    can_think = model.capabilities is not None and "thinking" in model.capabilities
    table = (*_TABLE, _EFFORT) if can_think else _TABLE
    return {p.name: _of_model(p, model) for p in table if p.name in honoured}


def _of_model(parameter: Parameter, model: Model) -> Parameter:
    if (bounds := model.parameter_bounds.get(parameter.name)) is not None:
        parameter = _narrowed(parameter, *bounds)
    if parameter.name == "max_tokens" and (context := model.context_length) is not None:
        parameter = replace(parameter, maximum=context, default=min(parameter.default, context))
    own = model.defaults.get(parameter.name)
    if own is None:
        return parameter
    if isinstance(own, int | float) and None not in (parameter.minimum, parameter.maximum):
        # What a model sets itself is never out of bounds.
        low, high = min(parameter.minimum or 0, own), max(parameter.maximum or 0, own)
        parameter = replace(parameter, minimum=low, maximum=high)
    return replace(parameter, default=own)


def _narrowed(parameter: Parameter, low: float, high: float) -> Parameter:
    """Return the parameter within a model's own bounds; unchanged where they leave no value."""
    low = low if parameter.minimum is None else max(low, parameter.minimum)
    high = high if parameter.maximum is None else min(high, parameter.maximum)
    if not low <= high:
        return parameter
    default = parameter.default
    if isinstance(default, int | float):
        default = min(max(default, low), high)
    return replace(parameter, minimum=low, maximum=high, default=default)


def checked(schema: Schema, parameters: Mapping[str, Any], *, model: str) -> dict[str, Any]:
    """Return the parameters as they are stored. Null leaves one out.

    Raises ``InvalidRequest`` (``invalid_parameters``) with a sentence for each that is wrong;
    ``model`` is named in it.
    """
    given = {
        name: _whole(value) if name in schema and schema[name].type == "int" else value
        for name, value in parameters.items()
        if value is not None
    }
    problems: dict[str, str] = {}
    for name, value in given.items():
        if name not in schema:
            problems[name] = f"{model} takes no parameter {_shown(name)}."
        elif problem := schema[name].problem(value):
            problems[name] = problem
    if problems:
        raise InvalidRequest(
            " ".join(problems.values()),
            code="invalid_parameters",
            param=f"params.{next(iter(problems))}",
            fix="See what can be set, and its bounds, with: venom set MODEL",
        )
    return given


def _whole(value: object) -> object:
    """Return 4 for 4.0: to many clients every number is one with a fraction."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _is_stops(value: object) -> bool:
    return (
        isinstance(value, list)
        and 1 <= len(value) <= MOST_STOPS
        and all(isinstance(text, str) and 1 <= len(text) <= LONGEST_STOP for text in value)
    )


def _number(value: float) -> str:
    return f"{value:g}" if abs(value) < 1e6 else f"{value:.0f}"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "..."
