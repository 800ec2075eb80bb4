"""Language models over onnxruntime-genai, in the engine's own process.

The runtime computes and samples; words and tokens are the ``tokenizers`` library's, and the prompt
is the model's own template. Venom's server never imports this module.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from venom_core.sdk.answer_schema import schema_of
from venom_core.sdk.chat_template import ChatTemplate
from venom_core.sdk.engine_failures import load_errors, memory_errors
from venom_core.sdk.errors import InvalidRequest
from venom_core.sdk.fast_tokenizer import FastTokenizer
from venom_core.sdk.logit_shaping import LogitShaping
from venom_core.sdk.model_folder import TOKENIZER
from venom_core.sdk.model_refusals import shown
from venom_core.sdk.served_engine import Messages, Sampling, ServedEngine, Token
from venom_core.sdk.text_pieces import Characters
from venom_onnx.folder import OnnxFolder, read_folder
from venom_onnx.launch_config import launch_folder
from venom_onnx.load_failures import LESS_MEMORY, check_execution_provider, check_version

PARAMETERS = frozenset(
    {
        "frequency_penalty", "logit_bias", "logprobs", "min_p", "presence_penalty",
        "repeat_penalty", "response_format", "seed", "temperature", "tools", "top_k",
        "top_logprobs", "top_p",
    }
)  # fmt: skip
#: A buffer shorter than the window of a model's layers is refused by the runtime.
LEAST_BUFFER = 1024


class GenAiEngine(ServedEngine):
    """One language model.

    Its configuration: ``path`` of the model's folder, ``own`` (a folder of this launch), ``name``,
    ``context_length``, ``parallel``, ``threads``, ``provider``.
    """

    parameters = PARAMETERS

    def load(self) -> None:
        import onnxruntime_genai

        check_version("onnxruntime-genai", onnxruntime_genai.__version__)
        self.name, self.parallel = self.config["name"], self.config["parallel"]
        self.context_length = self.config["context_length"]
        provider = self.config["provider"]
        check_execution_provider(onnxruntime_genai, provider)
        folder = read_folder(Path(self.config["path"]))
        own = launch_folder(folder, Path(self.config["own"]), provider)
        with load_errors(self.name, LESS_MEMORY):
            self._tokenizer = FastTokenizer(own / TOKENIZER)
            options = {"intra_op_num_threads": self.config["threads"]}
            runtime = onnxruntime_genai.Config(str(own))
            runtime.overlay(json.dumps({"model": {"decoder": {"session_options": options}}}))
            self._model = onnxruntime_genai.Model(runtime)
        self._runtime = onnxruntime_genai
        self._ends = frozenset(_ends(folder))
        text = folder.chat_template
        self._template = None if text is None else ChatTemplate.of(folder.path, text)
        self._own_search: dict[str, Any] = folder.config["search"]
        trained = folder.context_length or self.context_length
        self._buffer = min(trained, max(self.context_length, LEAST_BUFFER))
        self._vocabulary = int(folder.config["model"]["vocab_size"])

    def render(self, messages: Messages, body: Mapping[str, Any]) -> str:
        if self._template is None:
            self._cannot("chat")
        return self._template.render(messages, body.get("tools"))

    def encode(self, text: str, *, rendered: bool) -> list[int]:
        return self._tokenizer.encode(text, special=not rendered)

    def generate(self, prompt: Sequence[int], sampling: Sampling) -> Iterator[Token]:
        if any(token >= self._vocabulary for token in prompt):
            raise InvalidRequest(
                "The prompt has a token that the model does not have.", param="prompt"
            )
        with memory_errors(self.name, LESS_MEMORY):
            generator = self._generator(sampling)
            generator.append_tokens(list(prompt))
        characters = Characters(self._tokenizer.decode)
        shaping = LogitShaping(sampling)
        while not generator.is_done():
            logits = None
            if shaping.looks:
                logits = generator.get_logits()
                if shaping.changes:
                    changed = logits.copy()
                    shaping.change(changed[0, -1])
                    generator.set_logits(changed)
            generator.generate_next_token()
            token = int(generator.get_next_tokens()[0])
            if token in self._ends:
                return
            shaping.made(token)
            logprob, top = None, ()
            if logits is not None and sampling.logprobs is not None:
                logprob, top = self._logprobs(logits[0, -1], token, sampling.logprobs)
            yield Token(token, characters.add(token), logprob, top)

    def _generator(self, sampling: Sampling) -> Any:
        params = self._runtime.GeneratorParams(self._model)
        params.set_search_options(**self._search(sampling))
        schema = schema_of(sampling)
        if schema is None:
            return self._runtime.Generator(self._model, params)
        params.set_guidance("json_schema", schema)
        try:
            return self._runtime.Generator(self._model, params)
        except RuntimeError as error:
            if "grammar" not in str(error):
                raise
            raise InvalidRequest(
                f"The engine cannot follow this JSON schema: {shown(str(error))}",
                param="response_format",
                fix="Simplify the schema.",
            ) from error

    def close(self) -> None:
        # In this order: the runtime complains of models that outlive it.
        del self._model

    def _search(self, sampling: Sampling) -> dict[str, Any]:
        """Return the runtime's search options: the request's, else the model's own, else none; the
        runtime's would be a ``top_k`` of 50."""
        own = self._own_search
        options: dict[str, Any] = {"max_length": self._buffer, **_penalty(sampling, own)}
        temperature = sampling.temperature
        if temperature is None:
            temperature = own.get("temperature", 1.0) if own.get("do_sample") else 0.0
        top_k = own.get("top_k", 0) if sampling.top_k is None else sampling.top_k
        top_p = own.get("top_p", 1.0) if sampling.top_p is None else sampling.top_p
        if temperature == 0 or top_p == 0 or top_k == 1:
            return {**options, "do_sample": False}
        if top_k == 0 and top_p < 1:
            top_k = self._vocabulary  # with 0 the runtime takes no notice of top_p
        if sampling.seed is not None:
            options["random_seed"] = sampling.seed % (1 << 31)
        options |= {"do_sample": True, "temperature": temperature}
        return {**options, "top_k": top_k, "top_p": top_p}

    def _logprobs(self, logits: Any, token: int, most: int) -> tuple[float, tuple[Any, ...]]:
        import numpy as np

        shifted = logits.astype(np.float64)
        shifted -= shifted.max()
        shifted -= np.log(np.exp(shifted).sum())
        likeliest = np.argsort(-shifted, kind="stable")[:most]
        top = tuple((self._tokenizer.shown(int(one)), float(shifted[one])) for one in likeliest)
        return float(shifted[token]), top


def _ends(folder: OnnxFolder) -> list[int]:
    ends = folder.config["model"]["eos_token_id"]
    return ends if isinstance(ends, list) else [ends]


def _penalty(sampling: Sampling, own: Mapping[str, Any]) -> dict[str, float]:
    penalty = sampling.repeat_penalty
    if penalty is None:
        penalty = own.get("repetition_penalty") or 1.0
    if penalty <= 0:
        raise InvalidRequest(
            "The field 'repeat_penalty' is wrong: it is more than 0.", param="repeat_penalty"
        )
    return {"repetition_penalty": penalty}
