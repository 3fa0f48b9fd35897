"""What the page of a corpus costs at the size of real corpora: time, memory, bytes.

    python -m benchmarks.pages.report [--rows 1000000] [--seed 1] [--keep DIR]

The version is that of `benchmarks.browsing`: invented sentences, speakers and measures, a twentieth of it refused, a short
FLAC each. Measured in this process after the imports: `corpora.report` from the published version to the written page.
`peak_mib` is the process's largest memory.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.browsing import NAME, write_version
from corpora.report import write_corpus_report
from store.opening import open_store

_FOUND_NOTHING = {
    "train": NAME, "held_out": NAME, "speakers": 0, "sentences": 0, "long_sentences": 0, "short_sentences": 0,
    "audio": 0, "near_copies": 0, "near_copies_other_text": 0, "dev": 0, "test": 0, "dev_any": 0, "test_any": 0,
    "min_words": 5, "policy": "nothing is shared",
}  # fmt: skip
# What a refresh writes into a manifest and the browser does not ask for.
_BESIDE: dict[str, Any] = {
    "licence": "CC0-1.0", "licences": {"CC0-1.0": 1.0}, "donor": None, "subsets": {}, "officials": {}, "genders": {},
    "split_rule": "official", "closed_vocabulary": False, "leakage": _FOUND_NOTHING, "notes": [], "ignored": {},
    "flags": {}, "sources": [], "gate": {"passed": True, "expectations": []}, "normaliser_version": "1",
    "importer_version": "1",
}  # fmt: skip


def measure(root: Path, rows: int, seed: int) -> dict[str, Any]:
    """Write the version where it is missing, then its page."""
    write_version(root, rows, seed)
    store = open_store(root)
    corpus = store.corpus(NAME)
    corpus.__dict__["manifest"] = {**_BESIDE, **corpus.manifest}
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    page = write_corpus_report(store, corpus)
    return {
        "rows": rows,
        "wall_s": round(time.perf_counter() - wall_s, 1),
        "cpu_s": round(time.process_time() - cpu_s, 1),
        "page_bytes": page.stat().st_size,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def main(arguments: list[str] | None = None) -> int:
    """Measure; print one object."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.pages.report", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="a store to leave behind, or one that was left"
    )
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="speechmill-report-") as temporary:
        found = measure((options.keep or Path(temporary)).absolute(), options.rows, options.seed)
    sys.stdout.write(json.dumps(found, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
