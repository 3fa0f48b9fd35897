"""Builds both programs, runs them in turn on word lists of two sizes, prints a table (and JSON).

    python -m benchmarks.lexicon_trie [--text FILE …] [--sizes 83000 370000] [--repeats 3] [--json]

Figures are processor seconds: the best build and the median of all walks of interleaved runs. OpenFST lies in
build/peers/openfst, where `openfst.sh` unpacks it.
"""

from __future__ import annotations

import argparse
import json
import shlex
import statistics
import string
import subprocess
from pathlib import Path
from typing import Any

from benchmarks.lexicon_trie.words import grow, words_of
from lm.kenlm import BinaryOptions, to_binary
from native import Alphabet

_ROOT = Path(__file__).resolve().parent.parent.parent
_HERE = Path(__file__).resolve().parent
_WORK = _ROOT / "build" / "bench" / "lexicon_trie"
_PEER = _ROOT / "build" / "peers" / "openfst" / "usr"
_ROUNDS = 5
_OWN = ("own bitmap", "own sorted", "own sorted, bytes")
_PEERS = ("ConstFst minimal", "ConstFst prefix tree")


def main() -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lexicon_trie", description=__doc__)
    parser.add_argument(
        "--text", type=Path, nargs="*", default=[], help="where words come from (default: docs)"
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[83_000, 370_000])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    _WORK.mkdir(parents=True, exist_ok=True)
    _compile()
    words = words_of(options.text or sorted((_ROOT / "docs").glob("*.md")))
    rows = [row for size in options.sizes for row in _measure(grow(words, size), options.repeats)]
    if options.json:
        print(json.dumps(rows, indent=1))
    else:
        _print(rows)
    return 0


def _compile() -> None:
    subprocess.run([_HERE / "openfst.sh"], check=True)
    kenlm, libraries = _ROOT / "build" / "kenlm" / "lib", "-lz -lbz2 -llzma -pthread"
    commands = (
        f"g++ -std=c++17 -O3 -I{_ROOT}/native/src {_HERE}/own.cpp {_ROOT}/build/native/libspeechmill.a "
        f"{kenlm}/libkenlm.a {kenlm}/libkenlm_util.a {libraries} -o {_WORK}/own",
        f"g++ -std=c++17 -O3 -isystem {_PEER}/include {_HERE}/openfst.cpp -L{_PEER}/lib/x86_64-linux-gnu "
        f"-Wl,-rpath,{_PEER}/lib/x86_64-linux-gnu -lfst -ldl -o {_WORK}/openfst",
    )
    for command in commands:
        subprocess.run(shlex.split(command), check=True)


def _write_model(words: list[str]) -> Path:
    """A language model that knows exactly these words: unigrams by rank, one bigram."""
    lines = [f"\\data\\\nngram 1={len(words) + 3}\nngram 2=1\n\n\\1-grams:\n-6\t<unk>\n0\t<s>\t0\n-2\t</s>"]
    lines += [f"-{2 + index % 5}.{index % 997:03}\t{word}\t-0.1" for index, word in enumerate(words)]
    lines += [f"\n\\2-grams:\n-0.5\t<s> {words[0]}\n\n\\end\\\n"]
    (_WORK / "lm.arpa").write_text("\n".join(lines))
    to_binary(_WORK / "lm.arpa", _WORK / "lm.binary", BinaryOptions())
    return _WORK / "lm.binary"


def _measure(words: list[str], repeats: int) -> list[dict[str, Any]]:
    """One row per contestant for one list of words."""
    listed = _WORK / "words.txt"
    listed.write_text("".join(f"{word}\n" for word in words))
    model = _write_model(words)
    Alphabet([" ", *string.ascii_lowercase, "'"]).save(_WORK / "english.txt")
    Alphabet.bytes().save(_WORK / "bytes.txt")
    trie, rounds = _WORK / "lexicon.trie", str(_ROUNDS)
    own = [_WORK / "own", listed, model]
    commands: dict[str, list[Any]] = {
        "own bitmap": [*own, _WORK / "english.txt", "bitmap", trie, rounds],
        "own sorted": [*own, _WORK / "english.txt", "sorted", trie, rounds],
        "own sorted, bytes": [*own, _WORK / "bytes.txt", "sorted", trie, rounds],
        "ConstFst minimal": [_WORK / "openfst", listed, "minimal", _WORK / "lexicon.fst", rounds],
        "ConstFst prefix tree": [_WORK / "openfst", listed, "prefix", _WORK / "lexicon.fst", rounds],
    }
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in commands}
    for _ in range(repeats):
        for name, command in commands.items():
            done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True)
            size = (trie if name in _OWN else _WORK / "lexicon.fst").stat().st_size
            runs[name].append({**json.loads(done.stdout), "file_bytes": size})
    return [_row(name, found) for name, found in runs.items()]


def _row(name: str, runs: list[dict[str, Any]]) -> dict[str, Any]:
    walks = [walk_s for run in runs for walk_s in run["walks_s"]]
    first = runs[0]
    return {
        "name": name,
        "words": first["words"],
        "nodes": first["nodes"],
        "bytes_per_node": round(first["file_bytes"] / first["nodes"], 1),
        "file_mb": round(first["file_bytes"] / 1e6, 2),
        "build_s": min(run["build_s"] for run in runs),
        "ns_per_step": round(statistics.median(walks) / first["steps"] * 1e9, 1),
    }


def _print(rows: list[dict[str, Any]]) -> None:
    columns = ("name", "words", "nodes", "file_mb", "bytes_per_node", "build_s", "ns_per_step")
    print("| " + " | ".join(columns) + " | build ÷ minimal | step ÷ minimal |")
    print("|" + "---|" * (len(columns) + 2))
    for row in rows:
        [peer] = [r for r in rows if r["words"] == row["words"] and r["name"] == _PEERS[0]]
        cells = [str(row[column]) for column in columns]
        cells += [
            f"1/{peer['build_s'] / row['build_s']:.0f}",
            f"1/{peer['ns_per_step'] / row['ns_per_step']:.1f}",
        ]
        print("| " + " | ".join(cells) + " |")


if __name__ == "__main__":
    raise SystemExit(main())
