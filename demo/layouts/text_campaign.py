"""The campaign over donated texts: odd texts beside recordings whose truth is known, imported, and listened to.

Every row is heard: its text must be what sounds in it. Every sentence must be in a row, or its recording or text in a
rejection or a count. What is flagged and wrong is counted apart: a person can see it.
"""

from __future__ import annotations

import io
import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import soundfile

from corpora.errors import CorporaError
from corpora.refresh.plan import RefreshRequest
from corpora.refresh.stage import refresh
from demo.layouts import RATE_HZ
from demo.layouts.odd_texts import FORMS
from demo.layouts.spoken_truth import Truth, judged, recording, words_heard

_DONATION = 'name = "odd"\ndonor = "a giver"\nlicence = "CC0-1.0"\n'
# Flags that say that the text of a row is in doubt.
DOUBT = frozenset(("last_line_unfinished", "speaker_label_kept"))


@dataclass
class Heard:
    """Counts: texts by kind, rows by how they ended; and what was wrong in silence."""

    kinds: Counter[str] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def write(folder: Path, chance: random.Random, recordings: int) -> tuple[list[Truth], dict[str, str]]:
    """A donation of some recordings with an odd text each; answers their truths and kinds by name."""
    truths, kinds = [], {}
    folder.mkdir(parents=True)
    (folder / "donation.toml").write_text(_DONATION + chance.choice(("", 'language = "English"\n')))
    for number in range(recordings):
        truth = recording(f"talk{number}", chance.randint(2, 5), chance)
        soundfile.write(folder / f"{truth.name}.wav", truth.samples, RATE_HZ, subtype="PCM_16")
        kind, files = chance.choice(FORMS)(truth, chance)
        for name, text in files.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(text.encode("utf-8"))
        truths.append(truth)
        kinds[truth.name] = kind
    return truths, kinds


def listen(folder: Path, seed: int, recordings: int = 6) -> Heard:
    """Write a donation, import it and listen to every row."""
    heard = Heard()
    truths, kinds = write(folder / "gift", random.Random(f"texts {seed}"), recordings)
    heard.kinds.update(kinds.values())
    store = folder / "store"
    try:
        answer = refresh(RefreshRequest("donated", (folder / "gift",), store=store, workers=1))
    except CorporaError as error:
        if error.exit_status not in (2, 3) or not str(error):
            heard.wrong.append(f"seed {seed}: ended with status {error.exit_status}: {error}")
        heard.rows["nothing published, sentence given"] += 1
        return heard
    path = Path(answer["path"])
    rows = [
        row for shard in sorted(path.glob("*/part-*.parquet")) for row in pq.read_table(shard).to_pylist()
    ]
    rejections = pq.read_table(path / "rejections.parquet").to_pylist()
    for truth in truths:
        own = [row for row in rows if row["source_path"].startswith(f"{truth.name}.")]
        place = f"seed {seed}, {truth.name} ({kinds[truth.name]})"
        _judge(truth, own, place, heard)
        _missing(truth, own, rejections, (place, heard))
    return heard


def _samples(row: dict[str, Any]) -> Any:
    return soundfile.read(io.BytesIO(row["audio"]["bytes"]), dtype="int16")[0]


def _judge(truth: Truth, rows: list[dict[str, Any]], place: str, heard: Heard) -> None:
    for row in rows:
        problem = judged(row["text"], _samples(row), truth)
        if not problem:
            heard.rows["row says what sounds in it"] += 1
        elif DOUBT & set(row["flags"]):
            heard.rows["row is in doubt, flagged"] += 1
        else:
            heard.wrong.append(f"{place}: {row['utterance_id']}: {problem} {row['flags']}")


def _missing(
    truth: Truth, rows: list[dict[str, Any]], rejections: list[dict[str, Any]], into: tuple[str, Heard]
) -> None:
    """A word that sounds in no row must have a reason: a rejection of its recording or of its text."""
    place, heard = into
    reasons = [rejection for rejection in rejections if truth.name in rejection["source_path"]]
    found = Counter(word for row in rows for word in words_heard(_samples(row), truth))
    for sentence in truth.sentences:
        lost = [word.text for word in sentence.words if not found[word.text]]
        if not lost:
            continue
        if reasons:
            heard.rows["sentence absent or cut, reason given"] += 1
        else:
            heard.wrong.append(f"{place}: {' '.join(lost)!r} is in no row and nothing says why")
