"""What dev and test share with train, within a corpus and between all corpora of the store.

Speakers, sentences, the very same sound (hash of the samples) and near copies of it (fingerprint). Rows are
compared as 64-bit hashes, about 45 bytes a row; those of published versions are kept in the cache. Speakers
are compared where their names mean the same: within one importer, for donations within one donor.
The gate (policy in `POLICY`) refuses a corpus that would leak, whichever side of the pair it is.
"""

from __future__ import annotations

import logging
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from corpora.audio import fingerprint
from corpora.audio.fingerprint import as_words
from corpora.buckets import hash64
from corpora.quality.near_copies import NearCopies, Sounds, near_copies
from store.corpus import SPLITS, Corpus
from store.errors import StoreError
from store.store import Store
from store.writing import explain_write, temporary_beside

if TYPE_CHECKING:
    import pandas as pd

POLICY = (
    "refused: a speaker of dev or test in the train of another corpus; a sound of dev or test, or a near copy "
    "of it with the same text, in any train; more than the share `leaked_sentences` of the dev and test "
    "utterances of `leakage_words` words or more with their sentence in any train. Only reported: shorter "
    "sentences, near copies with another text, and all sentences where the vocabulary is closed."
)
_log = logging.getLogger(__name__)
_SHORTEST_S = 1.0  # fingerprints of less sound say too little
_UNKNOWN = np.uint64(0)


