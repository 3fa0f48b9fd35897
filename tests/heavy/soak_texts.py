"""`make soak-texts [SEED=1] [COUNT=600]`: odd donated texts beside recordings whose truth is known, imported and heard.

Six recordings with an odd text each go into one donation (demo/layouts/odd_texts.py); every row that comes out is
listened to (demo/layouts/text_campaign.py). Prints the counts by kind; ends with 1 where a row says what does not sound
in it, or a word is gone and nothing says why. An error that nobody foresaw counts as wrong too.
"""

from __future__ import annotations

import argparse
import logging
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from demo.layouts.text_campaign import listen

TEXTS = 6  # of one donation


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the campaign and print its counts; 1 where anything was wrong."""
    parser = argparse.ArgumentParser(
        prog="tests/heavy/soak_texts.py", description="Import odd texts and listen."
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=600, help="odd texts at least (default 600)")
    options = parser.parse_args(arguments)
    logging.disable(logging.WARNING)
    kinds: Counter[str] = Counter()
    rows: Counter[str] = Counter()
    wrong: list[str] = []
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="soak-texts-") as place:
        for number in range(-(-options.count // TEXTS)):
            heard = listen(Path(place) / "one", options.seed + number, TEXTS)
            shutil.rmtree(Path(place) / "one")
            kinds.update(heard.kinds)
            rows.update(heard.rows)
            wrong += heard.wrong
    for sentence in wrong:
        print(f"soak-texts: WRONG: {sentence}", file=sys.stderr)
    print(f"{kinds.total()} texts of {len(kinds)} kinds, {len(wrong)} wrong in silence, seed {options.seed}")
    for name, number in [*sorted(rows.items()), *sorted(kinds.items())]:
        print(f"  {name}: {number}")
    print(f"{time.monotonic() - began:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
