"""The part of `make soak-import` that listens: every container, odd form, archive and text, whole and damaged.

Each import is a donated folder of several recordings, some of them odd or damaged. Then every published row is heard:
does the sentence of its text sound in it, at its place? A row that does not, without a flag that says what is odd, is
wrong. A cue that is in no row must be refused, by itself, with its recording or with its archive. Whole files must be read.
"""

from __future__ import annotations

import io
import random
import tarfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import soundfile
import soxr

from corpora.errors import CorporaError
from corpora.refresh.plan import RefreshRequest
from corpora.refresh.stage import refresh
from demo.layouts import RATE_HZ, faults, kinds
from demo.layouts.kinds import DAMAGE, FORMS, ODD, SENTENCES

HEAD = 'name = "heard"\ndonor = "A Giver"\nlicence = "CC0-1.0"\nlanguage = "en"\nspeaker_rule = "file"\n'
TELLING = {  # flags that say that the sound or the text of a row is not to be taken for granted
    "sound_starts_late", "sound_has_gaps", "length_undeclared", "length_estimated", "longer_than_stated",
    "trailing_bytes", "foreign_bytes_at_end", "header_contradicts", "no_md5", "last_line_unfinished",
    "last_line_without_end", "blank_line_in_cue", "end_trimmed",
}  # fmt: skip
_ALIKE, _LATE_S = 0.5, 0.12  # how much of a sentence must be heard, and how far from its place
_PER_IMPORT = 6
_ODD = "row odd, flagged"


class Wrong(Exception):
    """Something wrong was let in, or something was lost without a word."""


@dataclass
class Heard:
    """Running counts: injections by kind, and how the cues they could touch ended."""

    injected: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    imports: int = 0


@dataclass
class Given:
    """What an import is given: its folder, and per stem which kind it is, what is said, and whether it is whole."""

    folder: Path
    kind: dict[str, str] = field(default_factory=dict)
    said: dict[str, list[str]] = field(default_factory=dict)
    whole: set[str] = field(default_factory=set)

    def may_be_refused(self, stem: str, sentence: str, reasons: list[str]) -> bool:
        """Whether a cue may be in no row: something is odd and a reason is given, or a rule of whole files refuses it."""
        # The same sentence with a cut text elsewhere: nobody knows which text is right, so both are refused.
        if any("the same sound appears with another text" in reason for reason in reasons):
            return True
        # A last line without its end may be cut, where the other files of the donation end theirs.
        last = sentence == self.said[stem][-1] and self.kind[stem].endswith(kinds.NO_LAST_END)
        if last and any("the last line of its file has no end" in reason for reason in reasons):
            return True
        return bool(reasons) and stem not in self.whole


def give(folder: Path, chance: random.Random, counts: Heard) -> Given:
    """A folder of recordings with captions, a third of them whole, a third odd, a third damaged."""
    given, room = Given(folder), folder.parent / "room"
    room.mkdir(parents=True, exist_ok=True)
    folder.mkdir(parents=True)
    for number in range(_PER_IMPORT):
        stem = f"talk{number}"
        samples, places = kinds.talk(chance.sample(SENTENCES, chance.randrange(2, 5)))
        choice = chance.choice(["whole", "odd", "damaged", "damaged"])
        if choice == "odd":
            kind = chance.choice([*ODD])
            suffix, maker = ODD[kind]
        else:
            kind = chance.choice([*(FORMS if choice == "whole" else DAMAGE)])
            suffix, maker = FORMS[kind]
        data = maker(samples, room, chance)
        if kind.startswith("late"):
            late_s = float((room / kinds.LATE).read_text())  # the captions are of the film, not of its sound
            places = [(a + late_s, b + late_s, text) for a, b, text in places]
        if choice == "damaged":
            fault = chance.choice(DAMAGE[kind])
            data, kind = fault(data, chance) or b"", f"{kind}: {fault.__name__}"
        else:
            given.whole.add(stem)
        name = f"{stem}.{suffix}" if suffix else stem
        (folder / name).write_bytes(data)
        odd_text = chance.random() < 0.2
        text_kind = chance.choice([*(kinds.ODD_TEXTS if odd_text else kinds.TEXTS)])
        ending, write = (kinds.ODD_TEXTS if odd_text else kinds.TEXTS)[text_kind]
        (folder / f"{stem}.{ending}").write_bytes(write(places, name, chance))
        if odd_text:
            given.whole.discard(stem)
        given.kind[stem], given.said[stem] = f"{kind}, {text_kind}", [text for _, _, text in places]
        counts.injected[kind] += 1
        counts.injected[f"text: {text_kind}"] += 1
    (folder / "donation.toml").write_text(HEAD)
    return given


