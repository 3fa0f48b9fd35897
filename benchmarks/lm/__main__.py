"""`make bench-lm TEXT=PATH`: processor time of a language model's build beside the bare KenLM command lines.

One measurement is the user and system time of a whole process tree, Python's start included: on one side
`python -m lm build` from the raw text, on the other the `lmplz` and `build_binary` command lines that the build
printed, on text already cleaned. The sides take turns; the median of the ratios counts. The goal is 1.10.
"""

from __future__ import annotations

import argparse
import json
import resource
import shlex
import statistics
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpora.text.normaliser import default_labels
from lm.text.files import expand_paths
from lm.text.sentences import SentenceSources, held_out_sentences, write_sentences

ROOT = Path(__file__).resolve().parents[2]
GOAL = 1.10
MODELS = {"order 3": ["--order", "3"], "order 5, pruned 0 0 1": ["--order", "5", "--prune", "0", "0", "1"]}


class BenchmarkError(Exception):
    """A side could not be run."""


@dataclass(frozen=True)
class Measured:
    """Processor seconds of one turn, and the build's log."""

    build_s: float
    bare_s: float

    @property
    def ratio(self) -> float:
        """Build over bare programs."""
        return self.build_s / self.bare_s


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark; 0 done (whatever the goal says), 1 a side failed, 2 unusable input."""
    options = _parser().parse_args(arguments)
    if not options.text.exists():
        print(f"bench-lm: text {options.text} does not exist", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="bench-lm-", dir=options.work) as folder:
        try:
            report = _run(Path(folder), options)
        except (BenchmarkError, OSError, tarfile.TarError) as error:
            print(f"bench-lm: {error}", file=sys.stderr)
            return 1
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(_table(report))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lm", description="A build beside bare KenLM.")
    parser.add_argument("--text", type=Path, required=True, help="what `python -m lm build --text` takes")
    parser.add_argument("--turns", type=int, default=3, help="turns of both sides (default 3)")
    parser.add_argument(
        "--work", type=Path, help="where temporary files go (needs some 2 GB for 70 MB of text)"
    )
    parser.add_argument("--json", type=Path, help="write every figure here")
    return parser


def _run(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    clean = folder / "clean.txt"
    sources = SentenceSources((), tuple(expand_paths([options.text])), default_labels())
    counts = write_sentences(clean, sources, held_out_sentences(()))
    texts = {"as given": options.text}
    if options.text.is_file() and tarfile.is_tarfile(options.text):
        texts["unpacked"] = folder / "unpacked"
        _unpack(options.text, texts["unpacked"])
    rows = []
    for model, settings in MODELS.items():
        for form, text in texts.items():
            turns = [_turn(folder, text, clean, settings) for _ in range(options.turns)]
            rows.append(
                {
                    "model": model,
                    "text": form,
                    "build_s": statistics.median(turn.build_s for turn in turns),
                    "bare_s": statistics.median(turn.bare_s for turn in turns),
                    "ratio": statistics.median(turn.ratio for turn in turns),
                    "ratios": [round(turn.ratio, 4) for turn in turns],
                }
            )
    return {
        "text": options.text.name,
        "clean_bytes": clean.stat().st_size,
        "sentences": counts.total.kept,
        "words": counts.total.words,
        "turns": options.turns,
        "goal": GOAL,
        "rows": rows,
    }


def _unpack(archive: Path, folder: Path) -> None:
    """The texts of an archive as plain files, numbered."""
    folder.mkdir()
    with tarfile.open(archive) as opened:
        for number, member in enumerate(opened):
            stream = opened.extractfile(member) if member.isfile() else None
            if stream is not None:
                (folder / f"{number:05d}.txt").write_bytes(stream.read())


def _turn(folder: Path, text: Path, clean: Path, settings: Sequence[str]) -> Measured:
    """Both sides once, one after the other."""
    out, store = folder / "model", folder / "store"
    store.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "lm", "build", "--out", str(out), "--store", str(store)]
    with _emptied(folder, out):
        build_s, log = _processor_s([*command, "--text", str(text), "--corpora", *map(str, settings)])
    bare_s = 0.0
    with _emptied(folder, folder / "bare"):
        (folder / "bare").mkdir()
        for line in _command_lines(log, str(folder), clean):
            bare_s += _processor_s(line)[0]
    return Measured(build_s, bare_s)


def _command_lines(log: str, folder: str, clean: Path) -> Iterator[list[str]]:
    """KenLM's command lines of a build's log, with the clean text and a folder of their own."""
    found = 0
    for line in log.splitlines():
        _, _, command = line.partition("lm.kenlm: ")
        words = shlex.split(command) if command.startswith("/") else []
        if words and Path(words[0]).name in ("lmplz", "build_binary"):
            found += 1
            renamed = {"sentences.txt": str(clean)}
            yield [
                renamed.get(Path(word).name, f"{folder}/bare/{Path(word).name}") if folder in word else word
                for word in words
            ]
    if found < 2:
        raise BenchmarkError("the build's log holds no command lines of KenLM")


@contextmanager
def _emptied(folder: Path, out: Path) -> Iterator[None]:
    """Removes a side's output again, so that both sides write anew."""
    try:
        yield
    finally:
        subprocess.run(["rm", "-rf", str(out), str(folder / ".model.building")], check=True)


def _processor_s(command: list[str]) -> tuple[float, str]:
    """User and system seconds of a command with all its children, and what it wrote to standard error."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise BenchmarkError(f"{command[0]} ended with status {done.returncode}: {done.stderr[-400:]}")
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return used, done.stderr


def _table(report: dict[str, Any]) -> str:
    lines = [
        f"{report['text']}: {report['clean_bytes'] / 1e6:.1f} MB of clean text, "
        f"{report['sentences']:,} sentences, {report['words']:,} words; {report['turns']} turns, medians",
        "",
        "| model | text | python -m lm build, CPU s | lmplz + build_binary, CPU s | ratio | goal |",
        "|---|---|---|---|---|---|",
    ]
    for row in report["rows"]:
        verdict = "reached" if row["ratio"] <= report["goal"] else "missed"
        lines.append(
            f"| {row['model']} | {row['text']} | {row['build_s']:.2f} | {row['bare_s']:.2f} "
            f"| {row['ratio']:.3f} | ≤ {report['goal']:.2f}: {verdict} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
