"""The law of providers: what a provider promises, rule by rule, and what the core does about a
breach.

The guard around a provider (``venom_core.plugins``) keeps each of them at run time; a refusal and a
provider's record name the broken one. The conformance kit (``venom_core.testing``) tries each on a
provider by the same name, and has more rules: those that only a trial can tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from venom_core.sdk.errors import UpstreamError, UpstreamIncomplete

RULES_DOCS: Final = "/docs/plugins/conformance"
_ANOTHER_MODEL = "Try again, or choose another model: venom list. The plugin's authors can mend it."
_SEE_LOG = "The log says what exactly: venom logs. The plugin's authors can mend it."

#: What the core does about a breach: it puts it right and nobody is told; leaves out what is wrong
#: and keeps the rest; answers the request with a refusal; gives the provider up for this call; or
#: can only say so.
Outcome = Literal["mended", "left_out", "refused", "abandoned", "noted"]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule. ``promise`` is what a provider does, ``breach`` what is said of one that did not:
    both are sentences."""

    name: str
    outcome: Outcome
    promise: str
    breach: str

    @property
    def docs(self) -> str:
        return f"{RULES_DOCS}#{self.name}"

    def error(self, title: str, *, is_answer: bool = True) -> UpstreamError:
        """Return the refusal for what breaks this rule.

        Args:
            title: the provider's.
            is_answer: it is a model's answer, which another model may give.
        """
        kind = UpstreamIncomplete if self is FINISH_EACH_CHOICE else UpstreamError
        return kind(
            f"{title} broke the rule {self.name}: {self.breach}",
            fix=_ANOTHER_MODEL if is_answer else _SEE_LOG,
            docs=self.docs,
        )


FRAMES = Rule(
    "frames",
    "refused",
    "``chat`` and ``complete`` yield frames whose kind is what they carry, each field of the"
    " declared type.",
    "It yielded something that is no frame, or one that cannot be read.",
)
SHAPE_ASKED_FOR = Rule(
    "shape_asked_for",
    "mended",
    "A stream is answered in pieces, any other request with one whole answer.",
    "It answered in the shape that was not asked for.",
)
ONE_ANSWER = Rule(
    "one_answer",
    "refused",
    "A whole answer is the only frame of its request, and each choice of it is finished.",
    "It sent a whole answer beside other frames.",
)
KNOWN_CHOICES = Rule(
    "known_choices",
    "refused",
    "A frame carries only choices that were asked for: 0 to n - 1.",
    "It sent a choice that was not asked for.",
)
NOTHING_AFTER_FINISH = Rule(
    "nothing_after_finish",
    "refused",
    "Nothing of a choice comes after its finish.",
    "It sent more of a choice after its finish.",
)
ONE_FINISH = Rule(
    "one_finish",
    "refused",
    "Each choice has one finish, for one of OpenAI's reasons.",
    "It finished a choice twice, or for a reason of its own.",
)
FINISH_EACH_CHOICE = Rule(
    "finish_each_choice",
    "refused",
    "Each choice comes to a finish before the frames end.",
    "It ended before each choice had its finish.",
)
ONE_USAGE = Rule(
    "one_usage",
    "mended",
    "Usage is told once, at the end.",
    "It told the usage more than once.",
)
DECLARED_TYPES = Rule(
    "declared_types",
    "left_out",
    "A method returns what it declares, each field of the declared type.",
    "It returned something else than it declares.",
)
UNIQUE_NAMES = Rule(
    "unique_names",
    "left_out",
    "No model is listed twice, also not under two spellings; ``canonical`` asks nobody, and gives"
    " the same for what it gave.",
    "It listed a model twice.",
)
PRINTABLE_TEXT = Rule(
    "printable_text",
    "mended",
    "Texts have no control characters and no halves of characters.",
    "It returned a text with control characters.",
)
POSSIBLE_NUMBERS = Rule(
    "possible_numbers",
    "mended",
    "Numbers are finite and can be: sizes are bytes, contexts are tokens, and both agree with"
    " the files.",
    "It returned a number that cannot be.",
)
ONLY_REFUSALS = Rule(
    "only_refusals",
    "refused",
    "Faults are raised as refusals of ``venom_core.sdk.errors``, also for references that are"
    " none.",
    "It raised an error that is no refusal.",
)
IN_TIME = Rule(
    "in_time",
    "refused",
    "A method answers within its time: ``health`` within two seconds, a listing within three.",
    "It did not answer in time.",
)
NEVER_BLOCKS = Rule(
    "never_blocks",
    "noted",
    "Nothing keeps the event loop for a second: blocking work runs in a thread.",
    "It kept the server from everything else.",
)
LETS_GO = Rule(
    "lets_go",
    "abandoned",
    "A method that is cancelled, or a stream that is closed, ends at once, and so does the"
    " engine's work for it.",
    "It went on after it was cancelled.",
)

RULES: Final[dict[str, Rule]] = {
    rule.name: rule
    for rule in (
        FRAMES, SHAPE_ASKED_FOR, ONE_ANSWER, KNOWN_CHOICES, NOTHING_AFTER_FINISH, ONE_FINISH,
        FINISH_EACH_CHOICE, ONE_USAGE, DECLARED_TYPES, UNIQUE_NAMES, PRINTABLE_TEXT,
        POSSIBLE_NUMBERS, ONLY_REFUSALS, IN_TIME, NEVER_BLOCKS, LETS_GO,
    )
}  # fmt: skip
