"""Two hypotheses of one reference -> is the difference real? The tests are those of `significance.py`.

Where a reference leaves a choice (alternations, deletable words), both are measured against the words that the
first hypothesis was paired with.
"""

from __future__ import annotations

from typing import Any

from scoring.errors import ScoringError
from scoring.score import Score
from scoring.significance import Paired, wer_interval
from scoring.wer import Edits, ErrorRates


def rates_of(score: Score) -> ErrorRates:
    """The counts as `wer.py` has them; characters are not counted."""
    return ErrorRates(
        tuple(Edits(subs, dels, ins, right + subs + dels, 0, 0) for right, subs, dels, ins in score.counts)
    )


def interval_of(score: Score, seed: int = 1) -> tuple[float, float]:
    """95 % bootstrap interval of the rate, over speakers where there are several."""
    return wer_interval(rates_of(score), [pair.speaker for pair in score.pairs], seed)


def compare(after: Score, before: Score) -> dict[str, Any]:
    """Difference of the rates (after - before, below 0 = better) with interval and three p values.

    Raises:
        ScoringError: they share no utterance.
    """
    earlier = {pair.id: pair for pair in before.pairs}
    shared = [pair for pair in after.pairs if pair.id in earlier]
    if not shared:
        raise ScoringError(
            f"{after.request.hypothesis} and {before.request.hypothesis} share no utterance: nothing to compare"
        )
    references, heard, heard_before, speakers = [], [], [], []
    for pair in shared:
        steps = after.path(pair)
        references.append(" ".join(step[1] for step in steps if step[1]))
        heard.append(" ".join(step[2] for step in steps if step[2]))
        heard_before.append(" ".join(step[2] for step in before.path(earlier[pair.id]) if step[2]))
        speakers.append(pair.speaker)
    result = Paired(references, heard_before, heard, speakers).as_json()
    return {"against": before.request.hypothesis.name, "shared_utterances": len(shared), **result}
