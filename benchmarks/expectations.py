"""What it costs to look at every row of a corpus with Great Expectations: hours of rows, columns without sound.

    python -m benchmarks.expectations --hours 1000 [--json]

Rows are made up (8 s each, as in read speech) and written into shards of half an hour without their sound; a second
version of the same size is the one before, so that drift is measured too. Measured in this process, started cold: the
library's import, reading, every expectation of rows and whole, the page. `peak_mib` is the process's largest memory.
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

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corpora.expectations import validate
from corpora.expectations.rows import Facts
from corpora.expectations.whole import figures
from corpora.text.languages import labels_for
from corpora.utterance import MEASURES
from store.corpus import Corpus
from store.opening import open_store

_ROW_S, _SHARD_ROWS = 8.0, 225


def main(arguments: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--hours", type=float, default=1000.0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="expectations-") as folder:
        figures = measure(Path(folder), options.hours)
    text = (
        json.dumps(figures) if options.json else "\n".join(f"{key} {value}" for key, value in figures.items())
    )
    sys.stdout.write(text + "\n")
    return 0


def measure(folder: Path, hours: float) -> dict[str, Any]:
    """Write two versions, look at the second."""
    store = open_store(folder)
    versions = [_version(folder, f"v{seed}", hours, seed) for seed in (1, 2)]
    store_corpus, before = versions[1], versions[0]
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    rows = validate._rows(store_corpus, "full")
    read_s = time.perf_counter() - wall_s
    whole = validate._whole(store_corpus, rows, before, "full")
    letters = "".join(labels_for("en"))
    facts = Facts(store_corpus.manifest, store_corpus.manifest["thresholds"], letters)
    with validate._library() as context:
        found = [
            *validate._look_at_rows(context, rows, facts),
            *validate._look_at_figures(context, figures(whole)),
        ]
    verdict = {
        "corpus": "bench", "version": "v2", "level": "full", "before": "v1", "rows": len(rows),
        "passed": all(one["passed"] for one in found), "expectations": found,
    }  # fmt: skip
    (store_corpus.path / validate.VERDICT).write_text(json.dumps(verdict))
    validate.write_page(store, store_corpus, verdict)
    return {
        "hours": hours, "rows": len(rows), "shards": len(store_corpus.shard_paths()), "expectations": len(found),
        "not_met": [one["name"] for one in found if not one["passed"]],
        "wall_s": round(time.perf_counter() - wall_s, 1), "cpu_s": round(time.process_time() - cpu_s, 1),
        "read_s": round(read_s, 1), "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }  # fmt: skip


def _version(folder: Path, version: str, hours: float, seed: int) -> Corpus:
    """A version whose manifest says what its rows are."""
    count = max(_SHARD_ROWS, round(hours * 3600 / _ROW_S))
    path = folder / "corpora" / "bench" / version
    path.mkdir(parents=True)
    chance = np.random.default_rng(seed)
    shards = []
    for start in range(0, count, _SHARD_ROWS):
        rows = min(_SHARD_ROWS, count - start)
        shard = path / f"part-{start // _SHARD_ROWS:05d}.parquet"
        pq.write_table(_table(chance, seed, start, rows), shard)
        shards.append(shard)
    total_h = (
        sum(pq.read_table(one, columns=["duration_s"])["duration_s"].to_numpy().sum() for one in shards)
        / 3600
    )
    manifest = {
        "corpus": "bench", "version": version, "language": "en", "licences": {"CC0-1.0": total_h}, "officials": {},
        "normaliser_version": "1", "utterances": count, "hours": total_h, "split_rule": "speaker", "subsets": {},
        "splits": {"train": {"utterances": count}}, "leakage": {"dev": 0, "test": 0, "min_words": 5},
        "thresholds": {"min_duration_s": 0.1, "max_duration_s": 40.0, "fast_chars_per_s": 30.0},
    }  # fmt: skip
    corpus = Corpus("bench", version, path)
    corpus.__dict__.update(manifest=manifest, shard_paths=lambda split=None: shards)
    return corpus


def _table(chance: np.random.Generator, seed: int, start: int, rows: int) -> pa.Table:
    samples = (chance.gamma(8.0, _ROW_S / 8.0, rows).clip(0.2, 39.0) * 16000).astype(np.int64)
    words = chance.choice(["the", "mill", "turns", "by", "river", "speech", "archive", "of"], (rows, 20))
    hashes = [f"{seed:08x}{start + row:056x}" for row in range(rows)]
    measures = {name: chance.uniform(0.0, 0.9, rows) for name in MEASURES}
    measures |= {
        "peak_dbfs": chance.normal(-6, 1, rows).clip(-30, 0),
        "bandwidth_hz": chance.normal(6000, 300, rows),
    }
    return pa.table(
        {
            "utterance_id": [f"u{start + row}" for row in range(rows)], "split": ["train"] * rows,
            "gender": ["f"] * rows, "language": ["en"] * rows, "licence": ["CC0-1.0"] * rows,
            "sample_rate_hz": pa.array([16000] * rows, pa.int32()), "num_samples": samples,
            "duration_s": samples / 16000, "channel": pa.array([0] * rows, pa.int32()),
            "text": [" ".join(row) for row in words], "speaker_id": [f"s{(start + row) % 900}" for row in range(rows)],
            "source_start_s": pa.nulls(rows, pa.float64()), "source_end_s": pa.nulls(rows, pa.float64()),
            "audio_sha256": hashes, "normaliser_version": ["1"] * rows, "audio_fingerprint": ["0" * 32] * rows,
            "measures": pa.StructArray.from_arrays([pa.array(one) for one in measures.values()], list(measures)),
        }
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
