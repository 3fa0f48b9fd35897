"""What a choice about partial and uncertain words costs, measured on a sample of transcripts before it is paid.

A line with such a word is refused as a whole, and those are the long ones: seven of a hundred lines may hold a
seventh of all words. The sample is spread evenly over the corpus; only texts are read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from corpora.sources.source import Source
from corpora.text.normaliser import Normaliser, Policies, Refused, default_labels

SAMPLE = 40  # transcripts
_PRICED = {"partial_word": "partial", "uncertain": "uncertain"}  # check → option


def price_remarks(
    source: Source, texts: Sequence[str], words: Callable[[str], str], style: str, policies: Mapping[str, str]
) -> list[str]:
    """A remark per option that refuses lines: what share of the lines and of the words it leaves out.

    Args:
        texts: names of all transcripts. words: the words of a line, "" where it has none.
    """
    rules = Normaliser(default_labels(), style, Policies(**policies))
    step = max(1, len(texts) // SAMPLE)
    sample = sorted(texts)[::step][:SAMPLE]
    lines: Counter[str] = Counter()
    said: Counter[str] = Counter()
    for path in sample:
        for line in source.text_lines(path):
            spoken = words(line.text or "")
            if not spoken:
                continue
            result = rules.normalise(spoken)
            check = result.check if isinstance(result, Refused) else ""
            for name in {"", check}:
                lines[name] += 1
                said[name] += len(spoken.split())
    return [
        f"--{option} reject leaves out {100 * lines[check] / lines['']:.1f} % of the lines with "
        f"{100 * said[check] / said['']:.1f} % of the words (measured on {len(sample)} of {len(texts)} transcripts); "
        f"--{option} keep keeps them, flagged"
        for check, option in _PRICED.items()
        if lines[check]
    ]
