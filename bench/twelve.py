"""The twelve known questions, shuffled, through ``/v1`` with the real Gemma 3: the score.

``python bench/run.py twelve`` prints every question with its answer.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from typing import Any

from bench.processes import ask
from bench.real_model import GEMMA, serving_gemma
from bench.report import Figure, Goal, Report
from venom_core.testing.questions import KNOWN, is_right

GOAL = Goal("value", len(KNOWN), at_least=True)


def run(*, quick: bool = False) -> Report:
    rounds = 1 if quick else 3
    report = Report("twelve", rounds=rounds)
    answers: list[dict[str, Any]] = []
    seed = int(time.time())
    order = random.Random(seed)
    with serving_gemma() as server:
        for number in range(rounds):
            rows = ask_all(server.port, GEMMA, order)
            answers += [{"round": number, **row} for row in rows]
    scores = [
        float(sum(row["right"] for row in answers if row["round"] == number))
        for number in range(rounds)
    ]
    report.figures = [Figure(f"right of {len(KNOWN)}", "", scores, goals=(GOAL,))]
    report.notes = [f"score {scores[-1]:.0f}/{len(KNOWN)}", *said(answers[-len(KNOWN) :])]
    report.extra = {"model": f"llamacpp://{GEMMA}", "seed": seed, "answers": answers}
    return report


def ask_all(
    port: int, model: str, order: random.Random, more: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Each question once: ``question``, ``answer`` and whether it is ``right``.

    ``more`` goes into every request; without it the model's own defaults decide.
    """
    questions = list(KNOWN)
    order.shuffle(questions)
    return [_answer(port, model, question, more or {}) for question in questions]


def said(rows: list[dict[str, Any]]) -> list[str]:
    """A line for each answer."""
    return [
        f"{'right' if row['right'] else 'WRONG'}  {row['question']}  ->  {row['answer']}"
        for row in rows
    ]


def _answer(port: int, model: str, question: str, more: Mapping[str, Any]) -> dict[str, Any]:
    body = {**more, "model": model, "messages": [{"role": "user", "content": question}]}
    answer = ask(port, "/v1/chat/completions", body)
    text = str(answer["choices"][0]["message"]["content"]).strip()
    return {"question": question, "answer": text, "right": is_right(question, text)}
