"""`python -m lm adopt`: its options, and what it prints."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from lm.units import UNITS
from store.console import emit


def add_options(command: argparse.ArgumentParser) -> None:
    """The options but `--store` and `--json`, which all commands of `lm` have."""
    source = command.add_mutually_exclusive_group(required=True)
    source.add_argument("--arpa", metavar="FILE", type=Path, help="an ARPA file, also .gz, .bz2, .xz")
    source.add_argument("--binary", metavar="FILE", type=Path, help="a KenLM binary of any kind")
    command.add_argument("--words", metavar="FILE", type=Path, help="the words of a binary that holds none")
    command.add_argument(
        "--alphabet",
        metavar="FILE",
        type=Path,
        help="the network's alphabet (default: English, else the words' letters)",
    )
    command.add_argument(
        "--unit", choices=UNITS, default="words", help="what the model counts (default: words)"
    )
    command.add_argument(
        "--structure", choices=("trie", "probing"), default="probing", help="small, or fast (default)"
    )
    command.add_argument(
        "--quantise", metavar="BITS", type=int, help="bits per probability (with --structure trie)"
    )
    target = command.add_mutually_exclusive_group()
    target.add_argument("--out", metavar="DIR", type=Path, help="write the model into this folder")
    target.add_argument("--publish", metavar="NAME", help="publish it under this name (default: the file's)")


def run(options: argparse.Namespace) -> int:
    """Adopts and prints."""
    from lm.adopt.model import AdoptRequest, adopt

    result = adopt(
        AdoptRequest(
            arpa=options.arpa,
            binary=options.binary,
            words=options.words,
            alphabet=options.alphabet,
            unit=options.unit,
            structure=options.structure,
            quantise=options.quantise,
            out=options.out,
            publish=options.publish,
            store=options.store,
        )
    )
    emit(result, options.json, f"{result['status']}: {result['path']}\n{shown(result)}")
    return 0


def shown(result: dict[str, Any]) -> str:
    """A few lines for a person."""
    adopted, lexicon = result["adopted"], result["lexicon"]
    kind = f"KenLM binary, {adopted['kind']}" if adopted["form"] == "binary" else "ARPA file"
    lines = [
        f"{kind} {adopted['name']}, order {result['order']}, {result['vocabulary']:,} words, "
        f"{lexicon['words']:,} of them in the lexicon",
        *(
            f"left out of the lexicon, {reason}: {count:,}"
            for reason, count in sorted(lexicon["skipped"].items())
        ),
        *result["decisions"],
    ]
    return "\n".join(lines)
