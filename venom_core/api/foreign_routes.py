"""Routes that clients of well-known APIs ask for and that are not served here.

A client that is told "no such route" blames its model. These say which API was meant and what to
use in its place.
"""

from __future__ import annotations

import re

from venom_core.sdk.errors import NotFound

_CHAT = "POST /v1/chat/completions"
_RESPONSES = "POST /v1/responses"
_MESSAGES = "POST /v1/messages"
_TAGS = "GET /api/tags"
_EMBED = "POST /v1/embeddings"
_RERANK = "POST /v1/rerank"
_NEXT = r"(/.*)?"

#: Path -> whose API it is of, and what does the same here; None where nothing does.
_FOREIGN: tuple[tuple[str, str, str | None], ...] = (
    (r"/v1/responses/(input_tokens|compact)", "This part of OpenAI's Responses API", _RESPONSES),
    (rf"/v1/messages/batches{_NEXT}", "Anthropic's API of batches", _MESSAGES),
    (r"/v1/complete", "Anthropic's older API of texts", _MESSAGES),
    (rf"/v1/(assistants|threads|conversations|vector_stores){_NEXT}", "OpenAI's Assistants API",
     _CHAT),
    (rf"/v1/(images|videos){_NEXT}", "Making images", None),
    (rf"/v1/(audio|realtime){_NEXT}", "Speech", None),
    (rf"/v1/(files|uploads|batches|fine_tuning|fine-tunes|evals){_NEXT}",
     "OpenAI's API of files and jobs", None),
    (rf"/v1/moderations{_NEXT}", "Moderation", None),
    (r"/(v2/)?rerank", "Cohere's API", _RERANK),
    (r"/(v[12]/)?(score|pooling|classify)", "Scoring of texts", _RERANK),
    (r"/v1(beta)?/models/[^/]+:(embed|batchEmbed)\w+", "Google's Gemini API", _EMBED),
    (r"/(v1beta/.*|v1/models/[^/]+:\w+)", "Google's Gemini API", _CHAT),
    (rf"/api/(me|signin|signout|experimental{_NEXT}|blobs{_NEXT})", "This part of Ollama's API",
     _TAGS),
    (rf"/api/v0{_NEXT}", "LM Studio's own API", _CHAT),
    (r"/api/(v1|extra)/generate.*", "KoboldCpp's own API", _CHAT),
    (r"/(completion|infill|apply-template|tokenize|detokenize|props|slots)",
     "llama.cpp's own API", _CHAT),
    (r"/(generate|generate_stream|invocations)", "Text Generation Inference's API", _CHAT),
    (r"/openai/deployments/.*", "Azure's API", _CHAT),
)  # fmt: skip
_KNOWN = tuple((re.compile(pattern), whose, instead) for pattern, whose, instead in _FOREIGN)
_OPENAI = re.compile(r".*?/(chat/completions|completions|embeddings|models)/?")
_BASE = "Set the client's base URL to this server's address followed by /v1 and nothing else."


def foreign_route(path: str) -> NotFound | None:
    """Return the refusal for a path of another API; None where it is of none."""
    for pattern, whose, instead in _KNOWN:
        if pattern.fullmatch(path.rstrip("/")):
            return NotFound(
                f"{whose} is not served here.",
                fix=f"Use {instead} in its place; the routes are listed at /docs/api"
                if instead
                else "Use another server for it; the routes of this one are listed at /docs/api",
            )
    return None


def no_route(path: str) -> NotFound:
    """Return the refusal for a path that no route has."""
    if foreign := foreign_route(path):
        return foreign
    if found := _OPENAI.fullmatch(path):
        return NotFound(f"There is no such route; it is /v1/{found[1]} here.", fix=_BASE)
    return NotFound("There is no such route.", fix="The routes are listed at /docs/api")
