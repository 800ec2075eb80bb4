"""Formats that a plugin says it builds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from venom_core.plugins.validation import BadSpec, providers_of
from venom_core.sdk.spec import BuildFormat
from venom_core.testing.scripted import venom_providers

BUILDS: dict[str, object] = {
    "no tuple": [BuildFormat("onnx", ("int8",))],
    "another type": ("onnx",),
    "no format": (),
    "a path": (BuildFormat("../x", ("int8",)),),
    "no precision": (BuildFormat("onnx", ()),),
    "a precision that is a path": (BuildFormat("onnx", ("../../etc",)),),
    "a list": (BuildFormat("onnx", ["int8"]),),  # type: ignore[arg-type]
    "a number": (BuildFormat("onnx", (8,)),),  # type: ignore[arg-type]
    "no execution provider": (BuildFormat("onnx", ("int8",), ()),),
}


@pytest.mark.parametrize("case", BUILDS)
def test_a_format_that_cannot_be_is_refused(case: str) -> None:
    (spec,) = venom_providers()
    faulty = replace(spec, builds=BUILDS[case])  # type: ignore[arg-type]
    with pytest.raises(BadSpec, match=r"build|format"):
        providers_of([faulty], "scripted", "venom-scripted")
