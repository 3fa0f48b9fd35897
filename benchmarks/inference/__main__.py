"""`python -m benchmarks.inference --sound FILE`: the engine beside ONNX Runtime's bare graph, by width; start, memory.

Every figure is CPU seconds (all threads) per second of sound on one core, each in a process of its own, all in one run.
Networks have random weights; the words come from the released model, whose package gives front end, language model and
search. `--text FILE` has what is said, for a word error rate.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.inference.networks import random_network
from scoring.wer import count_edits
from store.opening import open_store
from training.network.model import NetworkShape, parameter_count
from training.release.registry import Registry
from training.runtime.package import Package


def main() -> int:
    """Measure all rows."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.inference", description=__doc__)
    parser.add_argument("--sound", type=Path, required=True)
    parser.add_argument("--text", type=Path)
    parser.add_argument("--widths", type=int, nargs="+", default=[512, 1024, 2048])
    parser.add_argument("--directions", nargs="+", default=["both", "one"], choices=["both", "one"])
    parser.add_argument(
        "--bare-seconds", type=float, default=60.0, help="of speech that the bare graphs hear"
    )
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    package = Package.open(Registry(open_store()).model().path)
    base = ["--package", str(package.path), "--sound", str(options.sound)]
    result: dict[str, Any] = {
        "parts": _measured("parts", base),
        "released": _measured("engine", base),
        "rows": [],
    }
    if options.text:
        edits = count_edits(options.text.read_text().strip(), result["released"]["text"])
        result["released"]["wer"] = round(edits.wer, 5)
    with tempfile.TemporaryDirectory() as folder:
        for width in options.widths:
            for direction in options.directions:
                result["rows"].append(
                    _row(width, direction, (package, base, Path(folder), options.bare_seconds))
                )
                sys.stderr.write(json.dumps(result["rows"][-1]) + "\n")
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")
    sys.stdout.write(_table(result))
    return 0


def _row(width: int, direction: str, given: tuple[Package, list[str], Path, float]) -> dict[str, Any]:
    package, base, folder, bare_s = given
    f = package.features
    shape = NetworkShape(
        len(package.labels) + 1, f.coefficients, f.context, width, direction == "both", f.context
    )
    row: dict[str, Any] = {"width": width, "directions": direction, "weights": parameter_count(shape)}
    for form in ("int8", "float"):
        path = folder / f"{width}-{direction}-{form}.onnx"
        path.write_bytes(random_network(shape, package, int8=form == "int8"))
        row[f"{form}_mb"] = round(path.stat().st_size / 1e6, 1)
        limit = bare_s if form == "int8" else bare_s / 3
        named = ["--network", str(path)]
        row[f"bare_{form}"] = _measured("bare", [*base, *named, "--limit-s", str(limit)])["cpu"]
        if form == "int8":
            engine = _measured("engine", [*base, *named])
            row |= {
                "engine": engine["cpu"],
                "peak_mb": engine["peak_mb"],
                "ratio": engine["cpu"] / row["bare_int8"],
            }
        path.unlink()
    return {key: round(value, 5) if isinstance(value, float) else value for key, value in row.items()}


def _measured(kind: str, arguments: list[str]) -> dict[str, Any]:
    """One measurement in a fresh process on one core."""
    command = [sys.executable, "-m", "benchmarks.inference.measure", kind, *arguments]
    began_s = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{kind} failed: {done.stderr[-2000:]}")
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {**answer, "process_s": round(time.perf_counter() - began_s, 2)}


def _table(result: dict[str, Any]) -> str:
    parts = result["parts"]
    lines = [
        f"front end {parts['front_end']:.5f}, detector {parts['detector']:.5f}, search {parts['search']:.5f}"
    ]
    released = result["released"]
    lines.append(
        f"released model: {released['cpu']:.5f}, peak {released['peak_mb']} MB, WER {released.get('wer', '-')}"
    )
    lines.append("width  dir.  weights      bare float  bare int8  engine   ratio  peak MB  int8 MB")
    lines += [
        f"{row['width']:<6} {row['directions']:<5} {row['weights']:>11,}  "
        f"{row['bare_float']:<10.4f}  {row['bare_int8']:<9.4f}  "
        f"{row['engine']:<7.4f}  {row['ratio']:<5.2f}  {row['peak_mb']:<7}  {row['int8_mb']}"
        for row in result["rows"]
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
