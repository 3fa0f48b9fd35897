"""What an importer is: it knows one corpus's layout, licence and official splits, and nothing else.

`scan` looks at names and small tables and cuts the source into work units; `read` parses the transcripts
of one unit and yields one item per transcript line, row or cue. An importer opens no audio, cleans no
text, decides no split of its own and writes nothing: those are the jobs of audio.py, transcript.py,
splits.py and shards.py. Every item it meets leaves it as a `RawSegment`, a `Rejection` or an `Ignored`,
so that the balance (input = accepted + rejected + ignored) can be proven.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

from corpora.buckets import leaves
from corpora.sources.source import Source
from corpora.text.normaliser import DEFAULT_POLICIES, Policies
from corpora.utterance import Rejection

__all__ = [
    "AudioRef",
    "CorpusFacts",
    "Ignored",
    "ImportOptions",
    "Importer",
    "RawSegment",
    "Rejection",
    "Scan",
    "WorkUnit",
    "bucketed",
]

Item = TypeVar("Item")
Json = Any


@dataclass(frozen=True)
class AudioRef:
    """Where the sound of one segment lies.

    Attributes:
        member: the file, by its name in the source.
        channel: from 0; side A = 0. −1 mixes all channels down (only where the donor says so).
        start_s, end_s: span in seconds; both None = the whole file.
        end_tolerance_s: how far the end may lie behind the recording's end; it is trimmed then.
        accept_checksum_mismatch: take SPHERE whose checksum does not agree, flagged.
        two_sided: the channels are the two sides of a call: their levels are compared.
        stated_s: how long the whole file should be by a table of its release; None = not stated.
        promised: (sample rate in Hz, channels) of every file of the corpus; another kind is flagged. None = any.
        track: which sound of a film, from 0; None = the only one.
    """

    member: str
    channel: int = 0
    start_s: float | None = None
    end_s: float | None = None
    end_tolerance_s: float = 0.1
    accept_checksum_mismatch: bool = False
    two_sided: bool = False
    stated_s: float | None = None
    promised: tuple[int, int] | None = None
    track: int | None = None


@dataclass(frozen=True)
class RawSegment:
    """One stretch of speech with its text, as the source tells it.

    Attributes:
        style: whose conventions `text_raw` follows: a key of `transcript.STYLES`.
        policies: what to do with partial, uncertain and unknown words.
        source_path, line: where the text stands (not the audio), for the person who must look.
        split: official split, or None = to be assigned by splits.py.
        subset: the official part (`test-clean`, `validated`), or "".
        gender: f | m | x | None.
        flags: what the importer noticed; `train_only` forbids dev and test, `speaker_unknown` implies it;
            `untimed`: the text of a whole recording, which goes to quarantine where that is too long to learn
            from at once, and always with `needs_alignment`.
        first_seen: the first release of a growing corpus that has it, of those that were given; None = not told.
    """

    utterance_id: str
    recording_id: str
    speaker_id: str
    text_raw: str
    style: str
    audio: AudioRef
    source_path: str
    line: int | None
    split: str | None
    subset: str
    gender: str | None
    language: str
    licence: str
    donor_id: str | None = None
    flags: tuple[str, ...] = ()
    policies: Policies = DEFAULT_POLICIES
    first_seen: str | None = None


@dataclass(frozen=True)
class Ignored:
    """Items that are rightly not utterances (a comment line, a gap marker), counted by reason."""

    source_path: str
    reason: str
    count: int = 1


@dataclass(frozen=True)
class WorkUnit:
    """A piece of work that can be done alone: a chapter, a recording, a slice of a table.

    Attributes:
        key: unique and stable: the same source gives the same keys, and adding a file changes few.
        payload: JSON-able facts that `read` needs.
        cost: about the bytes of audio in it; groups are balanced by it.
        members: the files `read` and the audio step will open; empty = unknown.
        split: the official split of all of its segments, or "" where they differ or have none. Units of
            different splits are never in one group, so that a group's rows need not be written twice.
    """

    key: str
    payload: Mapping[str, Json]
    cost: float
    members: tuple[str, ...] = ()
    split: str = ""


@dataclass(frozen=True)
class CorpusFacts:
    """What holds for the whole corpus.

    Attributes:
        name: the name to publish under if the person gave none.
        split_rule: "official", "speaker" (speaker-disjoint), or "utterance" (labelled: same speakers).
        dev_speakers, test_speakers: given by hand, else empty.
        dev_share: of an official train's hours that becomes dev, by whole speakers, where no dev is published; 0 = none.
        closed_vocabulary: repeated sentences are the nature of this corpus (digits, commands).
        officials: expected count per subset where the publisher states one.
        expected: figures the publisher states, by part ("all", a split, a subset) and by name
            ("recordings", "utterances", "hours"); compared after the import, printed, never fatal.
        quarantine: why the corpus must not be learnt from (no licence), or "": then it is published.
        about: what the donor says for people to read; kept in the manifest as it stands.
    """

    name: str
    licence: str
    language: str = "en"
    donor: str | None = None
    closed_vocabulary: bool = False
    split_rule: str = "official"
    dev_speakers: tuple[str, ...] = ()
    test_speakers: tuple[str, ...] = ()
    dev_share: float = 0.0
    officials: Mapping[str, int] = field(default_factory=dict)
    expected: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    quarantine: str = ""
    about: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True)
class Scan:
    """What `scan` found: units sorted by key, what it could already refuse or ignore, and remarks.

    Attributes:
        draft: a donation.toml to fill in, where the source has none that can be used; else "".
    """

    facts: CorpusFacts
    units: tuple[WorkUnit, ...]
    ignored: tuple[Ignored, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    notes: tuple[str, ...] = ()
    draft: str = ""


@dataclass(frozen=True)
class ImportOptions:
    """What the person asked for: a name to publish under, a donation file, options of this importer.

    `options` are as `import_options.checked` gives them: checked, defaults filled in.
    """

    name: str | None = None
    donation: Path | None = None
    options: Mapping[str, Json] = field(default_factory=dict)


class Importer(Protocol):
    """One corpus layout. Add a file in importers/ and one line in the registry.

    An importer may also have `options`, a tuple of `import_options.Option`, and `tells_every_file = True` where `read`
    speaks of every file of a unit itself, so that one that no item names is no transcript that fell silent.
    """

    name: str
    version: str  # raise it whenever the output for the same source changes
    summary: str  # one line for `python -m corpora list`

    def recognise(self, source: Source) -> bool:
        """Whether the names in the source look like this corpus; opens nothing big."""

    def scan(self, source: Source, options: ImportOptions) -> Scan:
        """Cut the source into work units; cheap, opens no audio.

        Raises:
            SourceError: the source does not hold this corpus.
            NothingImportedError: it may not be published (no licence).
        """

    def read(self, source: Source, unit: WorkUnit) -> Iterator[RawSegment | Rejection | Ignored]:
        """All items of one unit, in a fixed order; segments of one recording stand together."""


def bucketed(
    items: Iterable[Item], key: Callable[[Item], str], per_bucket: int = 64
) -> dict[str, Sequence[Item]]:
    """Spread items over buckets of at most `per_bucket` by the hash of their key.

    A further item goes to its own bucket and moves none of the others; only a bucket that becomes too full
    is cut in two, so one new file changes one work unit. Buckets are named `b` and the bits that their
    items' hashes begin with; items are sorted by key; empty buckets do not appear.
    """
    return {f"b{bits}": found for bits, found in leaves(items, key, lambda _: 1.0, per_bucket)}
