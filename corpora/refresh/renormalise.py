"""A published corpus with the rules of today: text made anew from `text_raw`, sound untouched, nothing re-imported.

Every row is normalised and checked again with the figures it already has; rows whose text is refused now move to
the rejections, and rejections of text whose sound an earlier version of the corpus still holds come back. Splits
stay as they are. The same corpus and the same rules give the same version.
"""

from __future__ import annotations

import logging
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpora.audio.fingerprint import VERSION, fingerprint_of_stored
from corpora.curation.applying import CHECK as FLAGGED
from corpora.curation.applying import FLAG, normalised, renewed_row
from corpora.curation.decisions import Decision, mark_of, read_decisions, standing
from corpora.errors import GateRefusedError
from corpora.quality.gate import run_gate
from corpora.quality.leakage import share_traces
from corpora.quality.refusals import CORPUS_CHECKS
from corpora.quality.thresholds import Thresholds
from corpora.text.languages import alphabet_for
from corpora.text.normaliser import Normalised
from corpora.text.recorded_rules import TEXT_CHECKS
from corpora.versions.manifest import describe, summary_of, written
from corpora.versions.rejections import Refusals, pieces, write_sorted
from corpora.versions.shards import ShardWriter
from corpora.versions.withdrawals import CHECK, TOLD, Gone, unpublish_if_withdrawn, withdrawn_donors
from store import checksums
from store.corpus import Corpus
from store.manifests import Manifest, sealed_files
from store.store import Store
from store.versions import publish_version, version_of
from store.writing import explain_write, sha256_file, write_json_atomic

Row = dict[str, Any]
_log = logging.getLogger(__name__)
_FACTS = ("split", "subset", "speaker_id", "gender", "licence", "duration_s")
_TORN = "same_audio_other_text"
_RETURNING = TEXT_CHECKS | {FLAGGED}  # refusals that other rules, or a listener who thinks again, take back


@dataclass
class _Outcome:
    """What became of the rows."""

    shards: list[dict[str, Any]] = field(default_factory=list)
    index: list[Row] = field(default_factory=list)  # of accepted rows: what `describe` asks for
    rejections: list[Row] = field(default_factory=list)  # of rows whose text is refused now
    rejected: dict[str, int] = field(default_factory=dict)  # all of them, by check
    torn: set[str] = field(default_factory=set)  # sounds whose copies have different texts now
    donors: list[str] = field(default_factory=list)  # who has withdrawn
    decisions: dict[str, Decision] = field(default_factory=dict)  # of listeners, in force, by sound
    alphabets: Path | None = None  # the store's own
    gone: list[Row] = field(default_factory=list)  # where their rows stood
    changed: int = 0
    returned: int = 0


def renormalise(store: Store, name: str) -> dict[str, Any]:
    """Make a version of a corpus with today's rules and publish it.

    Returns:
        What `refresh --json` prints, with `changed` (texts that differ), `refused` and `returned` (rows that
        left and came back); status "published" or "unchanged".

    Raises:
        NotPublishedError: no such corpus. GateRefusedError: nothing would be left. NothingImportedError: nothing
            is left because of who has withdrawn; no version is published any more. StoreError: it is damaged.
    """
    with store.lock(f"corpus-{name}"):
        corpus = store.corpus(name)
        staged = store.staging_dir(f"renormalise/{name}") / "publish"
        with explain_write(staged):
            shutil.rmtree(staged, ignore_errors=True)
            staged.mkdir(parents=True)
        before = corpus.manifest
        outcome = _rewritten(store, corpus, staged)
        manifest = _manifest(before, staged, outcome)
        if not manifest["gate"]["passed"]:
            unpublish_if_withdrawn(store, name, manifest["rejected"])
            raise GateRefusedError(
                f"nothing of {name} would be left under the rules of today; {name} stays as it is"
            )
        write_json_atomic(staged / "manifest.json", manifest)
        unchanged = manifest["version"] == corpus.version
        folder = publish_version(store.corpora_dir / name, manifest["version"], staged)
        checksums.remember(folder, sealed_files(manifest), store.checksums_path)
        share_traces(store, store.corpus(name))
        more = {
            "changed": outcome.changed,
            "returned": outcome.returned,
            "published": True,
            "path": store.corpus(name).place,
        }
        more["refused"] = manifest["items"]["rejected"] - before["items"]["rejected"] + outcome.returned
        return {**summary_of(manifest), **more, "status": "unchanged" if unchanged else "published"}


