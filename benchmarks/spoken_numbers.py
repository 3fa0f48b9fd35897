"""How often our spoken forms of numbers are what a reader said: a table with raw and read-out text side by side.

    .venv/bin/python -m benchmarks.spoken_numbers LJSpeech-1.1/metadata.csv

Lines are `id|raw text|text as it was read`. Both sides go through the normaliser, the raw one with `numbers = "spell"`.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from corpora.text.normaliser import Normalised, Normaliser, Policies, default_labels


def measured(table: Path) -> tuple[Counter[str], list[str]]:
    """Counts of rows by outcome, and a line for each accepted row that differs."""
    ours = Normaliser(default_labels(), "verbatim", Policies(numbers="spell"))
    theirs = Normaliser(default_labels(), "verbatim")
    counts: Counter[str] = Counter()
    differing = []
    for line in table.read_text("utf-8").splitlines():
        name, raw, read = line.split("|", 2)
        said, wanted = ours.normalise(raw), theirs.normalise(read)
        if not isinstance(wanted, Normalised):
            counts["the reader's text is refused"] += 1
            continue
        kind = "rows written otherwise than read" if raw != read else "rows written as read"
        counts[kind] += 1
        if not isinstance(said, Normalised):
            counts[f"{kind}: refused"] += 1
            continue
        counts[f"{kind}: accepted"] += 1
        counts[f"{kind}: equal"] += said.text == wanted.text
        counts["accepted rows with fewer words than were read"] += len(said.text.split()) < len(
            wanted.text.split()
        )
        if said.text != wanted.text:
            differing.append(f"{name}: {said.text!r} was read {wanted.text!r}")
    return counts, differing


def main(arguments: list[str]) -> None:
    """Print the counts and the rows that differ."""
    counts, differing = measured(Path(arguments[0]))
    accepted, equal = (
        sum(n for name, n in counts.items() if name.endswith(end)) for end in ("accepted", "equal")
    )
    print("\n".join(differing))
    for name, count in sorted(counts.items()):
        print(f"{count:>7,}  {name}")
    print(f"{100 * equal / max(1, accepted):.2f} % of {accepted:,} accepted rows equal the reader's text")


if __name__ == "__main__":
    main(sys.argv[1:])