def hear(row: dict[str, Any]) -> tuple[str, float, float]:
    """(sentence, how alike it is, seconds from the row's beginning) of what sounds in a row."""
    samples, rate_hz = soundfile.read(io.BytesIO(row["audio"]["bytes"]), dtype="float32")
    heard = soxr.resample(samples, rate_hz, 8000)
    best = ("", 0.0, 0.0)
    for sentence in SENTENCES:
        wanted = soxr.resample(kinds.sound_of(sentence).astype(np.float32) / 32768, RATE_HZ, 8000)
        alike, at = _correlate(heard, wanted)
        if alike > best[1]:
            best = (sentence, alike, at / 8000)
    return best


def _correlate(heard: np.ndarray, wanted: np.ndarray) -> tuple[float, int]:
    """The best normalised correlation of a sentence with any stretch of a sound, and where that begins."""
    size = 1 << (len(heard) + 2 * len(wanted)).bit_length()
    padded = np.concatenate([np.zeros(len(wanted)), heard, np.zeros(len(wanted))])
    product = np.fft.irfft(np.fft.rfft(padded, size) * np.conj(np.fft.rfft(wanted, size)), size)
    energy = np.concatenate([[0.0], np.cumsum(padded**2)])
    stretch = np.maximum(energy[len(wanted) :] - energy[: -len(wanted)], 0.3 * float(wanted @ wanted))
    scores = product[: len(stretch)] / np.sqrt(stretch * float(wanted @ wanted))
    at = int(np.argmax(scores))
    return float(scores[at]), at - len(wanted)


