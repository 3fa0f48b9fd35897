"""Seeded damage to a store with two corpora and a language model: who notices, who is spared, what is mended.

    make soak-store [SEED=1] [COUNT=200]

Each round damages one file of the first corpus, of the models or of the caches, lets every command look at the store,
and refreshes and builds again. Silent: a model learnt or an export was written from what nobody said. Spread: the other
corpus was touched. Unmended: bytes differ after the refresh and the build. Ends with 1 where one of these, or a
traceback, was seen.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from corpora.__main__ import main as corpora
from demo.layouts import librispeech, tones
from lm.__main__ import main as lm

Files = dict[Path, bytes]
_ODD = (
    b"{",
    b"[]",
    b"null",
    b'{"a": NaN}',
    b"[" * 9999,
    b"\xff\xfe\x00",
    b"version https://git-lfs.github.com/spec/v1\n",
)
_AREAS = ("corpora", "language_models")


def _bit(chance: random.Random, data: bytes, other: bytes) -> bytes:
    changed = bytearray(data or b"\0")
    changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


DAMAGES: dict[str, Callable[[random.Random, bytes, bytes], bytes | None]] = {
    "bit": _bit,
    "cut": lambda chance, data, other: data[: chance.randrange(max(len(data), 1))],
    "longer": lambda chance, data, other: data + other[:64],
    "empty": lambda chance, data, other: b"",
    "zeros": lambda chance, data, other: bytes(len(data)),
    "odd text": lambda chance, data, other: chance.choice(_ODD),
    "another file": lambda chance, data, other: other,
    "gone": lambda chance, data, other: None,
}


class Soak:
    """One campaign: an undamaged store, and counts of what became of damaged copies of it."""

    def __init__(self, place: Path, seed: int) -> None:
        self.chance = random.Random(seed)
        self.place, self.store, self.base = place, place / "store", place / "base"
        self.counts: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()
        self.sources = {
            name: librispeech.write(
                place / name, tones.utterances(speakers_per_split=1, each=2, first=first)
            ).path
            for name, first in (("first", 0), ("second", 50))
        }
        self.restore(empty=True)
        self.mend()
        shutil.move(self.store, self.base)
        self.whole = self.files(self.base)

    def files(self, root: Path) -> Files:
        """What is published below a store, by relative path."""
        paths = (path for area in _AREAS for path in (root / area).rglob("*"))
        found = (path for path in paths if path.is_file() and "current" not in path.relative_to(root).parts)
        return {path.relative_to(root): path.read_bytes() for path in found}

    def restore(self, empty: bool = False) -> None:
        shutil.rmtree(self.store, ignore_errors=True)
        if not empty:
            shutil.copytree(self.base, self.store, symlinks=True)

    def run(self, command: Callable[[list[str]], int], *arguments: str) -> tuple[int, str]:
        """A command's status and all it printed; a traceback is counted."""
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            status = command([*arguments, "--store", str(self.store)])
        if "Traceback" in said.getvalue():
            self.count("traceback", f"{arguments}: {said.getvalue().strip().splitlines()[-1]}")
        return status, said.getvalue()

    def count(self, what: str, where: str) -> None:
        self.counts[what] += 1
        sys.stdout.write(f"{what}: {where}\n")

    def mend(self) -> None:
        """What a person does: refresh both corpora, build the model."""
        for name, source in self.sources.items():
            self.run(corpora, "refresh", "librispeech", "--as", name, "--source", str(source))
        self.run(lm, "build", "--publish", "default", "--order", "2")

    def damage(self) -> str:
        """Damages one file; says how and which."""
        places = [self.store / "corpora/first", self.store / "language_models", self.store / "cache"]
        files = sorted(p for place in places for p in place.rglob("*") if p.is_file() and not p.is_symlink())
        path, kind = self.chance.choice(files), self.chance.choice(sorted(DAMAGES))
        data = DAMAGES[kind](self.chance, path.read_bytes(), self.chance.choice(files).read_bytes())
        if data is None:
            path.unlink()
        else:
            path.write_bytes(data)
        self.kinds[kind] += 1
        return f"{kind}, {path.relative_to(self.store)}"

    def look(self, where: str) -> None:
        """Every command looks at the damaged store."""
        for arguments in (["list"], ["verify"], ["report", "first"], ["history", "first"], ["leakage"]):
            self.run(corpora, *arguments)
        self.run(corpora, "withdraw", "first", "--donor", "nobody")
        self.run(lm, "verify", "default")
        status, said = self.run(corpora, "show", "second")
        if status or "second" not in said:
            self.count("spread", where)
        out = self.place / "export"
        shutil.rmtree(out, ignore_errors=True)
        status, _ = self.run(corpora, "export", "first", "--form", "huggingface", "--to", str(out))
        kept = {data for path, data in self.whole.items() if path.suffix == ".parquet"}
        if status == 0 and any(path.read_bytes() not in kept for path in out.glob("data/*.parquet")):
            self.count("silent", f"export, {where}")
        status, said = self.run(lm, "build", "--publish", "again", "--order", "2")
        arpa = self.store / "language_models/again/current/lm.arpa"
        learnt = next(data for path, data in self.whole.items() if path.name == "lm.arpa")
        if status == 0 and arpa.read_bytes() != learnt and "passed over" not in said:
            self.count("silent", f"model, {where}")

    def round(self) -> None:
        self.restore()
        where = self.damage()
        self.look(where)
        shutil.rmtree(self.store / "language_models/again", ignore_errors=True)
        self.mend()
        found = self.files(self.store)
        if odd := [str(path) for path in self.whole if found.get(path) != self.whole[path]]:
            self.count("unmended", f"{where}: {odd}")
        self.counts["rounds"] += 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the campaign; 1 where anything was silent, spread, unmended or ended in a traceback."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=200)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="soak-store-") as place:
        soak = Soak(Path(place), options.seed)
        for _ in range(options.count):
            soak.round()
    told = {what: soak.counts[what] for what in ("rounds", "silent", "spread", "unmended", "traceback")}
    sys.stdout.write(f"{told} kinds {dict(sorted(soak.kinds.items()))}\n")
    return int(any(number for what, number in told.items() if what != "rounds"))


if __name__ == "__main__":
    sys.exit(main())
