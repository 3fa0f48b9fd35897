"""WebDataset's form: numbered tars in which `<name>.flac`, `<name>.txt` and `<name>.json` are one sample.

    train-000000.tar    train-000001.tar    dev-000000.tar …    README.md

The `.txt` is the text, the `.json` what else is known. Names have no dot but the one before their kind, because
WebDataset takes all before the first dot for the sample's key. No time stands in a tar.
"""

from __future__ import annotations

import itertools
import json
import tarfile
from pathlib import Path

from corpora.exports._files import Row, Rows, add_to_tar, file_name
from corpora.exports.huggingface import card
from store.corpus import Corpus

_SAMPLES_PER_TAR = 1000


def write(corpus: Corpus, splits: list[Rows], folder: Path) -> None:
    """Numbered tars by split, and the card that names licence and language, into an empty folder."""
    for rows in splits:
        waiting, number = iter(rows), 0
        while batch := [*itertools.islice(waiting, _SAMPLES_PER_TAR)]:
            place = folder / f"{rows.split}-{number:06d}.tar"
            with tarfile.open(place, "w", format=tarfile.GNU_FORMAT) as packed:
                for row in batch:
                    _add_sample(packed, row)
            number += 1
    about = card(corpus, [rows.split for rows in splits], "{split}-*.tar")
    (folder / "README.md").write_text(about, "utf-8")


def _add_sample(packed: tarfile.TarFile, row: Row) -> None:
    name = file_name(row["utterance_id"], "", dots=False)
    told = {
        "utterance_id": row["utterance_id"],
        "speaker_id": row["speaker_id"],
        "gender": row["gender"],
        "language": row["language"],
        "licence": row["licence"],
        "subset": row["subset"],
        "duration": row["num_samples"] / row["sample_rate_hz"],
        "sampling_rate": row["sample_rate_hz"],
    }
    add_to_tar(packed, f"{name}.flac", row["audio"]["bytes"])
    add_to_tar(packed, f"{name}.txt", row["text"].encode("utf-8"))
    add_to_tar(packed, f"{name}.json", json.dumps(told, ensure_ascii=False).encode("utf-8"))
