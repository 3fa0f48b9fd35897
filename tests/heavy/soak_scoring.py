"""Random transcripts scored by us and by NIST's sclite: counts of every utterance, the whole .sys, CPU seconds.

    make soak-scoring SCLITE=PATH [SEED=1] [COUNT=10000]

Six kinds in turn: plain TRN, with alternations, with deletable words, with fragments too, STM against CTM, CTM against
CTM (also by time); then one large TRN by both programs as processes, for the time. Ends with 1 where a count differs.
sclite is not part of the project; it is called by its path.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from scoring.reports import sclite_pra, sclite_sys
from scoring.score import ScoreRequest, score

_WORDS = ("a", "b", "c", "d", "ee", "ff", "gg", "h-i", "jjj")
_AT_ONCE = 500


@dataclass(frozen=True)
class Kind:
    """One kind of input: how files are written, sclite's flags and ours."""

    name: str
    write: Callable[[random.Random, Path, int], None]
    forms: tuple[str, str]
    flags: tuple[str, ...] = ()
    rules: dict[str, bool] = field(default_factory=dict)


def _word(chance: random.Random, marks: str) -> str:
    word = chance.choice(_WORDS)
    if "F" in marks and chance.random() < 0.3:
        word = chance.choice((word[0] + "-", "-" + word[-1], word + "-"))
    return f"({word})" if "D" in marks and chance.random() < 0.25 else word


def _text(chance: random.Random, most: int, marks: str, depth: int = 0) -> str:
    parts = []
    for _ in range(chance.randint(0 if depth == 0 else 1, most)):
        if "A" in marks and depth < 3 and chance.random() < 0.25:
            choices = [
                "@" if chance.random() < 0.25 else _text(chance, 3, marks, depth + 1)
                for _ in range(chance.randint(1, 3))
            ]
            parts.append("{ " + " / ".join(choices) + " }")
        else:
            parts.append(_word(chance, marks))
    return " ".join(parts)


def _trn(marks: str) -> Callable[[random.Random, Path, int], None]:
    def write(chance: random.Random, folder: Path, count: int) -> None:
        with (folder / "ref").open("w") as said, (folder / "hyp").open("w") as heard:
            for number in range(count):
                name = f"(s{number % 7}-{number:05d})"
                most = chance.choice((4, 10, 30))
                said.write(f"{_text(chance, most, marks)} {name}\n")
                heard.write(f"{_text(chance, most, marks if chance.random() < 0.4 else '')} {name}\n")

    return write


def _ctm_lines(chance: random.Random, side: str, marks: str, length_s: float) -> list[str]:
    lines: list[str] = []
    at = chance.random()
    while at < length_s:
        duration = round(0.05 + 0.4 * chance.random(), 2)
        if "A" in marks and chance.random() < 0.1:
            lines.append(f"{side} * * <ALT_BEGIN>")
            for _ in range(chance.randint(1, 2)):  # after an empty first alternative sclite loses a word
                lines.append(f"{side} {at:.2f} {duration} {chance.choice(_WORDS)}")
            lines.append(f"{side} * * <ALT>")
            lines += [f"{side} {at:.2f} {duration} {chance.choice(_WORDS)}"] * chance.randint(0, 1)
            lines.append(f"{side} * * <ALT_END>")
        else:
            lines.append(f"{side} {at:.2f} {duration} {chance.choice(_WORDS)}")
        at += duration + (0.0 if chance.random() < 0.6 else chance.random())
    return lines


