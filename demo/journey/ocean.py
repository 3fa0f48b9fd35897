"""speechocean762: what its folders say of the speakers, and the outputs of a network over phonemes for its recordings.

    train/, test/    Kaldi tables: text (id, TEXT), utt2spk, spk2age
    WAVE/            the recordings

What a network of our own learns from is either the sound or what a fixed network heard (`heard.py`). A fixed network's
outputs lie in a folder of their own: `log_probs.npz` by utterance id and `labels.tsv` (docs/training.md);
`benchmarks/training/peers/hama_outputs.py` writes one.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import soundfile
import soxr

from demo.journey.an4 import evened
from demo.journey.phonemes import labels_of
from scoring.significance import wer_interval
from scoring.wer import count_errors
from store.corpus import Corpus
from store.writing import write_bytes_atomic
from training.decoding.recognise import DECODERS
from training.errors import DataError
from training.network.config import FeatureConfig
from training.network.features import mfcc
from training.network.feed.feature_folder import transcripts_table

_GROWN_UP = 18  # years
_SPEEDS = (0.9, 1.0, 1.1)


def read_table(path: Path) -> dict[str, str]:
    """Id to the rest of its line, of a table as Kaldi writes them.

    Raises:
        DataError: it cannot be read.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error
    pairs = [line.split(None, 1) for line in lines if line.strip()]
    return {pair[0]: pair[-1].strip() for pair in pairs if len(pair) > 1}


def ages(folder: Path) -> dict[str, int]:
    """Speaker to age in years, of both parts.

    Raises:
        DataError: a table cannot be read, or an age is no number.
    """
    found = {}
    for part in ("train", "test"):
        for speaker, age in read_table(folder / part / "spk2age").items():
            if not age.isdigit():
                raise DataError(
                    f"{folder / part / 'spk2age'}: the age of {speaker} is {age!r}; expected years"
                )
            found[speaker] = int(age)
    return found


def by_age(evaluation: Path, years: Mapping[str, int]) -> dict[str, Any]:
    """An evaluation's rates for children and for adults: {group: {speakers, words, decoder: {wer, interval}}}."""
    table = pq.read_table(evaluation / "utterances.parquet")
    speakers = [str(name).rpartition(":")[2] for name in table["speaker_id"].to_pylist()]
    unknown = sorted({name for name in speakers if name not in years})
    if unknown:
        raise DataError(
            f"{evaluation}: no age is known of speaker {unknown[0]}; spk2age is of another corpus"
        )
    found: dict[str, Any] = {}
    for group, grown_up in (("children", False), ("adults", True)):
        rows = [n for n, name in enumerate(speakers) if (years[name] >= _GROWN_UP) is grown_up]
        there = [speakers[row] for row in rows]
        part = table.take(rows)
        references = part["reference"].to_pylist()
        found[group] = {"speakers": len(set(there)), "words": sum(len(text.split()) for text in references)}
        for decoder in DECODERS:
            if rows and table[decoder].null_count < table.num_rows:
                rates = count_errors(references, part[decoder].to_pylist())
                found[group][decoder] = {"wer": rates.wer, "interval": list(wer_interval(rates, there))}
    return found


def prepare_outputs(outputs: Path, folder: Path, splits: Mapping[str, str], work: Path) -> dict[str, int]:
    """Write what the commands read of a fixed network's outputs; answers utterances by split.

    Args:
        outputs: the folder of the outputs. folder: speechocean762. splits: dev or test by speaker; others are left out.
    """
    work.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(outputs / "log_probs.npz", work / "log_probs.npz")
    shutil.copyfile(outputs / "labels.tsv", work / "labels.tsv")
    write_bytes_atomic(work / "alphabet.txt", labels_of(outputs / "labels.tsv").encode())
    counts, rows = {"dev": 0, "test": 0}, []
    for part in ("train", "test"):
        speaker_of = read_table(folder / part / "utt2spk")
        for name, text in sorted(read_table(folder / part / "text").items()):
            split = splits.get(speaker_of.get(name, ""), "")
            if split in counts:
                counts[split] += 1
                rows.append((name, split, speaker_of[name], " ".join(text.lower().split())))
    write_bytes_atomic(work / "refs.tsv", transcripts_table(rows))
    return counts


def write_feature_folder(corpus: Corpus, folder: Path) -> dict[str, int]:
    """Write features of a published corpus as `training run --features` reads them; answers utterances by split.

    Each utterance's mean is taken out and its deviation made 1, as telephones and rooms differ; training utterances
    (counted once) stand there at three speeds.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config, counts, rows = FeatureConfig(), dict.fromkeys(("train", "dev", "test"), 0), []
    for split in counts:
        for batch in corpus.batches(split=split, columns=["utterance_id", "speaker_id", "text", "audio"]):
            for row in batch.to_pylist():
                counts[split] += 1
                samples, rate_hz = soundfile.read(io.BytesIO(row["audio"]["bytes"]), dtype="float32")
                for speed in _SPEEDS if split == "train" else (1.0,):
                    name = row["utterance_id"] + ("" if speed == 1.0 else f"-{round(100 * speed)}")
                    played = soxr.resample(samples, rate_hz * speed, rate_hz) if speed != 1.0 else samples
                    content = io.BytesIO()
                    np.save(content, evened(mfcc(np.ascontiguousarray(played, np.float32), rate_hz, config)))
                    write_bytes_atomic(folder / f"{name}.npy", content.getvalue())
                    rows.append((name, split, row["speaker_id"], row["text"]))
    write_bytes_atomic(folder / "features.toml", f"hop_s = {config.hop_s}\nstack = 1\n".encode())
    write_bytes_atomic(folder / "transcripts.tsv", transcripts_table(rows))
    return counts
