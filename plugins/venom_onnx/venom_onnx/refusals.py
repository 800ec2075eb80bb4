"""Why a folder is listed and not run: each kind of reason with its code and what to do."""

from __future__ import annotations

from venom_core.sdk.errors import (
    InvalidRequest,
    ModelNotCapable,
    NoDiskSpace,
    StorageError,
    Unavailable,
    UpstreamError,
    VenomError,
)
from venom_core.sdk.printable import one_line
from venom_onnx import build_child

LONGEST_NAME = 100
#: How a shell tells that a process was killed: the system does that where memory is short.
_KILLED = 137


def unsafe(message: str) -> VenomError:
    """Return the refusal of a folder that reaches for what is not its own."""
    fix = "Take the model from where you trust it; nothing of this folder is opened."
    return InvalidRequest(message, code="unsafe_model", fix=fix)


def damaged(message: str) -> VenomError:
    """Return the refusal of a folder whose files are not what they should be."""
    return StorageError(message, code="model_damaged", fix="Copy or fetch the folder again.")


def incomplete(message: str) -> VenomError:
    """Return the refusal of a folder in which a file is missing."""
    return StorageError(message, code="model_incomplete", fix="Copy or fetch the whole folder.")


def not_served(message: str) -> VenomError:
    """Return the refusal of a model of a kind that this engine does not run."""
    return ModelNotCapable(message, fix="Choose another model: venom list")


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


def shown(name: str) -> str:
    """Return a name that somebody else wrote as a sentence shows it."""
    return one_line(name[:LONGEST_NAME])