def _rewritten(store: Store, corpus: Corpus, staged: Path) -> _Outcome:
    """Write all shards and the rejections anew below `staged`."""
    thresholds = Thresholds(**corpus.manifest["thresholds"])
    decisions = standing(read_decisions(store, corpus.name))
    donors = withdrawn_donors(store, corpus.name)
    alphabets = store.alphabets_dir
    torn = _torn(corpus, decisions, alphabets)
    outcome = _Outcome(torn=torn, donors=donors, decisions=decisions, alphabets=alphabets)
    back = _returning(store, corpus, _refused_texts(corpus))
    for shard in corpus.manifest["shards"]:
        rows = _shard_rows(corpus.file(shard["path"]))
        _write_shard(staged, shard["path"], rows, (thresholds, outcome))
    returned: set[str] = set()
    for split in sorted({row["split"] for row in back.values()}):
        accepted = []
        for row in (back[key] for key in sorted(back) if back[key]["split"] == split):
            fresh = renewed_row(row, thresholds, decisions.get(row["audio_sha256"]), alphabets)
            if isinstance(fresh, dict) and not _is_theirs(row, outcome.donors):
                accepted.append(fresh)
                returned.add(row["utterance_id"])
        if accepted:
            _write_shard(staged, _free_name(split, outcome), iter(accepted), (thresholds, outcome))
    outcome.returned = len(returned)
    _write_rejections(corpus, staged, outcome, returned)
    return outcome


def _free_name(split: str, outcome: _Outcome) -> str:
    """A shard for rows that come back, beside those that came back earlier."""
    taken = {shard["path"] for shard in outcome.shards}
    names = (f"{split}/part-returned{f'-{n}' if n else ''}.parquet" for n in range(len(taken) + 1))
    return next(name for name in names if name not in taken)


def _refused_texts(corpus: Corpus) -> set[str]:
    """The ids of rejections that other rules may take."""
    found: set[str] = set()
    for batch in corpus.rejection_batches(["utterance_id", "check"]):
        mask = pc.is_in(batch["check"], pa.array(sorted(_RETURNING)))
        found |= {*batch["utterance_id"].filter(mask).to_pylist()} - {None, ""}
    return found


def _write_rejections(corpus: Corpus, staged: Path, outcome: _Outcome, returned: set[str]) -> None:
    """The rejections before without those that came back, and the new ones, in the order of their places."""
    held, fresh = staged.parent / "held.parquet", staged.parent / "refused.parquet"
    with Refusals(held, corpus.name) as refusals:
        for batch in corpus.rejection_batches():
            for row in batch.to_pylist():
                if not (row["check"] in _RETURNING and row["utterance_id"] in returned):
                    refusals.add_row(row)
    with Refusals(fresh, corpus.name) as refusals:
        for row in outcome.rejections:
            refusals.add_row(row)
    gone = Gone(outcome.donors, pd.DataFrame(outcome.gone, columns=["source_path", "transcript_path"]))
    files = gone.files(pieces([held, fresh], TOLD) if gone.donors else ())
    outcome.rejected = write_sorted(
        staged / "rejections.parquet", [held, fresh], lambda table: gone.without_their_text(table, files)
    )
    held.unlink()
    fresh.unlink()


def _torn(corpus: Corpus, decisions: dict[str, Decision], alphabets: Path) -> set[str]:
    """Sounds that stand in the corpus more than once and whose texts are no longer the same."""
    copies: Counter[str] = Counter()
    for batch in corpus.batches(columns=["audio_sha256"]):
        copies.update(batch["audio_sha256"].to_pylist())
    texts: dict[str, set[str]] = {}
    for batch in corpus.batches(columns=["audio_sha256", "text_raw", "language", "text_rules"]):
        for row in batch.to_pylist():
            if copies[row["audio_sha256"]] > 1:
                result = normalised(row, decisions.get(row["audio_sha256"]), alphabets)
                if isinstance(result, Normalised):
                    texts.setdefault(row["audio_sha256"], set()).add(result.text)
    return {sound for sound, said in texts.items() if len(said) > 1}


def _shard_rows(path: Path) -> Iterator[Row]:
    with pq.ParquetFile(path, page_checksum_verification=True) as shard:
        for group in range(shard.num_row_groups):
            yield from shard.read_row_group(group).to_pylist()


def _returning(store: Store, corpus: Corpus, wanted: set[str]) -> dict[str, Row]:
    """Rows of earlier versions whose text was refused since, by id; the newest version that has them wins."""
    found: dict[str, Row] = {}
    versions = sorted(
        p for p in corpus.path.parent.iterdir() if (p / "manifest.json").is_file() and not p.is_symlink()
    )
    for path in versions if wanted else []:
        if path.name == corpus.version:
            continue
        older = store.corpus(corpus.name, path.name)
        if not older.is_whole():
            _log.warning("%s %s is damaged: nothing comes back from it", older.name, older.version)
            continue
        for batch in older.batches(columns=["utterance_id"]):
            if wanted & set(batch["utterance_id"].to_pylist()):
                break
        else:
            continue
        for shard in older.manifest["shards"]:
            for row in _shard_rows(older.file(shard["path"])):
                if row["utterance_id"] in wanted and row["utterance_id"] not in found:
                    found[row["utterance_id"]] = _with_print(row, older, corpus)
    return found


