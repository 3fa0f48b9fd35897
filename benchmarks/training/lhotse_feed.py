"""The store's sounds through lhotse's sampler and features, in its own environment (`benchmarks/peers.sh lhotse`).

    python -m benchmarks.training.lhotse_feed STORE FOLDER

Writes each FLAC file as it lies in the shards and a list of them into FOLDER, then runs `peers/lhotse_feed.py` and prints
what that prints.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from store.store import Store

ROOT = Path(__file__).resolve().parents[2]
PEERS = Path(os.environ.get("SPEECHMILL_PEERS", ROOT / "build" / "peers"))
PYTHON = PEERS / "lhotse" / "bin" / "python"


def write_files(store: Store, folder: Path) -> int:
    """NAME.flac for every training utterance, and list.jsonl; answers how many."""
    folder.mkdir(parents=True, exist_ok=True)
    lines: list[str] = []
    columns = ["audio", "text", "num_samples", "sample_rate_hz"]
    for batch in store.corpus("bench").batches(split="train", columns=columns):
        for row in batch.to_pylist():
            name = f"u{len(lines):06d}"
            (folder / f"{name}.flac").write_bytes(row["audio"]["bytes"])
            told = {"name": name, "samples": row["num_samples"], "rate_hz": row["sample_rate_hz"]}
            lines.append(json.dumps({**told, "text": row["text"]}))
    (folder / "list.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return len(lines)


def main() -> int:
    """Write, run the peer."""
    folder = Path(sys.argv[2])
    write_files(Store(Path(sys.argv[1])), folder)
    script = Path(__file__).parent / "peers" / "lhotse_feed.py"
    alone = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run([str(PYTHON), str(script), str(folder)], env=alone, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
