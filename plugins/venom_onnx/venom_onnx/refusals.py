"""Refusals of builds, and of models that were built for something else than is set."""

from __future__ import annotations

from venom_core.sdk.errors import (
    ModelNotCapable,
    NoDiskSpace,
    Unavailable,
    UpstreamError,
    VenomError,
)
from venom_core.sdk.model_refusals import shown
from venom_onnx import build_child

#: How a shell tells that a process was killed: the system does that where memory is short.
_KILLED = 137


def wrong_provider(built_for: str, wanted: str | None = None) -> VenomError:
    """Return the refusal of a model that was built for another execution provider.

    Args:
        wanted: the one that is set; None where none that can be set would do.
    """
    if wanted is None:
        message = f"The model was built for {shown(built_for)}, which is not served."
        fix = "Choose a build of it for cpu, cuda or dml."
    else:
        message = f"The model was built for {built_for}, and {wanted} is set."
        fix = (
            f"Choose a build of it for {wanted}, or set VENOM_ONNX__EXECUTION_PROVIDER={built_for}"
        )
    return ModelNotCapable(message, code="wrong_execution_provider", fix=fix)


def damaged_environment(message: str, fix: str) -> VenomError:
    """Return the refusal of a build whose environment cannot be used."""
    return Unavailable(message, fix=fix, code="build_environment_damaged")


def build_refusal(code: int, source: str, environment: str) -> VenomError:
    """Return what an exit code of the process that builds stands for."""
    if code == build_child.NO_SPACE:
        return NoDiskSpace(
            "The disk became full while the model was built.",
            fix="Make room, then build it again: it goes on behind the steps that are done.",
        )
    if code in (build_child.NO_MEMORY, _KILLED, -9):
        return Unavailable(
            "There was not enough memory to build the model.",
            fix="End other programs, or build a smaller model, then build it again.",
            code="out_of_memory",
        )
    if code == build_child.UNSUPPORTED:
        return ModelNotCapable(
            f"The builder does not know the architecture of {source}.",
            fix="Choose a model of another architecture.",
        )
    if code == build_child.MISSING:
        return damaged_environment(
            "Something is missing of what builds ONNX models, or this model needs what it has not.",
            f"Make it anew: venom engines remove {environment}, then venom engines install"
            f" {environment}",
        )
    return UpstreamError(
        "The builder failed.",
        fix="Its log says why: venom logs onnx/build",
        code="build_failed",
    )
