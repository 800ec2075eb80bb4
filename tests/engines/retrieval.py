"""Documents in the order in which a model finds them for a question."""

from __future__ import annotations

import openai

QUESTION = "Which city is the capital of Poland?"
DOCUMENTS = (
    "A cat sleeps on the sofa.",
    "Warsaw is the capital and the largest city of Poland.",
    "Paris has been the capital of France for centuries.",
    "The engine of an airplane roars!",
    "Poland lies in Central Europe, and Kraków was its capital once.",
    "Bread is made of flour, water, salt and yeast.",
    "Zażółć gęślą jaźń.",
    "x",
)
FOUND = 1


def order_by_list(client: openai.OpenAI, model: str) -> list[int]:
    """Return the numbers of the documents, the likeliest first, from one request for all."""
    question, *documents = _vectors(client, model, [QUESTION, *DOCUMENTS])
    return _order(question, documents)


def order_one_by_one(client: openai.OpenAI, model: str) -> list[int]:
    """Return the same from a request for each."""
    question, *documents = (_vectors(client, model, [text])[0] for text in (QUESTION, *DOCUMENTS))
    return _order(question, documents)


def _vectors(client: openai.OpenAI, model: str, texts: list[str]) -> list[list[float]]:
    return [row.embedding for row in client.embeddings.create(model=model, input=texts).data]


def _order(question: list[float], documents: list[list[float]]) -> list[int]:
    likeness = [sum(a * b for a, b in zip(question, one, strict=True)) for one in documents]
    return sorted(range(len(documents)), key=lambda place: -likeness[place])
