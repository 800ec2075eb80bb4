"""The size of the images above their base, unpacked; light has a bound."""

from __future__ import annotations

from dataclasses import asdict

from bench.report import Figure, Goal, Report
from tools.containers.images import NOT_RUN, build
from tools.containers.programs import Missing

LIGHT = "venom-backend-light"


def run(*, quick: bool = False) -> Report:
    report = Report("images", rounds=1)
    try:
        base, images = build([LIGHT] if quick else None)
    except Missing as missing:
        report.skipped = str(missing)
        return report
    for one in images:
        goals = (Goal("value", 100.0),) if one.name == LIGHT else ()
        report.figures += [
            Figure(f"{one.name}: above its base", "MB", [one.above_base], goals=goals),
            Figure(f"{one.name}: whole", "MB", [one.megabytes]),
        ]
    report.notes = [f"base: {base}", *(f"{name}: not run" for name in NOT_RUN)]
    report.extra = {"base": base, "images": [asdict(one) for one in images]}
    return report
