"""The gate of a corpus: may this version be published? Plain comparisons over its totals, before it is sealed.

What is worth a look at every row (ranges, sets, drift) is no business of the gate and stops nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Expectation:
    """One figure of a corpus's summary and what it may be: `least <= figure <= most`; None = no limit."""

    name: str
    says: str
    least: float | None = None
    most: float | None = None

    def holds(self, figure: float) -> bool:
        """Whether a figure lies within the limits; one that is not a number does not."""
        return (self.least is None or figure >= self.least) and (self.most is None or figure <= self.most)


EXPECTATIONS = (
    Expectation("rows", "at least one utterance was accepted", least=1),
    Expectation("unbalanced", "input = accepted + rejected + ignored", least=0, most=0),
    Expectation("duplicate_ids", "every utterance id appears once", most=0),
    Expectation("shared_speakers", "no speaker is in more than one split", most=0),
    Expectation("leaked_speakers", "no speaker of dev or test is in another corpus's train", most=0),
    Expectation("leaked_audio", "no sound of dev or test is in any corpus's train", most=0),
    Expectation(
        "leaked_sentences",
        "long sentences of dev and test that are in any train stay within what is tolerated",
        most=0,
    ),
)


_ADVICE = {
    "rows": "`rejections.parquet` and the report say why the others were refused",
    "shared_speakers": "name the speakers of dev and test in [splits] of donation.toml",
    "leaked_speakers": "import the corpus with those speakers under splits that fit, or leave one of the two out",
    "leaked_audio": "the same sound stands in two places: leave one out of the source (`exclude` in donation.toml), "
    "or put both into one split ([splits] there)",
    "leaked_sentences": "`leaked_sentences` and `leakage_words` under [thresholds.NAME] in the store's "
    "settings.toml say what is tolerated, as does --threshold leaked_sentences=SHARE for one refresh",
}


def refusal(corpus: str, gate: Mapping[str, Any]) -> str:
    """What a gate objects to in a corpus, with figures and what mends it, for people."""
    said = []
    for one in gate["expectations"]:
        if not one["passed"]:
            advice = _ADVICE.get(one["name"], "a fault of ours: please report it").replace("NAME", corpus)
            seen = one.get("told") or f"{one['name']} is {one['observed']}"
            said.append(f"{one['says']} ({seen}; {advice})")
    return "; ".join(said)


def run_gate(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Compare a corpus's summary with what is expected of it.

    Args:
        summary: rows, unbalanced, duplicate_ids, shared_speakers (None = not asked for: the donor chose a
            split by utterances), leaked_speakers, leaked_audio, leaked_sentences (the share beyond what is
            tolerated; see leakage.py). A figure that is missing or None is not asked for. `NAME_told` says more of one.

    Returns:
        {"passed": bool, "expectations": [{"name", "says", "passed", "observed"}]}, and "told" where the summary says more.
    """
    verdicts = [
        {"name": one.name, "says": one.says, "passed": one.holds(figure), "observed": figure}
        | ({"told": summary[f"{one.name}_told"]} if f"{one.name}_told" in summary else {})
        for one in EXPECTATIONS
        if (figure := summary.get(one.name)) is not None
    ]
    return {"passed": all(verdict["passed"] for verdict in verdicts), "expectations": verdicts}