def _with_print(row: Row, older: Corpus, corpus: Corpus) -> Row:
    """The row with a fingerprint of the kind its corpus has now; without one where that kind is gone."""
    kind = corpus.manifest.get("fingerprint_version", 1)
    if older.manifest.get("fingerprint_version", 1) == kind:
        return row
    known = fingerprint_of_stored(row["audio"]["bytes"]) if kind == VERSION else None
    return {**row, "audio_fingerprint": known}


def _write_shard(
    staged: Path, relative: str, rows: Iterator[Row], place: tuple[Thresholds, _Outcome]
) -> None:
    """Write one shard of what is still accepted, under its old name; nothing where nothing is."""
    thresholds, outcome = place
    accepted, duration_s = 0, 0.0
    path = staged / relative
    with ShardWriter(path) as writer:
        for row in rows:
            fresh = renewed_row(
                row, thresholds, outcome.decisions.get(row["audio_sha256"]), outcome.alphabets
            )
            if not isinstance(fresh, dict) and fresh[0] == FLAGGED:
                fresh = FLAGGED, f"{fresh[1]} ({row['source_path']})"
            elif row["audio_sha256"] in outcome.torn:
                fresh = _TORN, CORPUS_CHECKS[_TORN]
            if _is_theirs(row, outcome.donors):
                outcome.gone.append(row)
                row, fresh = (
                    {**row, "text_raw": None},
                    (CHECK, f"{CORPUS_CHECKS[CHECK]} ({row['source_path']})"),
                )
            if not isinstance(fresh, dict):
                outcome.rejections.append(_rejection(row, fresh))
                continue
            outcome.changed += fresh["text"] != row["text"]
            writer.add_rows([fresh])
            facts = {key: fresh[key] for key in _FACTS}
            outcome.index.append({**facts, "flag_set": " ".join(fresh["flags"]), "late_flags": ""})
            accepted, duration_s = accepted + 1, duration_s + row["duration_s"]
    if not accepted:
        path.unlink()
        return
    size, digest = path.stat().st_size, sha256_file(path)
    shard = {
        "path": relative,
        "split": relative.partition("/")[0],
        "rows": accepted,
        "bytes": size,
        "sha256": digest,
    }
    outcome.shards.append({**shard, "hours": round(duration_s / 3600, 6)})


def _is_theirs(row: Row, donors: list[str]) -> bool:
    """Whether a row belongs to somebody who has withdrawn."""
    return row["donor_id"] in donors or row["speaker_id"] in donors


def _rejection(row: Row, refused: tuple[str, str]) -> Row:
    return {
        "corpus": row["corpus"],
        "utterance_id": row["utterance_id"],
        "source_path": row["transcript_path"],
        "line": row["transcript_line"],
        "start_s": row["source_start_s"],
        "end_s": row["source_end_s"],
        "check": refused[0],
        "reason": refused[1],
        "text_raw": row["text_raw"],
        "speaker_id": row["speaker_id"],
        "donor_id": row["donor_id"],
    }


def _manifest(before: Mapping[str, Any], staged: Path, outcome: _Outcome) -> Manifest:
    """The manifest before, with everything that follows from the texts counted anew."""
    index = pd.DataFrame(outcome.index)
    rejected = outcome.rejected
    items = {**before["items"], "accepted": len(index), "rejected": sum(rejected.values())}
    manifest = {key: value for key, value in before.items() if key not in {"version", "gate", "curation"}}
    if outcome.decisions:
        corrected = sum(FLAG in row["flag_set"].split() for row in outcome.index)
        figures = {"out": rejected.get(FLAGGED, 0), "corrected": corrected, "not_found": 0}
        manifest["curation"] = {"mark": mark_of(outcome.decisions), **figures}
    manifest |= describe(index) if len(index) else {}
    if outcome.donors and "speaker_splits" in manifest:
        placed = manifest["speaker_splits"].items()
        left = {split: [one for one in names if one not in outcome.donors] for split, names in placed}
        manifest["speaker_splits"] = {split: names for split, names in left.items() if names}
    manifest |= {"alphabet_hash": alphabet_for(before["language"], outcome.alphabets).hash, "items": items}
    manifest |= written(staged, rejected, outcome.shards)
    summary = {
        "rows": len(index),
        "unbalanced": items["input"] - items["accepted"] - items["rejected"] - items["ignored"],
    }
    sealed = {**manifest, "gate": run_gate(summary)}
    return Manifest.from_json({**sealed, "version": version_of(sealed)})