def imported(
    source: Path, store: Path, importer: str = "donated"
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows and rejections of an import.

    Raises:
        CorporaError: nothing was published.
    """
    said = refresh(RefreshRequest(importer=importer, sources=(source,), store=store))
    path = Path(said["path"])
    rows = [
        row for shard in sorted(path.glob("*/part-*.parquet")) for row in pq.read_table(shard).to_pylist()
    ]
    return rows, pq.read_table(path / "rejections.parquet").to_pylist()


def judge(given: Given, got: Any, told: str, counts: Heard) -> None:
    """Hear every row; every cue is in a row or was refused.

    Raises:
        Wrong: one is not.
    """
    rows, rejections = got
    faults_of_ours = [r["reason"] for r in rejections if r["check"] == "fault"]
    if faults_of_ours:
        raise Wrong(f"{told}: {faults_of_ours[0]}")
    there: Counter[tuple[str, str]] = Counter()
    odd: set[str] = set()  # of whose texts a flagged row holds a part
    for row in rows:
        stem = Path(row["source_path"].rpartition("!/")[2]).name.partition(".")[0]
        place = f"{told}: {stem} ({given.kind[stem]})"
        how = _heard(row, stem in given.whole, place)
        counts.ended[how] += 1
        there[stem, row["text"]] += 1
        odd.add(stem if how == _ODD else "")
    for stem, sentences in given.said.items():
        reasons = [r["reason"] for r in rejections if _is_of(r, stem)]
        for sentence in sentences:
            if there[stem, sentence] or (stem in odd and not reasons):
                continue
            if not given.may_be_refused(stem, sentence, reasons):
                raise Wrong(f"{told}: {stem} ({given.kind[stem]}): {sentence!r} is in no row: {reasons[:2]}")
            counts.ended["cue refused, reason given"] += 1


def _heard(row: dict[str, Any], whole: bool, place: str) -> str:
    """How a row is.

    Raises:
        Wrong: its text is not what sounds, and no flag says that anything is odd, or its recording is whole.
    """
    sentence, alike, at_s = hear(row)
    if sentence == row["text"] and alike >= _ALIKE and abs(at_s) <= _LATE_S:
        return "row right"
    if whole or not set(row["flags"]) & TELLING:
        raise Wrong(
            f"{place}: {row['text']!r} has the sound of {sentence!r}, alike {alike:.2f}, at {at_s:+.2f} s, "
            f"flags {row['flags']}"
        )
    return _ODD


def _is_of(rejection: dict[str, Any], stem: str) -> bool:
    named = rejection["source_path"] + (rejection["utterance_id"] or "")
    return stem in named or rejection["check"] == "archive_truncated"


def listen(seed: int, folder: Path, counts: Heard) -> None:
    """One import of a folder, heard; one of the same folder in a damaged tar."""
    chance = random.Random(f"kinds {seed}")
    given = give(folder / "given", chance, counts)
    told = f"seed {seed}"
    _import_and_judge(given, given.folder, folder / "store", told, counts)
    packed, kind = _packed(given.folder, chance)
    counts.injected[kind] += 1
    damaged = Given(given.folder, {stem: f"{of}, in a {kind}" for stem, of in given.kind.items()}, given.said)
    _import_and_judge(damaged, packed, folder / "store-packed", f"{told}, {kind}", counts)


def _import_and_judge(given: Given, source: Path, store: Path, told: str, counts: Heard) -> None:
    counts.imports += 1
    try:
        got = imported(source, store)
    except CorporaError as error:
        if given.whole or error.exit_status not in (2, 3):
            raise Wrong(f"{told}: ended with status {error.exit_status}: {error}") from error
        counts.ended["nothing published, sentence given"] += 1
        return
    judge(given, got, told, counts)


def _tar_header_bit(data: bytes, chance: random.Random) -> bytes:
    at = chance.choice([at for at in range(0, len(data), 512) if data[at + 257 : at + 262] == b"ustar"])
    at += chance.choice([*range(100), *range(124, 136)])
    return data[:at] + bytes([data[at] ^ (1 << chance.randrange(7))]) + data[at + 1 :]


def _blocks_lost(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(1, len(data) // 512 - 1) * 512
    return data[:at] + data[at + 512 * chance.randrange(1, 4) :]


def _block_put_in(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(1, len(data) // 512 - 1) * 512
    return data[:at] + chance.randbytes(512) + data[at:]


def _zeros_behind(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data) // 4, len(data) // 2)
    return data[:at] + bytes(len(data) - at)


def _twice(data: bytes, chance: random.Random) -> bytes:
    return data + data


TAR_DAMAGE: tuple[Callable[[bytes, random.Random], bytes | None], ...] = (
    _tar_header_bit, _blocks_lost, _block_put_in, _zeros_behind, _twice, faults.cut, faults.cut_a_little,
)  # fmt: skip


def _packed(folder: Path, chance: random.Random) -> tuple[Path, str]:
    """The folder as a damaged tar; donation.toml comes first, so that it stands before most damage."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as tar:
        names = sorted(path.name for path in folder.iterdir() if path.name != "donation.toml")
        chance.shuffle(names)
        for name in ["donation.toml", *names]:
            tar.add(folder / name, f"heard/{name}")
    fault = chance.choice(TAR_DAMAGE)
    target = folder.parent / "heard.tar"
    target.write_bytes(fault(plain.getvalue(), chance) or b"")
    return target, f"tar: {fault.__name__.strip('_')}"
