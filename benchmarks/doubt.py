"""What an hour of listening buys: wrong transcripts planted in the demo's corpus, doubted, flagged, left out.

    python -m benchmarks.doubt --work DIR [--seed 1] [--folds 3] [--fold-steps 1000] [--steps 1600]
        [--model RUN] [--start RUN] [--judge-only]

The demo's LibriSpeech layout is spoken (espeak-ng, noise), 5 % of its training transcripts get one of six faults, and it is
imported. `doubt` trains its folds and writes its table: how many of the planted lie in the worst 10 %, by kind. A
listener hears the worst 10 %, the worst first (simulated: flags what is wrong, keeps the rest); `curate` keeps the flags
and a refresh honours them. The same network is trained on the corpus before and after, both are measured on the same
test voices by the three decoders (the language model is the demo's, from its extra text) and compared. Everything is kept
in DIR and taken up again; the page is `python -m training listened`'s, in DIR's store.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from rapidfuzz.distance import Levenshtein

from corpora.curation.curate import Wish, curate
from corpora.curation.decisions import read_decisions
from corpora.refresh.plan import RefreshRequest
from corpora.refresh.stage import refresh
from demo import cast, speech
from demo.layouts import SpokenUtterance, librispeech
from lm.build import build
from lm.request import BuildRequest
from store.opening import open_store
from store.store import Store
from store.writing import read_json, write_bytes_atomic, write_json_atomic
from training.doubt.doubt import DoubtRequest, doubt
from training.evaluation.evaluate import EvaluationRequest, evaluate
from training.network.config import TrainingConfig, read_config
from training.pages.listening import Bought, write_listening_page
from training.runs import train_in_store

NAME = "librispeech"
SHARE = 0.05
WORST = 0.10
_CONFIG = Path(__file__).resolve().parents[1] / "demo" / "training.toml"
_beds: dict[str, Any] = {}


def _load_beds(beds: dict[str, Path]) -> None:
    _beds.update(speech.load_noise_beds(beds))


def _speak(line: cast.CastLine) -> SpokenUtterance:
    voice = line.line.voice
    said = speech.speak(line.line, _beds)
    return SpokenUtterance(voice.speaker, voice.gender, line.line.text, said, line.split)


def _another(text: str, other: str, generator: random.Random) -> str:
    """The text of another utterance."""
    return other


def _replaced(text: str, other: str, generator: random.Random) -> str:
    """One longer word is another one, which does not sound alike."""
    words = text.split()
    places = [place for place, word in enumerate(words) if len(word) >= 4]
    place = generator.choice(places or list(range(len(words))))
    strange = [
        word for word in other.split() if len(word) >= 4 and Levenshtein.distance(word, words[place]) >= 3
    ]
    words[place] = generator.choice(strange or ["harbour"])
    return " ".join(words)


def _missing(text: str, other: str, generator: random.Random) -> str:
    """A word in the middle is not written."""
    words = text.split()
    places = [place for place, word in enumerate(words) if len(word) >= 4 and 0 < place < len(words) - 1]
    del words[generator.choice(places or [len(words) // 2])]
    return " ".join(words)


def _added(text: str, other: str, generator: random.Random) -> str:
    """A word is written that nobody says."""
    words = text.split()
    longer = [word for word in other.split() if len(word) >= 4]
    words.insert(generator.randint(1, len(words)), generator.choice(longer or ["harbour"]))
    return " ".join(words)


def _cut(text: str, other: str, generator: random.Random) -> str:
    """The second half is not written."""
    words = text.split()
    return " ".join(words[: max(1, len(words) // 2)])


def _exchanged(text: str, other: str, generator: random.Random) -> str:
    """Both halves have changed places."""
    words = text.split()
    middle = len(words) // 2
    return " ".join([*words[middle:], *words[:middle]])


FAULTS: dict[str, Callable[[str, str, random.Random], str]] = {
    "text of another": _another,
    "word replaced": _replaced,
    "word not written": _missing,
    "word not said": _added,
    "second half missing": _cut,
    "halves exchanged": _exchanged,
}


def plant(texts: Sequence[str], splits: Sequence[str], seed: int) -> dict[int, tuple[str, str]]:
    """Which training texts become what: number → (kind, text); six kinds in turn, a twentieth of all in sum."""
    generator = random.Random(f"{seed}/planted")
    train = [number for number, split in enumerate(splits) if split == "train"]
    chosen = generator.sample(train, round(SHARE * len(train)))
    kinds = [*FAULTS]
    planted = {}
    for place, number in enumerate(chosen):
        kind = kinds[place % len(kinds)]
        others = [texts[other] for other in train if texts[other] != texts[number]]
        wrong = texts[number]
        while wrong == texts[number]:
            wrong = FAULTS[kind](texts[number], generator.choice(others), generator)
        planted[number] = (kind, wrong)
    return planted


def make_source(work: Path, seed: int) -> dict[str, str]:
    """Speak and write the layout with planted faults; answers utterance id → kind of fault."""
    known = work / "planted.json"
    if known.is_file():
        return dict(read_json(known))
    [plan] = [one for one in cast.PLANS if one.importer == NAME]
    beds = speech.make_noise_beds(work / "noise")
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(len(os.sched_getaffinity(0)), context, _load_beds, (beds,)) as pool:
        spoken = list(pool.map(_speak, cast.lines_of(plan, seed), chunksize=16))
    planted = plant([one.text for one in spoken], [one.split for one in spoken], seed)
    written = [replace(one, text=planted[n][1]) if n in planted else one for n, one in enumerate(spoken)]
    placed = librispeech.write(work / "source", written).placed
    ids = {one.index: Path(one.path).stem for one in placed}
    found = {ids[number]: kind for number, (kind, _) in planted.items()}
    write_json_atomic(known, found)
    return found


def listen(store: Store, table: Any, planted: dict[str, str]) -> dict[str, Any]:
    """Hear the worst tenth, flag what is wrong; answers what was found and what it cost."""
    corpus = store.corpus(NAME)
    order = np.argsort(-table["doubt"].to_numpy(), kind="stable")
    names = [table["utterance_id"][int(n)].as_py() for n in order]
    worst = names[: round(WORST * len(names))]
    lengths: dict[str, float] = {}
    for batch in corpus.batches(split="train", columns=["utterance_id", "duration_s"]):
        lengths |= dict(zip(batch["utterance_id"].to_pylist(), batch["duration_s"].to_pylist(), strict=True))
    there = {name: kind for name, kind in planted.items() if name in lengths}
    caught = [name for name in worst if name in there]
    decided = {one.utterance_id for one in read_decisions(store, NAME)}
    for name in caught:
        if name not in decided:
            curate(store, corpus, Wish("flag", name, "listener", f"planted: {there[name]}"))
    by_kind = {
        kind: [sum(there[name] == kind for name in caught), count]
        for kind, count in sorted(Counter(there.values()).items())
    }
    ranks = {name: place for place, name in enumerate(names)}
    return {
        "rows": len(names),
        "planted": len(there),
        "heard": len(worst),
        "caught": len(caught),
        "share": len(caught) / max(1, len(there)),
        "by_kind": by_kind,
        "last_rank": max((ranks[name] for name in there if name in ranks), default=0),
    }


def _config(options: argparse.Namespace, steps: int) -> TrainingConfig:
    config = read_config(_CONFIG)
    return replace(config, seed=options.seed, loop=replace(config.loop, steps=steps))


def _measured(store: Store, config: TrainingConfig, version: str) -> dict[str, Any]:
    """A network trained on a version, measured on the test of the version in force."""
    data = replace(config.data, corpora=(f"{NAME}@{version}",))
    run = train_in_store(replace(config, data=data), store).run
    return evaluate(EvaluationRequest(run, NAME, str(_language_model(store, config.seed))), store)


def _language_model(store: Store, seed: int) -> Path:
    """The demo's language model: its extra text alone, no transcript of this corpus."""
    text = store.root / "extra.txt"
    if not text.is_file():
        write_bytes_atomic(text, "\n".join(cast.extra_text(seed)).encode() + b"\n")
    request = BuildRequest(publish="demo", text=(text,), corpora=(), order=3, store=store.root)
    return Path(build(request)["path"])


