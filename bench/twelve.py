"""The twelve known questions, shuffled, through ``/v1`` with the real Gemma 3: the score.

``python bench/run.py twelve`` prints every question with its answer.
"""

from __future__ import annotations

import random
import time
from typing import Any

from bench.processes import ask
from bench.real_model import GEMMA, serving_gemma
from bench.report import Figure, Goal, Report

#: What the model is known to answer, by its own template and defaults, on every engine.
QUESTIONS = {
    "What is the capital of Poland?": "Warsaw",
    "What is the capital of Germany?": "Berlin",
    "What is the capital of Italy?": "Rome",
    "What is the capital of Spain?": "Madrid",
    "What is the capital of Japan?": "Tokyo",
    "What is 2 + 2?": "4",
    "What is the colour of the sky?": "Blue",
    "What is the opposite of hot?": "cold",
    "What is the chemical symbol for gold?": "Au",
    "Who wrote Hamlet?": "Shakespeare",
    "What is the largest planet in the solar system?": "Jupiter",
    "Say hello.": "Hello!",
}


def run(*, quick: bool = False) -> Report:
    rounds = 1 if quick else 3
    report = Report("twelve", rounds=rounds)
    answers: list[dict[str, Any]] = []
    seed = int(time.time())
    order = random.Random(seed)
    scores: list[float] = []
    with serving_gemma() as server:
        for number in range(rounds):
            questions = list(QUESTIONS.items())
            order.shuffle(questions)
            rows = [_answer(server.port, number, *pair) for pair in questions]
            scores.append(float(sum(row["right"] for row in rows)))
            answers += rows
    goal = Goal("value", len(QUESTIONS), at_least=True)
    report.figures = [Figure(f"right of {len(QUESTIONS)}", "", scores, goals=(goal,))]
    report.notes = [f"score {scores[-1]:.0f}/{len(QUESTIONS)}"]
    report.notes += [
        f"{'right' if row['right'] else 'WRONG'}  {row['question']}  ->  {row['answer']}"
        for row in answers[-len(QUESTIONS) :]
    ]
    report.extra = {"model": f"llamacpp://{GEMMA}", "seed": seed, "answers": answers}
    return report


def _answer(port: int, number: int, question: str, known: str) -> dict[str, Any]:
    body = {"model": GEMMA, "messages": [{"role": "user", "content": question}]}
    answer = ask(port, "/v1/chat/completions", body)
    said = str(answer["choices"][0]["message"]["content"]).strip()
    right = known.lower() in said.lower()
    return {"round": number, "question": question, "answer": said, "right": right}
