"""Row groups of shards -> features of their utterances, by threads.

One job is some row groups of one file: read together (the sound as it lies in the file, uncompressed),
decoded sixteen at a time by our own FLAC decoder, resampled, turned into features. A row group that cannot
be read, or a sound that is not what its checksum says, costs its own rows and nothing else: they are named
and counted. Knows no batches.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from training.network.batches import Indices
from training.network.config import FeatureConfig
from training.network.features import Float, mfcc
from training.network.feed.cache import FeatureCache
from training.network.feed.left_out import SetAside
from training.network.feed.sound import SoundChanges
from training.network.feed.table import Shard, Table

if TYPE_CHECKING:
    from native import Alphabet
    from native.flac import FlacSound

_GROUPS_PER_JOB = 12  # some ten minutes of speech: half a CPU second
_DECODED_TOGETHER = 16


@dataclass(frozen=True)
class Heard:
    """One utterance with its features at the speeds asked for, and what else was read with it."""

    utterance: int
    rows: tuple[Float, ...]
    labels: npt.NDArray[np.int32]
    text: str
    utterance_id: str
    speaker_id: str


@dataclass
class Loaded:
    """What a job gave: utterances, and what was lost to damage."""

    heard: list[Heard] = field(default_factory=list)
    lost: list[SetAside] = field(default_factory=list)


@dataclass(frozen=True)
class Wanted:
    """Utterances of a table and, for each, the variants (indices into the speeds) to compute.

    With an epoch the sound is changed as that epoch asks for; without it stays as it was recorded.
    """

    utterances: Indices
    variants: Sequence[tuple[int, ...]]
    epoch: int | None = None


@dataclass(frozen=True)
class GroupReader:
    """Reads features of a table's utterances.

    Attributes:
        speeds: playing speeds; a variant is an index into them.
        cache: features on disk, or None.
        changes: what may be done to the sound, or None.
    """

    table: Table
    features: FeatureConfig
    speeds: tuple[float, ...]
    alphabet: Alphabet
    cache: FeatureCache | None = None
    changes: SoundChanges | None = None

    def submit(self, pool: ThreadPoolExecutor, wanted: Wanted) -> list[Future[Loaded]]:
        """Start reading; one future per job, in the table's order."""
        order = np.argsort(wanted.utterances, kind="stable")
        group = self.table.group[wanted.utterances[order]]
        cuts = np.flatnonzero(np.diff(group)) + 1
        members = [part for part in np.split(order, cuts) if len(part)]
        shard_of = [
            int(self.table.group_shard[self.table.group[wanted.utterances[one[0]]]]) for one in members
        ]
        jobs: list[Future[Loaded]] = []
        for shard, numbered in groupby(range(len(members)), key=lambda place: shard_of[place]):
            places = list(numbered)
            for start in range(0, len(places), _GROUPS_PER_JOB):
                chunk = [members[place] for place in places[start : start + _GROUPS_PER_JOB]]
                jobs.append(pool.submit(self._job, self.table.shards[shard], wanted, chunk))
        return jobs

    def load(self, pool: ThreadPoolExecutor, wanted: Wanted) -> Loaded:
        """Everything wanted, in the table's order."""
        whole = Loaded()
        for job in self.submit(pool, wanted):
            part = job.result()
            whole.heard.extend(part.heard)
            whole.lost.extend(part.lost)
        return whole

    def _job(self, shard: Shard, wanted: Wanted, groups: list[Indices]) -> Loaded:
        import pyarrow as pa
        import pyarrow.parquet as pq

        loaded = Loaded()
        cached = [self._cached(wanted, members) for members in groups]
        columns = ["utterance_id", "speaker_id", "text", "sample_rate_hz"]
        columns += [] if all(one is not None for one in cached) else ["audio.bytes"]
        done = 0
        try:
            with pq.ParquetFile(shard.corpus.readable(shard.path, columns)) as stored:
                for members, found in zip(groups, cached, strict=True):
                    self._read_group(stored, columns, Members(shard, wanted, members, found), loaded)
                    done += 1
        except (OSError, pa.ArrowException) as error:
            said = str(error).splitlines()[0] if str(error) else type(error).__name__
            rows = sum(map(len, groups[done:]))
            reason = f"cannot be read ({said}); run the refresh of {shard.corpus.name} again"
            loaded.lost.append(SetAside(shard.place, rows, reason))
        return loaded

    def _cached(self, wanted: Wanted, members: Indices) -> list[tuple[Float, ...]] | None:
        """Features of a group's wanted rows from the cache, or None."""
        if self.cache is None:
            return None
        stored = self.cache.read(self.table, int(self.table.group[wanted.utterances[members[0]]]))
        if stored is None:
            return None
        return [stored.rows(int(wanted.utterances[one]), wanted.variants[int(one)]) for one in members]

    def _read_group(self, stored: Any, columns: list[str], one: Members, loaded: Loaded) -> None:
        """One row group: its wanted rows as `Heard`."""
        table = self.table
        group = int(table.group[one.wanted.utterances[one.members[0]]])
        read = stored.read_row_group(int(table.group_number[group]), columns=columns, use_threads=False)
        texts = [read[name].to_pylist() for name in ("utterance_id", "speaker_id", "text")]
        features: Sequence[tuple[Float, ...] | None]
        features = one.cached or list(self._compute(read, group, one, loaded))
        for place, rows in zip(one.members, features, strict=True):
            if rows is None:
                continue
            utterance = int(one.wanted.utterances[place])
            name, speaker, text = (column[int(table.row[utterance])] for column in texts)
            labels = np.asarray(self.alphabet.encode(text), np.int32)
            loaded.heard.append(Heard(utterance, rows, labels, text, name, speaker or ""))

    def _compute(
        self, read: Any, group: int, one: Members, loaded: Loaded
    ) -> Iterator[tuple[Float, ...] | None]:
        """Features of the wanted rows of a group; None where the sound is damaged."""
        from native.errors import FlacError

        table, wanted, cache = self.table, one.wanted, self.cache
        sounds = read["audio"].combine_chunks().field("bytes")
        rates = read["sample_rate_hz"].to_numpy()
        keeping = cache is not None
        utterances = table.members(group) if keeping else wanted.utterances[one.members]
        every = tuple(range(len(self.speeds)))
        asked = {int(wanted.utterances[member]): wanted.variants[int(member)] for member in one.members}
        found: dict[int, tuple[Float, ...]] = {}
        places = [int(table.row[utterance]) for utterance in utterances]
        for utterance, place, sound in zip(utterances, places, _decoded(sounds, places), strict=True):
            if isinstance(sound, FlacError):
                name = read["utterance_id"][place].as_py()
                loaded.lost.append(
                    SetAside(f"{one.shard.place}: {name}", 1, f"its sound is damaged: {sound}")
                )
                continue
            variants = every if keeping else asked[int(utterance)]
            samples, rate = sound.samples[:, 0], float(rates[place])
            found[int(utterance)] = tuple(
                self._features(samples, rate * self.speeds[k], int(utterance), wanted.epoch) for k in variants
            )
        if cache is not None:
            found = cache.write(table, group, found)
        for member in one.members:
            rows = found.get(int(wanted.utterances[member]))
            if rows is not None and keeping:
                rows = tuple(rows[k] for k in wanted.variants[int(member)])
            yield rows

    def _features(
        self, samples: npt.NDArray[np.int16], rate_hz: float, utterance: int, epoch: int | None
    ) -> Float:
        """Features of one sound, changed as the epoch asks for."""
        if self.changes is None or epoch is None:
            return mfcc(samples, rate_hz, self.features)
        draws = self.changes.generator(utterance, epoch)
        return self.changes.tempo(
            mfcc(self.changes.sound(samples, rate_hz, draws), rate_hz, self.features), draws
        )


@dataclass(frozen=True)
class Members:
    """The wanted rows of one row group; `cached` are their features where the cache had them."""

    shard: Shard
    wanted: Wanted
    members: Indices
    cached: list[tuple[Float, ...]] | None


def _decoded(sounds: Any, places: Sequence[int]) -> Iterator[FlacSound | Any]:
    """Sounds at some places of a column of FLAC files, decoded side by side."""
    from native.flac import decode_many

    for start in range(0, len(places), _DECODED_TOGETHER):
        chunk = places[start : start + _DECODED_TOGETHER]
        yield from decode_many([memoryview(sounds[place].as_buffer()) for place in chunk])
