"""`python -m benchmarks.inference --sound FILE`: the engine beside every form's bare graph, by width; start, memory, words.

Every figure is CPU seconds (all threads) per second of sound on one core, each in a process of its own, all in one run.
Networks of a width have random weights, so they have no word error rate; in `engine` the words come from the released
model, whose package gives front end, language model and search. The released model itself is measured in every form, with
`--text FILE` (what is said) its word error rate.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.inference.forms import FORMS, RELEASED, file_of, shape_of
from scoring.wer import count_edits
from store.opening import open_store
from training.network.model import parameter_count
from training.release.registry import Registry
from training.runtime.package import Package

_SLOWER = 3  # forms that are no ONNX in int8 hear a third of the speech


@dataclass(frozen=True)
class _Run:
    """What all rows share."""

    package: Package
    folder: Path
    options: argparse.Namespace

    def measured(self, kind: str, *more: str) -> dict[str, Any]:
        """One measurement in a fresh process on one core."""
        command = [sys.executable, "-m", "benchmarks.inference.measure", kind]
        command += ["--package", str(self.package.path), "--sound", str(self.options.sound)]
        command += ["--stretches", str(self.folder / "stretches.npz"), *more]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"{kind} {' '.join(more)} failed: {done.stderr[-2000:]}")
        answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return answer

    def wer(self, heard: str) -> float | None:
        """Against --text."""
        if not self.options.text:
            return None
        return round(count_edits(self.options.text.read_text().strip(), heard).wer, 5)


def main() -> int:
    """Measure all rows."""
    options = _options()
    folder_of_model = Path(options.model) if options.model else None
    if folder_of_model is None or not (folder_of_model / "model.json").is_file():
        folder_of_model = Registry(open_store()).model(options.model).path
    package = Package.open(folder_of_model)
    with tempfile.TemporaryDirectory() as folder:
        run = _Run(package, Path(folder), options)
        run.measured("stretches")
        released = run.measured("engine")
        released["wer"] = run.wer(released["text"])
        result: dict[str, Any] = {"parts": run.measured("parts"), "released": released, "rows": []}
        names = [f"{width}-{direction}" for width in options.widths for direction in options.directions]
        for name in [RELEASED, *names]:
            for form in options.forms:
                result["rows"].append(_row(run, name, form))
                sys.stderr.write(json.dumps(result["rows"][-1]) + "\n")
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")
    sys.stdout.write(_table(result))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.inference", description=__doc__)
    parser.add_argument("--sound", type=Path, required=True)
    parser.add_argument("--text", type=Path)
    parser.add_argument("--model", help="id of a packaged model, or its folder; default: the released one")
    parser.add_argument("--widths", type=int, nargs="*", default=[512, 1024, 2048])
    parser.add_argument("--directions", nargs="+", default=["both", "one"], choices=["both", "one"])
    parser.add_argument("--forms", nargs="+", default=list(FORMS), choices=FORMS)
    parser.add_argument("--bare-seconds", type=float, default=60.0, help="of speech that bare graphs hear")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def _row(run: _Run, name: str, form: str) -> dict[str, Any]:
    """One form of one network: alone, and in int8 ONNX also the whole engine with it."""
    row: dict[str, Any] = {"network": name, "form": form}
    if name != RELEASED:
        row["weights"] = parameter_count(shape_of(name, run.package))
    path = file_of(form, name, run.folder, run.package)
    named = ["--form", form, "--name", name, *(["--network", str(path)] if path else [])]
    if form.startswith("litert") or form == "saved-model":
        run.measured("convert", *named)
    own = name == RELEASED  # heard whole, so that it has a word error rate
    seconds = run.options.bare_seconds / (1 if form == "onnx-int8" else _SLOWER)
    bare = run.measured("bare", *named, *(["--words"] if own else ["--limit-s", str(seconds)]))
    row |= {"bare": bare["cpu"], "bare_mb": bare["bare_mb"], "file_mb": _megabytes(path)}
    if own:
        row["wer"] = run.wer(bare["text"])
    elif form == "onnx-int8":
        engine = run.measured("engine", *named)
        row |= {"engine": engine["cpu"], "peak_mb": engine["peak_mb"], "ratio": engine["cpu"] / bare["cpu"]}
    if path and path.is_dir():
        shutil.rmtree(path)
    elif path and path.parent == run.folder:
        path.unlink()
    return {key: round(value, 5) if isinstance(value, float) else value for key, value in row.items()}


def _megabytes(path: Path | None) -> float | None:
    if path is None:
        return None
    files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
    return round(sum(one.stat().st_size for one in files) / 1e6, 1)


def _table(result: dict[str, Any]) -> str:
    parts, released = result["parts"], result["released"]
    lines = [
        f"front end {parts['front_end']:.5f}, detector {parts['detector']:.5f}, search {parts['search']:.5f}",
        f"released model, whole engine: {released['cpu']:.5f}, peak {released['peak_mb']} MB, WER {_or(released['wer'])}",
        f"{'network':<10} {'form':<12} {'weights':>11} {'file MB':>8} {'alone':>8} {'MB':>6} {'engine':>8} {'ratio':>6} "
        f"{'MB':>6}  WER",
    ]
    lines += [
        f"{row['network']:<10} {row['form']:<12} {_or(row.get('weights')):>11} {_or(row['file_mb']):>8} {row['bare']:>8.4f} "
        f"{row['bare_mb']:>6} {_or(row.get('engine')):>8} {_or(row.get('ratio')):>6} {_or(row.get('peak_mb')):>6}  "
        f"{_or(row.get('wer'))}"
        for row in result["rows"]
    ]
    return "\n".join(lines) + "\n"


def _or(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    sys.exit(main())
