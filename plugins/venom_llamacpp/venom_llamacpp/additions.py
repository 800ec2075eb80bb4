"""Additions to a model's own file: a smaller model that writes ahead, and LoRA adapters; both are
named in settings, as ``MODEL=WHAT``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from shlex import quote

from venom_core.sdk.errors import Conflict, ModelNotFound
from venom_llamacpp.headers import Headers
from venom_llamacpp.load_failures import other_vocabulary
from venom_llamacpp.local_catalogue import ServableModel

#: Tokens that one vocabulary may have more than the other, as llama.cpp has it.
_MOST_ADDED_TOKENS = 128


@dataclass(slots=True)
class Additions:
    """The settings ``draft_models`` and ``lora_adapters``, by model.

    Args:
        wrong: names of settings with an entry that is no ``MODEL=WHAT``.
    """

    drafts: dict[str, str] = field(default_factory=dict)
    adapters: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    wrong: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, drafts: Sequence[str], adapters: Sequence[str]) -> Additions:
        """Read both settings."""
        made = cls()
        for setting, entries in (("draft_models", drafts), ("lora_adapters", adapters)):
            for entry in entries:
                model, _, what = (part.strip() for part in entry.partition("="))
                if not model or not what:
                    made.wrong.append(setting)
                elif setting == "draft_models":
                    made.drafts[model] = what
                else:
                    made.adapters[model].append(what)
        return made

    def check(self) -> None:
        """Raise ``Conflict`` where a setting cannot be read."""
        if self.wrong:
            name = self.wrong[0]
            raise Conflict(
                f"The setting {name} has an entry that is not MODEL={_WHAT[name]}.",
                code="setting_invalid",
                fix=f"Correct VENOM_LLAMACPP__{name.upper()}; its place is in: venom config show",
            )

    async def with_draft(
        self, item: ServableModel, served: Mapping[str, ServableModel], headers: Headers
    ) -> ServableModel:
        """Return a model with the file of the one that writes ahead for it, where it has one.

        Raises ``ModelNotFound`` where that is not there, ``Conflict`` where it has another
        vocabulary: the engine would go on without it and say nothing.
        """
        ref, name = item.model.ref, self.drafts[item.model.ref]
        draft = served.get(name)
        if draft is None or draft.path is None or item.path is None:
            raise ModelNotFound(
                f"The model {name!r}, which is to write ahead for {ref}, is not fetched.",
                param="model",
                fix=f"Fetch it with: venom pull {quote(name)}",
            )
        sizes = [
            header.numbers.vocabulary if header.numbers is not None else None
            for header in [await headers.of_file(path) for path in (item.path, draft.path)]
        ]
        if None not in sizes and abs((sizes[0] or 0) - (sizes[1] or 0)) > _MOST_ADDED_TOKENS:
            raise other_vocabulary(ref)
        return replace(item, draft=str(draft.path))

    def adapters_of(self, ref: str) -> list[str]:
        """Return the files of a model's adapters."""
        return [str(Path(path).expanduser()) for path in self.adapters.get(ref, ())]


_WHAT = {"draft_models": "MODEL", "lora_adapters": "FILE"}