@dataclass(frozen=True)
class Traces:
    """What is compared of the rows of one corpus: arrays of equal length.

    Attributes:
        split: number in `SPLITS`. speaker: hash, 0 = unknown. prints: `[n, 2]`.
        closed: the vocabulary is closed: sentences are reported only.
        tolerated: share of long sentences that may leak.
    """

    name: str
    split: npt.NDArray[np.uint8]
    speaker: npt.NDArray[np.uint64]
    text: npt.NDArray[np.uint64]
    words: npt.NDArray[np.uint16]
    audio: npt.NDArray[np.uint64]
    prints: npt.NDArray[np.uint64]
    seconds: npt.NDArray[np.float32]
    closed: bool = False
    tolerated: float = 0.0

    def part(self, wanted: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> Traces:
        """Some of the rows."""
        arrays = {key: getattr(self, key)[wanted] for key in _ARRAYS}
        return Traces(self.name, **arrays, closed=self.closed, tolerated=self.tolerated)


_ARRAYS = ("split", "speaker", "text", "words", "audio", "prints", "seconds")


def speaker_space(manifest: Mapping[str, Any]) -> str:
    """Where the speakers' names of a corpus come from: two corpora of one space may share speakers."""
    donor = manifest["donor"] if manifest["importer"] == "donated" else ""
    return f"{manifest['importer']}\n{donor}"


def traces_of_index(index: pd.DataFrame, manifest: Mapping[str, Any]) -> Traces:
    """Traces of the accepted rows of a corpus that is being sealed."""
    space = speaker_space(manifest)
    speakers = {name: hash64(f"{space}\n{name}") for name in index["speaker_id"].unique()}
    unknown = (
        index["flag_set"].astype(object).map(lambda flags: "speaker_unknown" in flags).to_numpy(dtype=bool)
    )
    speaker = index["speaker_id"].astype(object).map(speakers).to_numpy(dtype=np.uint64)
    return Traces(
        manifest["corpus"],
        np.array([SPLITS.index(split) for split in index["split"]], dtype=np.uint8),
        np.where(unknown, _UNKNOWN, speaker),
        index["text_hash"].to_numpy(dtype=np.uint64),
        np.minimum(index["words"].to_numpy(), 65535).astype(np.uint16),
        index["audio_hash"].to_numpy(dtype=np.uint64),
        index[["print_high", "print_low"]].to_numpy(dtype=np.uint64),
        index["duration_s"].to_numpy(dtype=np.float32),
        **_terms(manifest),
    )


def _terms(manifest: Mapping[str, Any]) -> dict[str, Any]:
    tolerated = manifest["thresholds"].get("leaked_sentences", 0.0)
    return {"closed": bool(manifest["closed_vocabulary"]), "tolerated": float(tolerated)}


def traces_of(store: Store, corpus: Corpus) -> Traces:
    """Traces of a published version; read from its shards once, then from the cache.

    Fingerprints of an older kind are made anew from the stored sound, which takes some 0.5 s of CPU per hour.
    """
    path = traces_path(store, corpus)
    if not path.is_file() and not store.fetch_cached(path):
        for old in path.parent.glob(f"{corpus.name}-*.npz"):
            # their names said nothing of the kind of fingerprints before
            if len(path.stem) - len(old.stem) in (0, 2):
                old.unlink(missing_ok=True)
        _write(path, _read_shards(corpus))
    arrays = _read(path)
    if arrays is None or {len(array) for array in arrays.values()} != {_utterances(corpus)}:
        _log.warning("%s is damaged and made again", path)
        _write(path, _read_shards(corpus))
        with np.load(path) as stored:
            arrays = {key: stored[key] for key in _ARRAYS}
    return Traces(corpus.name, **arrays, **_terms(corpus.manifest))


def readable_traces(store: Store, corpus: Corpus) -> Traces | None:
    """What `traces_of` answers; None, and a warning, where the corpus is damaged: that never stops another one."""
    try:
        return traces_of(store, corpus)
    except StoreError as error:
        _log.warning("nothing is compared with %s, which is damaged: %s", corpus.name, error)
        return None


def _utterances(corpus: Corpus) -> int:
    return sum(int(shard["rows"]) for shard in corpus.manifest["shards"])


def _read(path: Path) -> dict[str, Any] | None:
    """Traces of the cache; None where the file is damaged (its members have checksums)."""
    try:
        with np.load(path) as stored:
            return {key: stored[key] for key in _ARRAYS}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def traces_path(store: Store, corpus: Corpus) -> Path:
    """Where the traces of a version are kept."""
    return store.cache_dir / "leakage" / f"{corpus.name}-{corpus.version}-{fingerprint.VERSION}.npz"


def share_traces(store: Store, corpus: Corpus) -> None:
    """In a shared store: what spares others to read all sound of this version, and what its page tells of the others."""
    if store.is_shared:
        traces_of(store, corpus)
        store.share_with_version(corpus.name, [traces_path(store, corpus), pairs_path(store, corpus.name)])


def _write(path: Path, arrays: dict[str, npt.NDArray[Any]]) -> None:
    temporary = temporary_beside(path)
    with explain_write(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as stream:
            np.savez(stream, allow_pickle=False, **arrays)
        temporary.replace(path)


def _read_shards(corpus: Corpus) -> dict[str, npt.NDArray[Any]]:
    space, number = speaker_space(corpus.manifest), {split: at for at, split in enumerate(SPLITS)}
    columns = ["split", "speaker_id", "text", "audio_sha256", "audio_fingerprint", "duration_s", "flags"]
    found: dict[str, list[Any]] = {key: [] for key in _ARRAYS}
    there = corpus.column_names()
    is_old = corpus.manifest.get("fingerprint_version", 1) != fingerprint.VERSION
    if is_old:
        columns.append("audio")
        _log.info("the fingerprints of %s are of an older kind: made anew from its sound", corpus.name)
    for batch in corpus.batches(columns=[name for name in columns if name in there]):
        for row in batch.to_pylist():
            unknown = "speaker_unknown" in row["flags"]
            found["split"].append(number[row["split"]])
            found["speaker"].append(0 if unknown else hash64(f"{space}\n{row['speaker_id']}"))
            found["text"].append(hash64(row["text"]))
            found["words"].append(min(row["text"].count(" ") + 1, 65535))
            found["audio"].append(int(row["audio_sha256"][:16], 16))
            known = row.get("audio_fingerprint")
            if is_old:
                known = fingerprint.fingerprint_of_stored(row["audio"]["bytes"])
            found["prints"].append(as_words(known or fingerprint.UNKNOWN))
            found["seconds"].append(row["duration_s"])
    types = {"split": np.uint8, "words": np.uint16, "seconds": np.float32}
    made = {key: np.array(values, dtype=types.get(key, np.uint64)) for key, values in found.items()}
    made["prints"] = made["prints"].reshape(-1, 2)
    return made


def compare(train: Traces, held: Traces, min_words: int) -> dict[str, Any]:
    """What the dev and test utterances of `held` share with the train utterances of `train`.

    Returns:
        train, held_out (names), utterances and long_sentences (of dev and test), and how many of them leak:
        speakers, sentences (of at least `min_words` words), short_sentences, audio, near_copies (same text),
        near_copies_other_text; `not_compared_with_all` where thousands share a piece of sound with that
        many rows, see near_copies.py; per split: {dev, test: sentences}.
    """
    learnt, asked = train.part(train.split == 0), held.part(held.split > 0)
    said = np.isin(asked.text, learnt.text)
    long = asked.words >= min_words
    same = np.isin(asked.audio, learnt.audio)
    known = np.isin(asked.speaker, learnt.speaker[learnt.speaker != _UNKNOWN]) & (asked.speaker != _UNKNOWN)
    near = _near(learnt, asked)
    unfinished = int((near.unfinished & ~near.same & ~same).sum())
    return {
        "train": train.name,
        "held_out": held.name,
        "utterances": len(asked.text),
        "long_sentences": int(long.sum()),
        "speakers": len(np.unique(asked.speaker[known])),
        "sentences": int((said & long).sum()),
        "short_sentences": int((said & ~long).sum()),
        "audio": int(same.sum()),
        "near_copies": int((near.same & ~same).sum()),
        "near_copies_other_text": int((near.other & ~same & ~near.same).sum()),
        **({"not_compared_with_all": unfinished} if unfinished else {}),
        "by_split": {
            split: int((said & long & (asked.split == at)).sum()) for at, split in enumerate(SPLITS) if at
        },
    }


def _near(learnt: Traces, asked: Traces) -> NearCopies:
    """Which rows of `asked` have a near copy in `learnt`."""
    rows = np.flatnonzero((asked.seconds >= _SHORTEST_S) & asked.prints.any(axis=1))
    found = near_copies(_sounds(learnt), _sounds(asked.part(rows)))
    marks = np.zeros((3, len(asked.text)), bool)
    marks[:, rows] = found.same, found.other, found.unfinished
    return NearCopies(marks[0], marks[1], marks[2], found.compared)


def _sounds(traces: Traces) -> Sounds:
    return Sounds(traces.prints, traces.seconds, traces.text)


def within(index: pd.DataFrame, traces: Traces, min_words: int) -> dict[str, Any]:
    """What a corpus's dev and test share with its own train, for the manifest.

    Returns:
        What `compare` answers, and per split: {"dev": n, "test": n, "min_words": words} counting sentences of
        at least `min_words` words, "dev_any" and "test_any" counting all of them; `policy` of the gate.
    """
    found = compare(traces, traces, min_words)
    trained = index.loc[index["split"] == "train", "text_hash"].unique()
    flat: dict[str, Any] = {"min_words": min_words, "policy": POLICY}
    for split, count in found.pop("by_split").items():
        said = index.loc[index["split"] == split, "text_hash"]
        flat |= {split: count, f"{split}_any": int(said.isin(trained).sum())}
    return {**found, **flat}


def across(store: Store, mine: Traces, min_words: int) -> list[dict[str, Any]]:
    """A corpus against every other one in the store: its train and their dev and test, and the other way."""
    found = []
    for name in store.corpus_names():
        if name == mine.name:
            continue
        theirs = readable_traces(store, store.corpus(name))
        if theirs is None:
            continue
        found += [compare(mine, theirs, min_words), compare(theirs, mine, min_words)]
        for pair in found[-2:]:
            pair["tolerated"] = max(mine.tolerated, theirs.tolerated)
            pair["closed_vocabulary"] = mine.closed or theirs.closed
    return found


def matrix(store: Store, names: Iterable[str], min_words: int) -> list[dict[str, Any]]:
    """Every corpus's train against every corpus's dev and test, its own included."""
    traces = [traces_of(store, store.corpus(name)) for name in names]
    return [compare(train, held, min_words) for train in traces for held in traces]


def pairs_path(store: Store, name: str) -> Path:
    """Where what `across` found stands when a corpus was sealed last: beside its report."""
    return store.reports_dir / "leakage" / f"{name}.json"


def tell(pairs: list[dict[str, Any]]) -> None:
    """Log what the gate may object to."""
    for pair in pairs:
        for key in ("speakers", "sentences", "audio", "near_copies"):
            if pair[key]:
                place = (pair["held_out"], pair["train"])
                _log.warning("%d leaking %s: dev and test of %s, train of %s", pair[key], key, *place)
        if pair.get("not_compared_with_all"):
            _log.warning(
                "%d sounds of dev and test of %s share a piece of sound with thousands in train of %s: they were compared "
                "with the nearest only, so that a distant copy of one may stay unseen",
                pair["not_compared_with_all"], pair["held_out"], pair["train"],
            )  # fmt: skip


def gate_figures(own: dict[str, Any], mine: Traces, pairs: list[dict[str, Any]]) -> dict[str, Any]:
    """What the gate looks at: the worst of the corpus itself and of all its pairs.

    Returns:
        leaked_speakers, leaked_audio (counts); leaked_sentences: the largest share by which a pair exceeds
        what is tolerated, 0 where none does; and then `leaked_sentences_told`: that pair in words.
    """
    mine_own = {**own, "tolerated": mine.tolerated, "closed_vocabulary": mine.closed}
    open_pairs = [pair for pair in [mine_own, *pairs] if not pair["closed_vocabulary"]]
    worst = max(open_pairs, key=lambda pair: _share(pair) - pair["tolerated"], default=None)
    over = round(max(_share(worst) - worst["tolerated"], 0.0), 6) if worst else 0.0
    copies = [pair["audio"] + (0 if pair["closed_vocabulary"] else pair["near_copies"]) for pair in pairs]
    copies.append(own["audio"] + (0 if mine.closed else own["near_copies"]))
    return {
        "leaked_speakers": max((pair["speakers"] for pair in pairs), default=0),
        "leaked_audio": max(copies),
        "leaked_sentences": over,
        **({"leaked_sentences_told": _told(worst, mine.name)} if worst and over else {}),
    }


def _told(pair: dict[str, Any], name: str) -> str:
    held_out, train = pair.get("held_out", name), pair.get("train", name)
    return (
        f"{pair['sentences']} of {pair['long_sentences']} long sentences in dev and test of {held_out} stand in train of "
        f"{train}: a share of {_share(pair):.4f}, tolerated is {pair['tolerated']:g}"
    )


def _share(pair: dict[str, Any]) -> float:
    return float(pair["sentences"]) / float(pair["long_sentences"]) if pair["long_sentences"] else 0.0
