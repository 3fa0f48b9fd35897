"""The spell corrector of 2017 as a decoder: greedy texts in, corrected texts out.

The comparison that the release of 2017 left behind when its beam search learnt to use a language model. The
work is done by `native.SpellCorrector`; here stand the settings that evaluations use.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from native import Scorer

BEAM_WIDTH = 1024  # sentences kept, as in 2017
MAX_CANDIDATES = 200  # words tried per unknown word; more only matter two edits away from very short words


def correct_texts(texts: Sequence[str], scorer: Scorer, threads: int = 1) -> list[str]:
    """Every text with its unknown words replaced by what the language model finds likeliest.

    Args:
        scorer: language model and lexicon; its weights take no part.
    """
    import native

    return native.SpellCorrector(scorer, BEAM_WIDTH, MAX_CANDIDATES).correct(texts, threads=threads)


def counts_words(scorer: Scorer) -> bool:
    """Whether the language model's unit is the word: one of characters has no lexicon to correct by."""
    return bool(scorer.info.get("unit", "words") == "words")
