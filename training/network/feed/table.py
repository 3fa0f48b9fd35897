"""What a run can learn from, read from the shards' columns without their sound.

A table holds some 40 bytes per utterance (a thousand hours are 300,000 of them): corpus, shard, row group,
place in the group, length at every speed. Rows are left out here, with a count and their hours: too short,
too long, of another official part, beyond the limits in hours, impossible for CTC. A shard that is missing,
damaged or not as its manifest says is named and its rows are counted; the others go on. Reads no sound.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from training.errors import DataError
from training.network.batches import Indices
from training.network.config import DataConfig, FeatureConfig
from training.network.dataset import evenly, usable_cores
from training.network.features import frame_counts
from training.network.feed.folds import in_share
from training.network.feed.left_out import LeftOut, SetAside
from training.network.feed.spelling import Spelled

if TYPE_CHECKING:
    from native import Alphabet
    from store.corpus import Corpus

_COLUMNS = ("subset", "duration_s", "num_samples", "sample_rate_hz", "text")
_AHEAD = 32  # shards read side by side: their texts are in memory together


@dataclass(frozen=True)
class Shard:
    """One Parquet file of a corpus; `path` is relative to the corpus' version."""

    corpus: Corpus
    path: str

    @property
    def place(self) -> str:
        """For messages."""
        return f"{self.corpus.place}/{self.path}"


@dataclass(frozen=True)
class Table:
    """The utterances of a run, in the order of corpora, shards and rows.

    Attributes:
        shards: files; group_shard, group_number: int32 [groups], file and row group of each group.
        group, row: int32 [utterances], group and place within it.
        corpus: int16 [utterances]; duration_s: float32 [utterances].
        frames: int32 [utterances, speeds].
        label_counts: int64 [labels], how often each stands in the texts that can be learnt, limits in hours aside.
    """

    shards: tuple[Shard, ...]
    group_shard: npt.NDArray[np.int32]
    group_number: npt.NDArray[np.int32]
    group: npt.NDArray[np.int32]
    row: npt.NDArray[np.int32]
    corpus: npt.NDArray[np.int16]
    duration_s: npt.NDArray[np.float32]
    frames: npt.NDArray[np.int32]
    label_counts: npt.NDArray[np.int64]
    left_out: LeftOut

    def __len__(self) -> int:
        return len(self.group)

    @property
    def hours(self) -> float:
        """Of speech, at its own speed."""
        return float(self.duration_s.sum(dtype=np.float64)) / 3600

    def members(self, group: int) -> Indices:
        """The utterances of a row group, rising."""
        first, last = np.searchsorted(self.group, [group, group + 1])
        return np.arange(first, last)

    def kept(self, chosen: Indices) -> Table:
        """The table of some of its utterances."""
        return Table(
            self.shards, self.group_shard, self.group_number, self.group[chosen], self.row[chosen],
            self.corpus[chosen], self.duration_s[chosen], self.frames[chosen], self.label_counts, self.left_out,
        )  # fmt: skip

    def utterance_ids(self, utterances: Indices) -> list[str]:
        """`corpus/utterance_id` of some utterances, read from their shards."""
        names = []
        for utterance in utterances:
            group = int(self.group[utterance])
            shard = self.shards[int(self.group_shard[group])]
            columns = _read_group(shard, int(self.group_number[group]), ["utterance_id"])
            name = columns["utterance_id"][int(self.row[utterance])].as_py()
            names.append(f"{shard.corpus.name}/{name}")
        return names


def _read_group(shard: Shard, number: int, columns: list[str]) -> Any:
    import pyarrow.parquet as pq

    with pq.ParquetFile(shard.corpus.readable(shard.path, columns)) as stored:
        return stored.read_row_group(number, columns=columns, use_threads=False)


def read_table(
    corpora: Sequence[Corpus], config: DataConfig, features: FeatureConfig, learner: Learner
) -> Table:
    """All utterances of the training split that can be learnt from.

    Raises:
        DataError: `subsets` names a part that no corpus has; the message names those that there are.
        AlphabetError: a text holds a character outside the alphabet.
    """
    return _TableBuilder(config, features, learner).build(corpora)


_Read = (
    SetAside | tuple[dict[str, Any], list[int]]
)  # a shard's columns and the rows of its groups, or why not