def _stm(chance: random.Random, folder: Path, count: int) -> None:
    said, heard = [], []
    for number in range(max(1, count // 20)):
        side = f"f{number:04d} A"
        at = 0.0
        for _ in range(20):
            end = at + 0.5 + 3 * chance.random()
            text = _text(chance, 8, "A") if chance.random() < 0.9 else "IGNORE_TIME_SEGMENT_IN_SCORING"
            said.append(
                f"{side} sp{chance.randint(1, 3)} {at:.2f} {end:.2f} <O,{chance.choice('MF')}> {text}"
            )
            at = end + (0.5 * chance.random() if chance.random() < 0.3 else 0.0)
        heard += _ctm_lines(chance, side, "A", at + 1.0)
    (folder / "ref").write_text("\n".join(said) + "\n")
    (folder / "hyp").write_text("\n".join(heard) + "\n")


def _ctm(chance: random.Random, folder: Path, count: int) -> None:
    said, heard = [], []
    for number in range(max(1, count // 10)):
        side = f"f{number:04d} A"
        length_s = 20 + 100 * chance.random()
        said += _ctm_lines(chance, side, "", length_s)
        # Words heard after the last one said get the next recording's name from sclite: let there be none.
        said.append(f"{side} {length_s + 2:.2f} 0.30 end")
        heard += _ctm_lines(chance, side, "", length_s)
    (folder / "ref").write_text("\n".join(said) + "\n")
    (folder / "hyp").write_text("\n".join(heard) + "\n")


KINDS = (
    Kind("plain", _trn(""), ("trn", "trn")),
    Kind("alternations", _trn("A"), ("trn", "trn")),
    Kind("deletable", _trn("AD"), ("trn", "trn"), ("-D",), {"deletable": True}),
    Kind("fragments", _trn("ADF"), ("trn", "trn"), ("-D", "-F"), {"deletable": True, "fragments": True}),
    Kind("stm-ctm", _stm, ("stm", "ctm")),
    Kind("ctm-ctm", _ctm, ("ctm", "ctm")),
    Kind("ctm-ctm by time", _ctm, ("ctm", "ctm"), ("-T",), {"by_time": True}),
)


@dataclass
class Tally:
    """What one kind came to."""

    utterances: int = 0
    counts_differ: int = 0
    reports_differ: int = 0
    theirs_s: float = 0.0
    ours_s: float = 0.0


def run(kind: Kind, sclite: Path, seed: int, count: int) -> Tally:
    """Score `count` utterances of one kind, some hundred at a time."""
    tally = Tally()
    round_number = 0
    while tally.utterances < count:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            kind.write(random.Random(f"{seed} {kind.name} {round_number}"), folder, min(_AT_ONCE, count))
            _compare(kind, sclite, folder, tally)
        round_number += 1
    return tally


def _compare(kind: Kind, sclite: Path, folder: Path, tally: Tally) -> None:
    identify = ("-i", "spu_id") if kind.forms[0] == "trn" else ()
    before = os.times()
    command = [str(sclite), "-r", "ref", kind.forms[0], "-h", "hyp", kind.forms[1], *identify, *kind.flags]
    subprocess.run(
        [*command, "-f", "0", "-o", "sum", "pra", "-n", "o"], cwd=folder, check=True, capture_output=True
    )
    between = os.times()
    request = ScoreRequest(folder / "ref", folder / "hyp", *kind.forms, **kind.rules)
    ours = score(request)
    after = os.times()
    tally.theirs_s += between.children_user - before.children_user
    tally.ours_s += after.user - between.user
    theirs = (folder / "o.pra").read_text()
    pattern = re.compile(
        r"^id: \(([^\n]*)\)$.*?^Scores: \(#C #S #D #I\) (\d+) (\d+) (\d+) (\d+)$", re.M | re.S
    )
    expected = {name: tuple(map(int, counts)) for name, *counts in pattern.findall(theirs)}
    found = {pair.id: counts for pair, counts in zip(ours.pairs, ours.counts, strict=True)}
    tally.utterances += len(expected)
    tally.counts_differ += sum(found.get(name) != counts for name, counts in expected.items())
    tally.counts_differ += len(found.keys() - expected.keys())
    same = (
        sclite_sys.render(ours, "hyp") == (folder / "o.sys").read_text()
        and sclite_pra.render(ours, "hyp") == theirs
    )
    tally.reports_differ += not same


def time_both(
    sclite: Path, seed: int, utterances: int = 30_000, words: int = 30
) -> tuple[float, float, float]:
    """CPU seconds of sclite and of `python -m scoring score`, start and reading included, and thousands of words."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        total = 0
        with (folder / "ref").open("w") as said, (folder / "hyp").open("w") as heard:
            for number in range(utterances):
                row = [
                    f"w{min(4999, int(chance.expovariate(1 / 400)))}"
                    for _ in range(chance.randint(1, 2 * words))
                ]
                total += len(row)
                kept = [word if chance.random() > 0.1 else f"x{chance.randrange(999)}" for word in row]
                kept = [word for word in kept if chance.random() > 0.05]
                said.write(f"{' '.join(row)} (s{number % 40:02d}-{number:06d})\n")
                heard.write(f"{' '.join(kept)} (s{number % 40:02d}-{number:06d})\n")
        theirs = ["-r", "ref", "trn", "-h", "hyp", "trn", "-i", "spu_id", "-f", "0", "-o", "sum"]
        ours = [
            sys.executable,
            "-m",
            "scoring",
            "score",
            "--ref",
            str(folder / "ref"),
            "--hyp",
            str(folder / "hyp"),
        ]
        start = os.times().children_user
        subprocess.run([str(sclite), *theirs], cwd=folder, check=True, capture_output=True)
        middle = os.times().children_user
        subprocess.run([*ours, "--sys", str(folder / "own.sys")], check=True, capture_output=True)
        end = os.times().children_user
        if (folder / "hyp.sys").read_text() != (folder / "own.sys").read_text():
            raise SystemExit("the large files give other reports")
    return middle - start, end - middle, total / 1000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all kinds and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sclite", type=Path, required=True, help="the program of NIST's SCTK")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=10_000, help="utterances in all")
    options = parser.parse_args(arguments)
    wrong = 0
    print(
        "| kind | utterances | counts that differ | reports that differ | sclite s | ours s |\n|---|---|---|---|---|---|"
    )
    for kind in KINDS:
        tally = run(kind, options.sclite.resolve(), options.seed, -(-options.count // len(KINDS)))
        wrong += tally.counts_differ + tally.reports_differ
        print(
            f"| {kind.name} | {tally.utterances:,} | {tally.counts_differ} | {tally.reports_differ} "
            f"| {tally.theirs_s:.2f} | {tally.ours_s:.2f} |",
            flush=True,
        )
    theirs_s, ours_s, thousands = time_both(options.sclite.resolve(), options.seed)
    print(
        f"{thousands:.0f},000 words as one TRN: sclite {theirs_s:.2f} s, ours {ours_s:.2f} s, {theirs_s / ours_s:.0f} times"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
