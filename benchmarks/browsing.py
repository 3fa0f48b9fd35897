"""The page *Utterances* at the size of real corpora: search, sound, memory, over HTTP on loopback.

    python -m benchmarks.browsing [--rows 1000000] [--searches 60] [--seed 1] [--keep DIR] [--json]

A version with so many rows (and a twentieth of that in rejections) is written: sentences of 5 to 20 words out of 30,000
with Zipf's frequencies, the source's own with capitals and a point, 2,000 speakers, every measure, a short FLAC each
in row groups of the usual 1.5 MB. The server is a process of its own. Reported: time and size of the index, the time of
a page of rows and of the count for searches of ten kinds (every one with other words), of a sound from an untouched row
group (first byte and whole), and how much the server has grown by all of it (PSS, before the first question and after
the last). Also how long
`python -m corpora trace` takes there, the whole command. Does not measure the browser.
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
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pyarrow as pa

from corpora.quality.thresholds import Thresholds
from corpora.utterance import MEASURES, REJECTIONS_SCHEMA, SCHEMA
from corpora.versions.shards import ShardWriter, write_table
from native.flac import encode_many
from store.versions import link_current
from store.writing import write_json_atomic

NAME, VERSION = "many", "made"
_SHARD_ROWS = 20_000
_WORDS = 30_000
_SPEAKERS = 2_000
_FLAGS = ("noisy", "clipped", "quiet", "fast_speech", "has_noise_tag")
_CHECKS = ("bad_chars", "audio_truncated", "numbers", "too_short")
_RATE_HZ = 16_000


class _Text:
    """Sentences with Zipf's frequencies."""

    def __init__(self, generator: np.random.Generator) -> None:
        letters = np.array(list("etaoinsrhldcumfpgwybvk"))
        lengths = generator.integers(2, 11, _WORDS)
        self.words = ["".join(generator.choice(letters, size=n)) for n in lengths]
        ranks = 1.0 / np.arange(1, _WORDS + 1)
        self._cumulated = np.cumsum(ranks / ranks.sum())
        self._generator = generator

    def sentences(self, count: int) -> list[str]:
        sizes = self._generator.integers(5, 21, count)
        drawn = np.searchsorted(self._cumulated, self._generator.random(int(sizes.sum())))
        picked = iter(np.minimum(drawn, _WORDS - 1).tolist())
        return [" ".join(self.words[next(picked)] for _ in range(size)) for size in sizes.tolist()]


