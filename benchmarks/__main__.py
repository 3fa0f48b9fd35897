"""`python -m benchmarks NAME [options]`: one measurement beside its peers; `make bench-NAME` sets up and runs it.

Every benchmark is a program of its own with its own options; this table says which peers it needs built first
(benchmarks/peers.sh) and which variables of make it understands.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Bench:
    """A benchmark.

    Attributes:
        says: half a line for the list. peers: what peers.sh builds.
        variables: of make, and the option each becomes ("" = a positional argument); `needs`: those without a default.
    """

    module: str
    says: str
    variables: dict[str, str]
    peers: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


_TEXT = {"TEXT": "--text"}
_JSON = {"JSON": "--json"}
_SEED = {"SEED": "--seed"}
BENCHES = {
    "import": Bench(
        "benchmarks.importing",
        "our import beside its peers, CPU seconds per hour; lhotse brings torch (5 GB)",
        {"HOURS": "--hours", **_JSON},
        ("lhotse", "librosa", "sph2pipe"),
    ),
    "import-again": Bench(
        "benchmarks.import_again", "what a second import costs, and memory against size", {"HOURS": ""}
    ),
    "audit": Bench(
        "benchmarks.audit",
        "a foreign set looked at without importing it: how many times faster than real time",
        {"HOURS": "--hours", **_SEED, **_JSON},
    ),
    "decoder": Bench(
        "benchmarks.decoder",
        "the decoder beside its peers, CPU time and word error rates",
        {**_TEXT, **_SEED, **_JSON, "STORE": "--store"},
        ("flashlight", "pyctcdecode", "fast-ctc-decode"),
        ("TEXT",),
    ),
    "corrector": Bench(
        "benchmarks.corrector", "the spell corrector beside plain Python", {**_TEXT, **_SEED}, needs=("TEXT",)
    ),
    "lm": Bench(
        "benchmarks.lm",
        "processor time of a language model's build beside bare KenLM",
        {**_TEXT, **_JSON},
        needs=("TEXT",),
    ),
    "trie": Bench(
        "benchmarks.lexicon_trie", "the lexicon trie beside OpenFST", {**_TEXT, "SIZES": "--sizes"}
    ),
    "flac": Bench("benchmarks.flac", "the FLAC decoder beside libFLAC", {**_SEED, **_JSON}),
    "shorten": Bench("benchmarks.shorten", "the shorten decoder beside ffmpeg", {**_SEED, **_JSON}),
    "sound": Bench(
        "benchmarks.sound",
        "what the figures of a sound cost, and which copies its fingerprint finds",
        {"FOLDER": "", **_JSON},
        needs=("FOLDER",),
    ),
    "features": Bench(
        "benchmarks.features", "the front end in C++ beside numpy, CPU time", {"FOLDER": "", **_JSON}
    ),
    "browser": Bench(
        "benchmarks.browsing",
        "the page Utterances at a million rows: search, sound, memory",
        {"ROWS": "--rows", **_SEED},
    ),
    "languages": Bench(
        "benchmarks.languages",
        "six languages, five scripts: voices, import, language model, training, error rates",
        {"LANGUAGES": "", "STEPS": "--steps", **_JSON},
    ),
    "airflow": Bench(
        "benchmarks.orchestration",
        "Airflow: start, memory at rest, what a refresh takes beyond its work",
        {"REFRESHES": "--refreshes", **_JSON},
    ),
    "expectations": Bench(
        "benchmarks.expectations",
        "every row of a corpus against what is expected of it",
        {"HOURS": "--hours"},
    ),
    "feed": Bench("benchmarks.feed", "shards to batches: speed, first step, memory", {"HOURS": "--hours"}),
    "aligners": Bench(
        "benchmarks.align.other_aligners",
        "recordings with planted faults through ours, ctc-forced-aligner and aeneas",
        {"HOURS": "--hours", **_SEED, **_JSON},
        ("ctc-forced-aligner", "aeneas"),
    ),
    "hearing": Bench(
        "benchmarks.inference.scaling",
        "one long file beside its parts, two cores beside one",
        {"SOUND": "--sound", "HOURS": "--hours", "WIDTH": "--width", **_JSON},
        needs=("SOUND",),
    ),
    "devices": Bench(
        "benchmarks.inference.devices",
        "sizes, memory and instructions of small networks; a Raspberry Pi's time by calculation",
        {"SOUND": "--sound", **_JSON},
        needs=("SOUND",),
    ),
    "gpu": Bench(
        "benchmarks.gpu", "training at full width on the GPU that is there, beside PyTorch's cuDNN", {**_JSON}
    ),
    "training": Bench(
        "benchmarks.training",
        "feed beside tf.data, step beside plain Keras, checkpoints, waiting",
        {"HOURS": "--hours", **_JSON},
    ),
}


def _listed() -> str:
    lines = ["make bench-NAME, one of:"]
    for name, bench in BENCHES.items():
        asked = " ".join(f"{v}=…" if v in bench.needs else f"[{v}=…]" for v in bench.variables)
        lines.append(f"  {name:14} {bench.says}\n  {'':14} {asked}")
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    """Run one; answers its exit status, 2 where the name or a variable is missing."""
    name, more = (arguments[0], list(arguments[1:])) if arguments else ("", [])
    if name not in BENCHES:
        sys.stderr.write(f"{_listed()}\n" if not name else f"there is no benchmark {name!r}\n{_listed()}\n")
        return 2
    bench = BENCHES[name]
    for variable, option in bench.variables.items():
        value = os.environ.get(variable, "")
        if value:
            more += [option, *value.split()] if option else value.split()
        elif variable in bench.needs and not more:
            sys.stderr.write(f"make bench-{name}: name {variable}, e.g. make bench-{name} {variable}=PATH\n")
            return 2
    if bench.peers:
        subprocess.run([str(ROOT / "benchmarks" / "peers.sh"), *bench.peers], cwd=ROOT, check=True)
    return subprocess.run([sys.executable, "-m", bench.module, *more], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