@dataclass(frozen=True)
class Learner:
    """What decides whether CTC can learn a row: the labels, the speeds at which rows are heard, the fastest tempo."""

    alphabet: Alphabet
    speeds: tuple[float, ...]
    tempo: float = 1.0


class _TableBuilder:
    """Columns of one shard after the other."""

    def __init__(self, config: DataConfig, features: FeatureConfig, learner: Learner) -> None:
        self._config, self._features, self._learner = config, features, learner
        self._left_out = LeftOut()
        self._shards: list[Shard] = []
        self._groups: list[tuple[int, int]] = []
        self._parts: list[tuple[npt.NDArray[Any], ...]] = []
        self._subsets: set[str] = set()
        self._label_counts = np.zeros(len(learner.alphabet.labels), np.int64)

    def build(self, corpora: Sequence[Corpus]) -> Table:
        wanted = (
            (number, Shard(corpus, entry["path"]), entry)
            for number, corpus in enumerate(corpora)
            for entry in corpus.manifest["shards"]
            if entry["split"] == self._config.train_split
        )
        for number, shard, read in self._read(wanted):
            if isinstance(read, SetAside):
                self._left_out.damaged.append(read)
            else:
                self._add_shard(number, shard, *read)
        self._refuse_unknown_subsets()
        table = self._table()
        for number, limit in enumerate(self._config.max_hours):
            table = self._limited(table, table.corpus == number, limit)
        return self._limited(table, np.ones(len(table), bool), self._config.max_train_hours)

    def _read(
        self, wanted: Iterator[tuple[int, Shard, dict[str, Any]]]
    ) -> Iterator[tuple[int, Shard, _Read]]:
        """The columns of shards in their order, read by threads a little ahead; those that are lost with the reason."""
        import pyarrow as pa

        def read(one: tuple[int, Shard, dict[str, Any]]) -> tuple[int, Shard, _Read]:
            number, shard, entry = one
            try:
                return number, shard, _shard_columns(shard, entry, self._config.leave_out)
            except (OSError, pa.ArrowException, KeyError) as error:
                said = str(error).splitlines()[0] if str(error) else type(error).__name__
                reason = f"the shard cannot be read ({said}); run the refresh of {shard.corpus.name} again"
                return number, shard, SetAside(shard.place, int(entry.get("rows", 0)), reason)

        with ThreadPoolExecutor(usable_cores(), "table") as pool:
            while some := list(islice(wanted, _AHEAD)):
                yield from pool.map(read, some)

    def _add_shard(self, corpus: int, shard: Shard, columns: dict[str, Any], group_rows: list[int]) -> None:
        first_group = len(self._groups)
        self._groups.extend((len(self._shards), number) for number in range(len(group_rows)))
        self._shards.append(shard)
        group = np.repeat(np.arange(len(group_rows)), group_rows) + first_group
        row = np.concatenate([np.arange(rows) for rows in group_rows] or [np.zeros(0, np.int64)])
        frames = self._frames(columns)
        taken = self._taken(columns, frames)
        self._parts.append(
            (
                group[taken],
                row[taken],
                np.full(int(taken.sum()), corpus),
                columns["duration_s"][taken],
                frames[taken],
            )
        )

    def _frames(self, columns: dict[str, Any]) -> npt.NDArray[np.int32]:
        """int32 [rows, speeds], as features of the resampled sound will have."""
        samples, rates = columns["num_samples"], columns["sample_rate_hz"]
        target = self._features.sample_rate_hz
        frames = np.zeros((len(samples), len(self._learner.speeds)), np.int32)
        for place, speed in enumerate(self._learner.speeds):
            played = rates * speed
            exact = np.floor(samples * (target / played) + 0.5).astype(np.int64)
            exact = np.where(played == target, samples, exact)
            frames[:, place] = frame_counts(exact, self._features)
        return frames

    def _taken(self, columns: dict[str, Any], frames: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
        config, seconds = self._config, columns["duration_s"]
        taken = np.ones(len(seconds), bool)

        def leave(reason: str, which: npt.NDArray[np.bool_]) -> None:
            which = which & taken
            self._left_out.add(reason, int(which.sum()), float(seconds[which].sum()))
            taken[which] = False

        subsets = columns["subset"]
        self._subsets.update(subsets.tolist())
        if config.subsets:
            leave("of an official part that is not in data.subsets", ~np.isin(subsets, config.subsets))
        if config.leave_out:
            leave(f"of the share {config.leave_out} that is left out", columns["left_out"])
        leave(f"shorter than {config.min_duration_s:g} s", seconds < config.min_duration_s)
        leave(f"longer than {config.max_duration_s:g} s", seconds > config.max_duration_s)
        texts = [text if take else "" for text, take in zip(columns["text"], taken, strict=True)]
        spelled = Spelled.of(self._learner.alphabet, texts)
        refused = spelled.refusals(np.round(frames.min(axis=1) / self._learner.tempo))
        for reason in sorted(set(refused) - {""}):
            leave(reason, refused == reason)
        self._label_counts += spelled.occurrences(taken, len(self._label_counts))
        return taken

    def _refuse_unknown_subsets(self) -> None:
        unknown = [one for one in self._config.subsets if one not in self._subsets]
        if unknown and self._subsets:
            there = ", ".join(sorted(self._subsets - {""})) or "none has a name"
            raise DataError(
                f"data.subsets: no corpus of this run has a part {unknown[0]!r} in its "
                f"{self._config.train_split} split; there are: {there}"
            )

    def _table(self) -> Table:
        groups = np.array(self._groups, np.int32).reshape(-1, 2)
        empty = (
            np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0), np.zeros((0, len(self._learner.speeds))),
        )  # fmt: skip
        group, row, corpus, seconds, frames = (
            np.concatenate(column) for column in zip(*(self._parts or [empty]), strict=True)
        )
        return Table(
            tuple(self._shards), groups[:, 0].copy(), groups[:, 1].copy(), group.astype(np.int32),
            row.astype(np.int32), corpus.astype(np.int16), seconds.astype(np.float32), frames.astype(np.int32),
            self._label_counts, self._left_out,
        )  # fmt: skip

    def _limited(self, table: Table, which: npt.NDArray[np.bool_], limit_hours: float) -> Table:
        """Evenly chosen rows of `which` up to a limit; 0 = no limit."""
        members = np.flatnonzero(which)
        hours = float(table.duration_s[members].sum(dtype=np.float64)) / 3600
        if not limit_hours or hours <= limit_hours:
            return table
        kept = evenly(members.tolist(), max(1, int(len(members) * limit_hours / hours)))
        dropped = np.setdiff1d(members, kept)
        seconds = float(table.duration_s[dropped].sum(dtype=np.float64))
        self._left_out.add(f"beyond the limit of {limit_hours:g} hours", len(dropped), seconds)
        return table.kept(np.setdiff1d(np.arange(len(table)), dropped))


