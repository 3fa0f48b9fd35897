"""Donors who took their recordings back: noted once, honoured by every later refresh.

`<store>/corpora/<name>/withdrawn.json` names them. The next version has none of their rows; each is counted
as a rejection `withdrawn`, without its text, and what was refused of them before has no text either. Versions that
stand already are not changed: `withdraw` names them, and the language models, runs and evaluations that were made
with them, from their own manifests.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpora.errors import NothingImportedError
from store.corpus import Corpus
from store.errors import StoreError, UsageError
from store.store import Store
from store.versions import unpublish
from store.writing import read_cached, read_json, write_json_atomic

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

CHECK = "withdrawn"
TOLD = ["source_path", "speaker_id", "donor_id"]
NOTES = ("withdrawn.json", "withdrawn.copy.json")
"""Who has withdrawn, twice: it is the one thing below a corpus that its source cannot give again."""

_log = logging.getLogger(__name__)
SAID = "refused, and its donor has withdrawn it: neither the text nor what was wrong with it is kept"


def withdrawn_donors(store: Store, name: str) -> list[str]:
    """Who has withdrawn from this corpus, sorted; ids of donors or of speakers.

    Raises:
        StoreError: the note and its copy are damaged; nothing of the corpus can be made anew until it is mended.
    """
    path, copy = (store.corpora_dir / name / note for note in NOTES)
    if not path.exists():
        return []
    for place in (path, copy):
        donors = _donors_in(place)
        if donors is not None:
            if place == copy:
                _log.warning("%s is damaged; its copy %s says who has withdrawn", path, copy.name)
            return donors
    raise StoreError(
        f"{path} is damaged, and it is the only record of who has withdrawn from {name}: bring it back from a "
        f'backup, or write it anew as {{"donors": ["…"]}}; until then no new version of {name} is made'
    )


def _donors_in(path: Path) -> list[str] | None:
    """The donors that a note names; None where it cannot be read."""
    found = read_cached(path)
    donors = found.get("donors") if isinstance(found, dict) else None
    if not isinstance(donors, list) or not all(isinstance(donor, str) for donor in donors):
        return None
    return sorted(donors)


def withdrawn_mark(store: Store, name: str) -> str:
    """A hash of who has withdrawn: a version made before somebody did is not up to date."""
    return hashlib.sha256("\n".join(withdrawn_donors(store, name)).encode()).hexdigest()[:16]


def unpublish_if_withdrawn(store: Store, name: str, rejected: Mapping[str, int]) -> None:
    """Where nothing of a corpus is left because of who withdrew, nothing of it stays in force.

    Raises:
        NothingImportedError: it was so; no version is current any more, and all stay until they are deleted.
    """
    if not rejected.get(CHECK):
        return
    unpublish(store.corpora_dir / name)
    raise NothingImportedError(
        f"nothing of {name} is left: {rejected[CHECK]} utterances were withdrawn and no other could be accepted; no "
        f"version of {name} is published any more (those there are stay until they are deleted: "
        f"python -m corpora remove {name})"
    )


def is_withdrawn(index: pd.DataFrame, donors: list[str]) -> pd.Series:
    """Which rows of an index belong to one of the donors: by `donor_id` or by `speaker_id`."""
    return index["donor_id"].isin(donors) | index["speaker_id"].isin(donors)


@dataclass(frozen=True)
class Gone:
    """Who has withdrawn, and the files in which their accepted rows stood (`source_path`, `transcript_path`)."""

    donors: list[str]
    rows: pd.DataFrame

    def files(self, rejections: Iterable[pa.Table]) -> set[str]:
        """The files in which something of theirs stands, among accepted rows and rejections (given in pieces)."""
        if not self.donors:
            return set()
        found = {*self.rows["source_path"], *self.rows["transcript_path"]}
        for piece in rejections:
            told = piece.select(TOLD).to_pandas()
            found |= {*told["source_path"][is_withdrawn(told, self.donors)]}
        return found - {None}

    def without_their_text(self, rejections: pa.Table, files: set[str]) -> pa.Table:
        """Rejections of withdrawn donors without their text and without reasons that may quote it.

        Where nobody is named, a rejection counts as theirs when it stands in one of the `files` that theirs stand in.
        """
        import pyarrow as pa

        if not self.donors:
            return rejections
        import pyarrow.compute as pc

        told = rejections.select(TOLD).to_pandas()
        theirs = is_withdrawn(told, self.donors)
        theirs |= told["speaker_id"].isna() & told["donor_id"].isna() & told["source_path"].isin(files)
        mask = pa.array(theirs, pa.bool_())
        kept = pc.equal(rejections["check"], CHECK)
        blank = {
            "text_raw": pc.if_else(mask, pa.scalar(None, pa.string()), rejections["text_raw"]),
            "reason": pc.if_else(pc.and_not(mask, kept), SAID, rejections["reason"]),
        }
        for name, column in blank.items():
            rejections = rejections.set_column(rejections.schema.get_field_index(name), name, column)
        return rejections


def withdraw(store: Store, name: str, donor: str) -> dict[str, Any]:
    """Note that a donor withdraws, and say where the recordings have gone.

    Returns:
        corpus, donor, utterances and hours of the current version that the next one will not have, `rejected`
        (how many of its rejections will lose their text),
        `versions` that hold them, `unreadable` ones that may; `language_models`, `runs` and `evaluations` made with
        the former.

    Raises:
        NotPublishedError: no such corpus. UsageError: no version knows the donor; names some who are known.
    """
    current = store.corpus(name)
    with store.lock(f"corpus-{name}"):
        holding, unreadable = {}, []
        for path in sorted((store.corpora_dir / name).glob("*/manifest.json")):
            version = path.parent.name
            if version == "current":
                continue
            try:
                holding[version] = _count(store.corpus(name, version), donor)
            except (StoreError, KeyError):  # a damaged version keeps nobody from leaving
                unreadable.append(version)
        holding = {version: counted for version, counted in holding.items() if counted[0] or counted[2]}
        donors = withdrawn_donors(store, name)
        if not holding and donor not in donors and not unreadable:
            raise UsageError(
                f"no version of {name} has a donor or speaker {donor!r}; there are: {_some(current)}"
            )
        for note in reversed(NOTES):
            write_json_atomic(store.corpora_dir / name / note, {"donors": sorted({*donors, donor})})
    utterances, seconds, rejected = holding.get(current.version, (0, 0.0, 0))
    return {
        "corpus": name,
        "donor": donor,
        "utterances": utterances,
        "hours": round(seconds / 3600, 6),
        "rejected": rejected,
        "versions": sorted(holding),
        "unreadable": unreadable,
        **made_with(store, name, set(holding)),
    }


def _count(corpus: Corpus, donor: str) -> tuple[int, float, int]:
    """(utterances, seconds, rejections with a text) of a donor in a version."""
    import pyarrow.compute as pc

    rows, seconds = 0, 0.0
    for batch in corpus.batches(columns=["donor_id", "speaker_id", "duration_s"]):
        theirs = pc.or_(_equals(batch["donor_id"], donor), _equals(batch["speaker_id"], donor))
        durations = batch["duration_s"].filter(theirs)
        rows, seconds = rows + len(durations), seconds + (pc.sum(durations).as_py() or 0.0)
    rejected = 0
    for piece in corpus.rejection_batches(["donor_id", "speaker_id", "text_raw"]):
        if "donor_id" in piece.schema.names:  # versions of earlier days do not say whose they are
            theirs = pc.or_(_equals(piece["donor_id"], donor), _equals(piece["speaker_id"], donor))
            rejected += len(piece["text_raw"].filter(theirs).drop_null())
    return rows, seconds, rejected


def _equals(column: pa.Array, value: str) -> pa.Array:

    import pyarrow.compute as pc  # a refresh that finds nothing to do needs none of it

    return pc.fill_null(pc.equal(column, value), fill_value=False)


def _some(corpus: Corpus) -> str:
    """A few donors of a corpus, or speakers where it names no donor."""
    found: set[str] = set()
    for batch in corpus.batches(columns=["donor_id", "speaker_id"]):
        named = [name for name in batch["donor_id"].unique().to_pylist() if name]
        found.update(named or batch["speaker_id"].unique().to_pylist())
    shown = ", ".join(sorted(found)[:12])
    return f"{shown} and {len(found) - 12} more" if len(found) > 12 else shown


def made_with(store: Store, name: str, versions: set[str]) -> dict[str, list[str]]:
    """What was made with some versions of a corpus, read from the manifests of language models and runs.

    Returns:
        language_models ("name version"), runs and evaluations (ids), each sorted.
    """
    models = [
        f"{path.parent.parent.name} {path.parent.name}"
        for path in store.language_models_dir.glob("*/*/manifest.json")
        if path.parent.name != "current" and _mentions(path, name, versions)
    ]
    runs = [
        path.parent.name
        for path in store.runs_dir.glob("*/inputs.json")
        if path.parent.name != "current" and _mentions(path, name, versions)
    ]
    evaluations = [
        path.parent.name
        for path in store.evaluations_dir.glob("*/evaluation.json")
        if _mentions(path, name, versions) or _run_of(path) in runs
    ]
    return {"language_models": sorted(models), "runs": sorted(runs), "evaluations": sorted(evaluations)}


def _run_of(evaluation: Path) -> str:
    try:
        return str(json.loads(evaluation.read_bytes()).get("run", ""))
    except (OSError, ValueError, AttributeError):
        return ""


def _mentions(path: Path, name: str, versions: set[str]) -> bool:
    try:
        loaded = read_json(path)
    except StoreError:
        return False
    return any(found in versions for found in _versions_of(loaded, name))


def _versions_of(value: Any, name: str) -> Iterator[str]:
    """Versions of a corpus that a manifest names: `corpus` with a version beside it, or `corpora: {name: …}`."""
    if isinstance(value, list):
        for entry in value:
            yield from _versions_of(entry, name)
    elif isinstance(value, dict):
        if value.get("corpus") == name:
            yield str(value.get("version") or value.get("corpus_version"))
        corpora = value.get("corpora")
        if isinstance(corpora, dict) and isinstance(corpora.get(name), str):
            yield corpora[name]
        for entry in value.values():
            yield from _versions_of(entry, name)
