"""The feed of training, at the size of real corpora: first step, resident memory, resume, hours per CPU second.

    python -m benchmarks.feed --hours 1000 [--speeds 0.9 1.0 1.1] [--cache] [--no-step] [--json]

A few true shards are written (FLAC of synthetic speech-like sound, utterances of 2 to 16 s as in read speech)
and named again and again in a manifest until the hours are there: each name is a link, so a thousand hours
need no more disk than one. What is measured runs in a process of its own, started cold: opening the store,
the table, the whitening, the batches of the first pool, TensorFlow and one step of a small network
(`first_step_s`), then batches alone for `--measured-hours` of speech (`real_time_per_cpu_s`: seconds of
speech per CPU second of the whole process), its peak memory, and the next batch after a resume from the
middle (`resume_s`). Does not measure the network.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from corpora.text.normaliser import NORMALISER_VERSION, default_alphabet
from corpora.versions.shards import ShardWriter
from native.flac import encode_many
from store.store import Store
from store.versions import link_current
from store.writing import read_json, write_json_atomic

_SHARD_HOURS = 0.5
_RATE_HZ = 16000
_LETTERS_PER_S = 14
_ALPHABET = "etaoin srhldcumfpgwybvk"


def main(arguments: list[str] | None = None) -> int:
    """Make the shards, measure in processes of their own, print one object."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.feed", description=__doc__.splitlines()[0])
    parser.add_argument("--hours", type=float, default=10.0, help="hours of speech in the store (default 10)")
    parser.add_argument(
        "--measured-hours", type=float, default=6.0, help="hours fed while measuring (default 6)"
    )
    parser.add_argument("--speeds", type=float, nargs="+", default=[1.0], help="playing speeds (default 1.0)")
    parser.add_argument("--cache", action="store_true", help="measure the feed from the feature cache")
    parser.add_argument("--no-step", action="store_true", help="leave out TensorFlow and the step")
    parser.add_argument("--threads", type=int, default=0, help="reading threads (default: all cores)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--resume", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.worker:
        sys.stdout.write(json.dumps(_measure(options)) + "\n")
        return 0
    with tempfile.TemporaryDirectory(prefix="feed-") as folder:
        write_store(Path(folder), options.hours)
        answer = {"hours": options.hours, **_child(options, Path(folder))}
        answer.update(_child(options, Path(folder), "--resume"))
    shown = json.dumps(answer) if options.json else "\n".join(f"{k:24} {v}" for k, v in answer.items())
    sys.stdout.write(shown + "\n")
    return 0


def _child(options: argparse.Namespace, folder: Path, *more: str) -> dict[str, Any]:
    """What a fresh process measured."""
    command = [sys.executable, "-m", "benchmarks.feed", "--worker", str(folder), *more]
    command += ["--measured-hours", str(options.measured_hours), "--threads", str(options.threads)]
    command += ["--speeds", *map(str, options.speeds)]
    command += [f"--{name}" for name in ("cache", "no-step") if getattr(options, name.replace("-", "_"))]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


def speech_like(generator: np.random.Generator, seconds: float) -> npt.NDArray[np.int16]:
    """Sound that FLAC compresses about as well as read speech: harmonics, pauses, a noise floor."""
    count = round(seconds * _RATE_HZ)
    time_s = np.arange(count) / _RATE_HZ
    pitch = 2 * np.pi * np.cumsum(120 + 30 * np.sin(2 * np.pi * 0.7 * time_s)) / _RATE_HZ
    voiced = np.zeros(count)
    for harmonic in range(1, 12):
        voiced += np.sin(harmonic * pitch + generator.random() * 6) / harmonic
    loudness = np.clip(np.sin(2 * np.pi * 2.3 * time_s + generator.random() * 6), 0, 1)
    sound = 0.12 * voiced * loudness + 0.004 * generator.standard_normal(count)
    samples: npt.NDArray[np.int16] = np.round(sound * 32767).clip(-32768, 32767).astype(np.int16)
    return samples


def write_store(root: Path, hours: float) -> Store:
    """A store with one corpus of so many hours: few shards, named many times."""
    folder = root / "corpora" / "bench" / "v1"
    each = min(hours, _SHARD_HOURS)
    true_shards = max(1, min(4, round(hours / each)))
    with ThreadPoolExecutor() as pool:
        written = list(pool.map(lambda number: _write_shard(folder, number, each), range(true_shards)))
    shards: list[dict[str, Any]] = []
    for number in range(max(1, round(hours / each))):
        rows, seconds = written[number % true_shards]
        name = f"train/part-{number:05d}.parquet"
        if number >= true_shards:
            (folder / name).symlink_to(f"part-{number % true_shards:05d}.parquet")
        size = (folder / name).stat().st_size
        shards.append({"path": name, "split": "train", "rows": rows, "hours": seconds / 3600, "bytes": size})
    manifest = {
        "kind": "corpus", "corpus": "bench", "version": "v1", "language": "en", "shards": shards,
        "alphabet_hash": default_alphabet().hash, "normaliser_version": NORMALISER_VERSION,
        "splits": {"train": {"utterances": sum(one["rows"] for one in shards), "hours": hours}},
    }  # fmt: skip
    write_json_atomic(folder / "manifest.json", manifest)
    link_current(folder.parent, "v1")
    return Store(root)


def _write_shard(folder: Path, number: int, hours: float) -> tuple[int, float]:
    generator = np.random.default_rng(number)
    rows, total_s = 0, 0.0
    with ShardWriter(folder / "train" / f"part-{number:05d}.parquet") as writer:
        while total_s < hours * 3600:
            sounds = [speech_like(generator, generator.uniform(2, 16)) for _ in range(16)]
            for samples, content in zip(
                sounds, encode_many([(one, _RATE_HZ) for one in sounds]), strict=True
            ):
                seconds = len(samples) / _RATE_HZ
                text = " ".join(_letters(generator, int(seconds * _LETTERS_PER_S)).split()) or "a"
                name = f"s{number:05d}-{rows:06d}"
                writer.add_rows([_row(name, text, samples, content)])
                rows, total_s = rows + 1, total_s + seconds
    return rows, total_s


def _letters(generator: np.random.Generator, count: int) -> str:
    return "".join(_ALPHABET[place] for place in generator.integers(0, len(_ALPHABET), count))


def _row(name: str, text: str, samples: npt.NDArray[np.int16], content: bytes) -> dict[str, Any]:
    return {
        "utterance_id": name, "corpus": "bench", "split": "train", "subset": "", "recording_id": name,
        "speaker_id": name[:6], "language": "en", "licence": "CC0-1.0",
        "audio": {"bytes": content, "path": f"{name}.flac"}, "sample_rate_hz": _RATE_HZ,
        "num_samples": len(samples), "duration_s": len(samples) / _RATE_HZ, "channel": 0, "text": text,
        "text_raw": text, "source_path": "synthetic", "audio_sha256": "", "flags": [],
        "normaliser_version": NORMALISER_VERSION,
    }  # fmt: skip


def _measure(options: argparse.Namespace) -> dict[str, Any]:
    """In the child: first step or resume, then the feed alone."""
    from training.network.batches import PlanOptions, Position
    from training.network.config import AugmentConfig, DataConfig, LoopConfig, ModelConfig, TrainingConfig
    from training.network.features import Whitening
    from training.network.feed.sources import ShardSource, Share, Span
    from training.runs import feed_reader

    begun = time.monotonic()
    config = TrainingConfig(
        data=DataConfig(feature_cache_gb=1000.0 if options.cache else 0.0), model=ModelConfig(n_hidden=64),
        augment=AugmentConfig(speeds=tuple(options.speeds)), loop=LoopConfig(batch_size=32),
    )  # fmt: skip
    reader, chosen = feed_reader(config, Store(options.worker))
    source = ShardSource(reader, config.data.shuffle_hours, threads=options.threads)
    plan = source.plan(1, PlanOptions(batch_size=config.loop.batch_size))
    steps = plan.total_steps(1)
    at = Position(steps // 2, 0, 0) if options.resume else Position()
    kept = options.worker / "whitening.json"  # a run that goes on has it in its checkpoint
    whitening = Whitening.of_json(read_json(kept)) if options.resume else source.whitening()
    write_json_atomic(kept, whitening.as_json())
    fed = source.feed(plan, Span(at), whitening, Share())
    _, batch = next(fed)
    if batch is None:
        raise SystemExit("the first batch has no utterance that can be read")
    first_batch_s = time.monotonic() - begun
    if not options.no_step:
        from training.decoding.acoustic import Network
        from training.network.backends.tensorflow_step import StepFunction

        network = Network.create(config, whitening, tuple(chosen.alphabet.labels))
        step = StepFunction(network, config.optimiser, steps)
        step.apply(step.gradients(batch)[2], 0)
    first_step_s = time.monotonic() - begun
    fed.close()
    if options.resume:
        cpu_s = time.process_time()
        return {
            "resume_batch_s": round(first_batch_s, 2), "resume_s": round(first_step_s, 2),
            "resume_cpu_s": round(cpu_s, 2),
        }  # fmt: skip
    answer = {
        "utterances": len(source), "speeds": options.speeds, "cores": len(os.sched_getaffinity(0)),
        "first_batch_s": round(first_batch_s, 2), "first_step_s": round(first_step_s, 2),
    }  # fmt: skip
    if options.cache:
        _rate(source, plan, whitening, options.measured_hours)
    answer.update(_rate(source, plan, whitening, options.measured_hours))
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {**answer, "peak_rss_mb": round(peak_kib / 1024, 1)}


def _rate(source: Any, plan: Any, whitening: Any, hours: float) -> dict[str, float]:
    """Seconds of speech per CPU second and per second by the clock, over whole pools, without a network."""
    from training.network.feed.sources import Share, Span

    until, seconds, pool = None, 0.0, 0
    for planned in plan.batches():
        if planned.epoch or (planned.pool != pool and seconds >= hours * 3600):
            until = planned.step
            break
        pool = planned.pool
        seconds += float(source.reader.table.duration_s[planned.utterances].sum())
    cpu, wall = time.process_time(), time.monotonic()
    padded = frames = 0
    for _, batch in source.feed(plan, Span(until=until), whitening, Share()):
        frames += int(batch.lengths.sum())
        padded += batch.features.shape[0] * batch.features.shape[1]
    return {
        "real_time_per_cpu_s": round(seconds / (time.process_time() - cpu), 1),
        "real_time_by_the_clock": round(seconds / (time.monotonic() - wall), 1),
        "fed_hours": round(seconds / 3600, 2),
        "padding": round(1 - frames / padded, 4),
    }


if __name__ == "__main__":
    sys.exit(main())