def write_version(root: Path, rows: int, seed: int) -> _Text:
    """A published version of that many rows below a store, kept if it is there; answers what its texts are drawn from."""
    generator = np.random.default_rng(seed)
    text = _Text(generator)
    folder = root / "corpora" / NAME / VERSION
    if (folder / "manifest.json").is_file():
        return text
    noise = generator.normal(0, 2000, (64, 640)).astype(np.int16)
    sounds = encode_many([(one, _RATE_HZ) for one in noise])
    shards = []
    for number, first in enumerate(range(0, rows, _SHARD_ROWS)):
        count = min(_SHARD_ROWS, rows - first)
        path = f"train/part-{number:05d}.parquet"
        with ShardWriter(folder / path) as writer:
            writer.add_table(_table(generator, text.sentences(count), first, sounds))
        shards.append({"path": path, "split": "train", "rows": count})
    refused = rows // 20
    write_table(folder / "rejections.parquet", _refusals(text.sentences(refused)))
    part = {"utterances": rows, "hours": rows / 400, "speakers": _SPEAKERS}
    manifest = {
        "kind": "corpus", "corpus": NAME, "version": VERSION, "importer": "librispeech", "language": "en", **part,
        "splits": {"train": part}, "rejected": {check: refused // len(_CHECKS) for check in _CHECKS}, "shards": shards,
        "items": {"input": rows + refused, "accepted": rows, "rejected": refused, "ignored": 0},
        "rejections": {"path": "rejections.parquet", "rows": refused}, "thresholds": Thresholds().as_dict(),
    }  # fmt: skip
    write_json_atomic(folder / "manifest.json", manifest)
    link_current(folder.parent, VERSION)
    return text


def _table(generator: np.random.Generator, texts: list[str], first: int, sounds: list[bytes]) -> pa.Table:
    count = len(texts)
    numbers = range(first, first + count)
    speakers = [f"speaker-{n}" for n in generator.integers(0, _SPEAKERS, count).tolist()]
    flags = generator.random((count, len(_FLAGS))) < 0.05
    columns: dict[str, Any] = {
        "utterance_id": [f"{NAME}-{n:08d}" for n in numbers],
        "corpus": [NAME] * count,
        "split": ["train"] * count,
        "subset": ["clean" if n % 3 else "other" for n in numbers],
        "recording_id": [f"tape-{n // 50}" for n in numbers],
        "speaker_id": speakers,
        "language": ["en"] * count,
        "licence": ["CC0-1.0"] * count,
        "donor_id": [f"donor-{len(one) % 7}-{one[-1]}" for one in speakers],
        "audio": [{"bytes": sounds[n % len(sounds)], "path": f"{n}.flac"} for n in numbers],
        "sample_rate_hz": [_RATE_HZ] * count,
        "num_samples": [640] * count,
        "duration_s": generator.gamma(4.0, 1.5, count).tolist(),
        "text": texts,
        "text_raw": [f"{one.capitalize()}." for one in texts],
        "source_path": [f"disc{n // 20_000}/tape-{n // 50}.flac" for n in numbers],
        "audio_sha256": [f"{n * 0x9E3779B97F4A7C15 % 2**64:016x}" * 4 for n in numbers],
        "flags": [[name for name, on in zip(_FLAGS, row, strict=True) if on] for row in flags.tolist()],
        "measures": [
            dict(zip(MEASURES, row, strict=True))
            for row in generator.normal(20, 8, (count, len(MEASURES))).tolist()
        ],
        "transcript_path": [f"disc{n // 20_000}/tape-{n // 50}.txt" for n in numbers],
        "transcript_line": [n % 50 + 1 for n in numbers],
    }
    nothing = [None] * count
    return pa.Table.from_arrays(
        [pa.array(columns.get(field.name, nothing), field.type) for field in SCHEMA], schema=SCHEMA
    )


def _refusals(texts: list[str]) -> pa.Table:
    rows = [
        {
            "corpus": NAME,
            "utterance_id": f"refused-{n}",
            "source_path": f"disc9/tape-{n // 50}.txt",
            "line": n % 50 + 1,
            "check": _CHECKS[n % len(_CHECKS)],
            "reason": f"a reason with the figure {n}",
            "text_raw": text,
            "speaker_id": f"speaker-{n % _SPEAKERS}",
        }
        for n, text in enumerate(texts)
    ]
    return pa.Table.from_pylist(rows, schema=REJECTIONS_SCHEMA)


def _questions(text: _Text, count: int, seed: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Searches of ten kinds in turn, no two alike."""
    generator = np.random.default_rng(seed + 1)
    sorts = ("snr_db", "duration_s", "chars_per_s", "speaker_id", "text")
    for number in range(count):
        common = text.words[int(generator.integers(0, 20))]
        rare = text.words[int(generator.integers(2_000, _WORDS))]
        low = float(np.round(generator.normal(20, 5), 2))
        sort = {"sort": sorts[number % len(sorts)], "down": int(generator.integers(0, 2))}
        speaker = f"speaker-{generator.integers(0, _SPEAKERS)}"
        kinds: list[tuple[str, dict[str, Any]]] = [
            ("a common word", {"text": common}),
            ("a rare word", {"text": rare}),
            ("two words", {"text": f"{common} {rare[:3]}"}),
            ("words in a row", {"text": f'"{common} {text.words[int(generator.integers(0, 20))]}"'}),
            ("everything, sorted", sort),
            ("a common word, sorted", {"text": common, **sort}),
            ("a speaker, sorted", {"speaker_id": speaker, **sort}),
            ("a range and a flag, sorted", {"range": f"snr_db:{low}:", "flag": _FLAGS[number % 5], **sort}),
            ("far down, sorted", {"offset": int(generator.integers(0, 500_000)), **sort}),
            ("part of a file's name", {"place": f"tape-{generator.integers(0, 20_000)}."}),
        ]
        yield kinds[number % len(kinds)]


def _pss_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def _traces(root: Path, options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Seconds of `python -m corpora trace`, the whole command, of an utterance, a speaker and a file."""
    generator = np.random.default_rng(options.seed + 2)
    times: dict[str, list[float]] = {}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for _ in range(5):
        number = int(generator.integers(0, options.rows))
        asked = {
            "utterance": f"{NAME}-{number:08d}",
            "speaker": f"donor:speaker-{generator.integers(0, _SPEAKERS)}",
            "file": f"file:disc{number // 20_000}/tape-{number // 50}.flac",
        }
        for kind, name in asked.items():
            command = [sys.executable, "-m", "corpora", "trace", name, "--store", str(root), "--json"]
            begun_s = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            times.setdefault(kind, []).append(time.perf_counter() - begun_s)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    told = {kind: _spread(spent) for kind, spent in times.items()}
    return {**told, "each": {"cpu_ms": round(1000 * cpu_s / sum(map(len, times.values())), 1)}}


def _spread(times_s: list[float]) -> dict[str, float]:
    p50, p95 = np.percentile(times_s, [50, 95])
    return {
        "p50_ms": round(1000 * p50, 1),
        "p95_ms": round(1000 * p95, 1),
        "most_ms": round(1000 * max(times_s), 1),
    }


def _cpu_s(pid: int) -> float:
    """Processor time of a process so far, to 10 ms."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _timed(client: httpx.Client, path: str, asked: dict[str, Any]) -> float:
    begun_s = time.perf_counter()
    client.get(path, params=asked).raise_for_status()
    return time.perf_counter() - begun_s


def measure(url: str, pid: int, text: _Text, options: argparse.Namespace) -> dict[str, Any]:
    """Ask the server; answers the figures."""
    base = f"/api/{NAME}/{VERSION}"
    rows: dict[str, list[float]] = {}
    counts: list[float] = []
    cpu_s: list[float] = []
    with httpx.Client(base_url=url, trust_env=False, timeout=600) as client:
        client.get("/api/corpora").raise_for_status()
        before_mb = _pss_mb(pid)
        begun_s = time.perf_counter()
        client.get(f"{base}/rows").raise_for_status()
        first_s = time.perf_counter() - begun_s
        for kind, asked in _questions(text, options.searches, options.seed):
            begun_cpu_s = _cpu_s(pid)
            rows.setdefault(kind, []).append(_timed(client, f"{base}/rows", asked))
            cpu_s.append(_cpu_s(pid) - begun_cpu_s)
            counts.append(_timed(client, f"{base}/count", asked))
        generator = np.random.default_rng(options.seed)
        numbers = generator.choice(options.rows, size=100, replace=False).tolist()
        sounds = [_timed(client, f"{base}/sound/{n}", {}) for n in numbers]
        details = [_timed(client, f"{base}/row/{n}", {}) for n in numbers]
        grown_mb = _pss_mb(pid) - before_mb
    everything = [one for times in rows.values() for one in times]
    return {
        "first_page_s": round(first_s, 3),
        "search": _spread(everything),
        "search_cpu": _spread(cpu_s),
        "count": _spread(counts),
        "by_kind": {kind: _spread(times) for kind, times in rows.items()},
        "sound": _spread(sounds),
        "row": _spread(details),
        "server_grown_mb": round(grown_mb),
        "server_before_mb": round(before_mb),
    }


_SERVER = """
import sys, uvicorn
from corpora.browsing.pages import Visitor, make_app
import pyarrow.parquet, duckdb  # loaded before memory is looked at: code, not data
uvicorn.run(make_app(lambda: Visitor("bench", False)), host="127.0.0.1", port=int(sys.argv[1]), log_level="error")
"""


def _serve(store: Path, port: int) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "SPEECHMILL_STORE": str(store)}
    server = subprocess.Popen([sys.executable, "-c", _SERVER, str(port)], env=environment)
    for _ in range(600):
        try:
            httpx.get(f"http://127.0.0.1:{port}/api/visitor", trust_env=False)
            return server
        except httpx.TransportError:
            time.sleep(0.1)
    server.kill()
    raise SystemExit("the server does not start")


def main(arguments: list[str] | None = None) -> int:
    """Write the version, make the index, ask; print one object."""
    import socket

    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.browsing", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--searches", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="a store to leave behind, or one that was left"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="speechmill-browsing-") as temporary:
        root = options.keep or Path(temporary)
        begun_s = time.perf_counter()
        text = write_version(root, options.rows, options.seed)
        made_s = time.perf_counter() - begun_s
        begun_s = time.perf_counter()
        command = [sys.executable, "-m", "corpora", "index", NAME, "--store", str(root), "--json"]
        said = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        found: dict[str, Any] = {
            "rows": options.rows,
            "made_s": round(made_s, 1),
            "index_s": round(time.perf_counter() - begun_s, 1),
            "index_mb": round(said["bytes"] / 1e6, 1),
        }
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        found["trace"] = _traces(root, options)
        server = _serve(root, port)
        try:
            found |= measure(f"http://127.0.0.1:{port}", server.pid, text, options)
        finally:
            server.terminate()
            server.wait()
    sys.stdout.write(json.dumps(found, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
