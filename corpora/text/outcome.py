"""What becomes of a raw text: the text in the alphabet, or the check and the reason why not; and the choices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Normalised:
    """Text within the alphabet. `text_scoring` is None where it equals `text`."""

    text: str
    text_scoring: str | None = None
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Refused:
    """Why a text must not be trained on; `check` is counted, `reason` is for a person."""

    check: str
    reason: str


class Refusal(Exception):
    """Leaves the rules early; never leaves corpora/text."""

    def __init__(self, check: str, reason: str) -> None:
        super().__init__(reason)
        self.refused = Refused(check, reason)


@dataclass(frozen=True)
class Policies:
    """Choices a corpus may make; the defaults refuse.

    Attributes:
        partial_words, uncertain: "reject" or "keep".
        unknown_words: `<unk>`: "reject", "drop", or "keep" as the word `unk`.
        numbers: "reject", "table" (the reviewed readings of transcript_rules.NUMBERS) or "spell" (the table,
            then num2words, flagged `numbers_spelled`).
        language: BCP 47; decides on lower case, symbols, numbers and whether accents are folded.
    """

    partial_words: str = "reject"
    uncertain: str = "reject"
    unknown_words: str = "reject"
    numbers: str = "reject"
    language: str = "en"


DEFAULT_POLICIES = Policies()


@dataclass
class Notes:
    """What the rules noticed on the way."""

    flags: set[str] = field(default_factory=set)
    optional: set[str] = field(default_factory=set)  # words that a scorer may leave out


def quote(text: str) -> str:
    short = text.strip()
    return f"'{short[:60]}…'" if len(short) > 60 else f"'{short}'"


def listed(signs: Sequence[str]) -> str:
    return ", ".join(f"{s!r} (U+{ord(s):04X})" for s in signs[:8])