def _shard_columns(
    shard: Shard, entry: dict[str, Any], leave_out: str = ""
) -> tuple[dict[str, Any], list[int]]:
    """The columns of a whole shard as arrays, and the rows of each of its row groups; `left_out` where asked for."""
    import pyarrow.parquet as pq

    stated = entry.get("bytes")
    path = shard.corpus.path / shard.path
    if stated is not None and path.is_file() and path.stat().st_size != stated:
        raise OSError(f"it has {path.stat().st_size} bytes where the manifest says {stated}")
    with pq.ParquetFile(shard.corpus.readable(shard.path, list(_COLUMNS))) as stored:
        rows = [stored.metadata.row_group(number).num_rows for number in range(stored.num_row_groups)]
        if sum(rows) != entry["rows"]:
            raise OSError(f"it has {sum(rows)} rows where the manifest says {entry['rows']}")
        read = stored.read(columns=list(_COLUMNS), use_threads=False)
    columns = {
        name: read[name].to_numpy(zero_copy_only=False) if name != "text" else read[name].to_pylist()
        for name in _COLUMNS
    }
    if leave_out:
        with pq.ParquetFile(shard.corpus.readable(shard.path, ["audio_sha256"])) as stored:
            sounds = stored.read(columns=["audio_sha256"], use_threads=False)["audio_sha256"].to_pylist()
        columns["left_out"] = in_share(sounds, leave_out)
    columns["subset"] = np.array([one or "" for one in columns["subset"]], dtype=object).astype(str)
    return columns, rows
