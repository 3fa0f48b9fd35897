"""lhotse's flow from FLAC files to batches of features: cuts, dynamic buckets, features on the fly. Runs in its environment.

    python benchmarks/training/peers/lhotse_feed.py FOLDER

FOLDER holds NAME.flac and, for each, a line of `list.jsonl` with name, samples, rate_hz and text. Passes over it twice and
prints seconds of speech per CPU second of the second pass. No worker processes, so that all it costs is counted.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import lhotse
from lhotse import AudioSource, CutSet, MonoCut, Recording, SupervisionSegment
from lhotse.dataset import DynamicBucketingSampler, K2SpeechRecognitionDataset, OnTheFlyFeatures
from lhotse.features import Mfcc, MfccConfig
from torch.utils.data import DataLoader

_BATCH = 32
_BUCKETS = 7


def cut_of(folder: Path, row: dict) -> MonoCut:
    """One utterance."""
    name, rate, count = row["name"], row["rate_hz"], row["samples"]
    seconds = count / rate
    source = AudioSource("file", [0], str(folder / f"{name}.flac"))
    recording = Recording(name, [source], rate, count, seconds)
    said = SupervisionSegment(name, name, 0.0, seconds, text=row["text"])
    return MonoCut(name, 0.0, seconds, 0, supervisions=[said], recording=recording)


def main() -> int:
    """Two passes, the second counts."""
    folder = Path(sys.argv[1])
    rows = [json.loads(line) for line in (folder / "list.jsonl").read_text(encoding="utf-8").splitlines()]
    cuts = CutSet.from_cuts(cut_of(folder, row) for row in rows)
    hours = sum(row["samples"] / row["rate_hz"] for row in rows) / 3600
    mfcc = Mfcc(MfccConfig(frame_length=0.032, frame_shift=0.02, num_filters=40, num_ceps=26))
    dataset = K2SpeechRecognitionDataset(input_strategy=OnTheFlyFeatures(mfcc))
    for _ in range(2):
        sampler = DynamicBucketingSampler(
            cuts, max_cuts=_BATCH, max_duration=600.0, num_buckets=_BUCKETS, shuffle=True, seed=1
        )
        cpu, wall = time.process_time(), time.monotonic()
        frames = padded = 0
        for batch in DataLoader(dataset, sampler=sampler, batch_size=None, num_workers=0):
            frames += int(batch["supervisions"]["num_frames"].sum())
            padded += batch["inputs"].shape[0] * batch["inputs"].shape[1]
        cpu_s, wall_s = time.process_time() - cpu, time.monotonic() - wall
    answer = {
        "pipeline": f"lhotse {lhotse.__version__}", "fed_hours": round(hours, 2),
        "real_time_per_cpu_s": round(hours * 3600 / cpu_s, 1),
        "real_time_by_the_clock": round(hours * 3600 / wall_s, 1),
        "padding": round(1 - frames / padded, 4),
    }  # fmt: skip
    sys.stdout.write(json.dumps(answer) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