def run(options: argparse.Namespace) -> dict[str, Any]:
    """The whole experiment; what is there already is taken."""
    work: Path = options.work
    store = open_store(work / "store")
    planted = make_source(work, options.seed)
    source = RefreshRequest(NAME, (work / "source" / "LibriSpeech",), store=work / "store")
    first = work / "first.json"
    if not first.is_file():
        write_json_atomic(first, {"version": refresh(source)["version"]})
    before = read_json(first)["version"]
    request = DoubtRequest(NAME, before, options.model, options.folds, _config(options, options.fold_steps))
    doubted = doubt(request, store)
    table = pq.read_table(doubted["path"])
    found = listen(store, table, planted)
    if options.judge_only:
        return found
    after = refresh(source)["version"]
    config = _config(options, options.steps)
    config = replace(config, transfer=replace(config.transfer, init_from=options.start))
    trained = {
        name: _measured(store, config, version) for name, version in (("before", before), ("after", after))
    }
    bought = Bought(NAME, before, trained["before"]["id"], trained["after"]["id"], found["heard"])
    return {**found, "versions": [before, after], "bought": write_listening_page(bought, store)}


def main(arguments: list[str] | None = None) -> int:
    """Run it; print one object."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.doubt", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--work", type=Path, required=True, metavar="DIR", help="kept, and taken up again")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--fold-steps", type=int, default=1000, help="of each network that judges")
    parser.add_argument("--steps", type=int, default=1600, help="of the two networks that are measured")
    parser.add_argument(
        "--model", help="a run's folder that judges instead of the folds; trained on something else"
    )
    parser.add_argument("--start", default="", help="a run's folder that the two networks start from")
    parser.add_argument("--judge-only", action="store_true", help="stop when the worst tenth was heard")
    options = parser.parse_args(arguments)
    options.work = options.work.resolve()
    sys.stdout.write(json.dumps(run(options), indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
