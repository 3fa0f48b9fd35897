"""The end of a refresh: what needs the whole corpus, the gate, and publishing.

Reads the indexes of all groups, rejects duplicates, gives splits, writes one shard per group and split in the
order of the groups (or links the shard that an earlier version has of the very same rows), counts everything
again from what was written, and publishes only what balances and passes the gate. A refused corpus stays in
the staging folder with its manifest, for the report.
"""

from __future__ import annotations

import logging
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from corpora.audio import fingerprint, measures
from corpora.curation.applying import Curated, curate_index
from corpora.curation.decisions import curation_mark, read_decisions, standing
from corpora.donations.needs_alignment import collect_waiting
from corpora.donations.quarantine import area
from corpora.errors import BalanceError, NothingImportedError
from corpora.quality import leakage
from corpora.quality.checks import check_corpus, cut_texts
from corpora.quality.gate import run_gate
from corpora.quality.pace import is_unusual, pace_limits
from corpora.quality.refusals import CORPUS_CHECKS
from corpora.quality.splits import BRIDGE, Assignment, earlier_speakers, listed_speakers, shared_speakers
from corpora.quality.thresholds import Thresholds
from corpora.quality.twins import twin_verdicts
from corpora.refresh import shard_maker
from corpora.refresh.group_cache import drop_sound, find_group, prune
from corpora.refresh.groups import run_group
from corpora.refresh.plan import Plan, read_plan
from corpora.refresh.shard_maker import ShardMaker
from corpora.refresh.splitting import corpus_facts, split_rows
from corpora.text.languages import alphabet_for
from corpora.utterance import Rejection
from corpora.versions import withdrawals
from corpora.versions.index import read_index, read_rows
from corpora.versions.manifest import compare, describe, published_answer, summary_of, written
from corpora.versions.rejections import Refusals, pieces, write_sorted
from corpora.versions.withdrawals import is_withdrawn, withdrawn_donors, withdrawn_mark
from store import checksums
from store.errors import NotPublishedError, StoreError
from store.manifests import Manifest, sealed_files
from store.opening import open_store
from store.store import ALPHABETS, Store
from store.versions import publish_version, version_of
from store.writing import explain_write, read_json, write_json_atomic

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Built:
    """A corpus on disk that is not published yet."""

    folder: Path
    groups: list[Path]  # the folders it is made from
    index: pd.DataFrame  # accepted rows
    shards: list[dict[str, Any]]
    shard_keys: dict[str, str]  # shard path → what it was made of
    rejected: dict[str, int]
    ignored: dict[str, int]
    input_items: int
    assignment: Assignment
    pace_limits: tuple[float, float] | None  # letters per second, see pace.py
    curated: Curated  # what listeners decided


def seal(plan_path: Path | str) -> dict[str, Any]:
    """Finish a plan whose groups are all done; a group that the cache has lost meanwhile is done again.

    Returns:
        What `refresh --json` prints: corpus, version, path, utterances, hours, items, rejected, ignored,
        splits, published (False where the gate refused), status ("published", "unchanged", "refused"), gate.

    Raises:
        BalanceError: items got lost: a fault of ours; nothing is published.
        NothingImportedError: not a single utterance was accepted.
    """
    plan = read_plan(Path(plan_path))
    store = open_store(plan["store"])
    with store.lock(f"corpus-{plan['name']}"):
        if plan.unchanged:
            return published_answer(store, plan, "unchanged")
        built = _build(plan, Path(plan_path), _earlier(store, plan))
        manifest = _manifest(plan, built)
        _prove_balance(manifest)
        within, figures = _leakage(store, manifest, built)
        gate = run_gate({**_summary(manifest, built), **figures})
        manifest = manifest.replaced(leakage=within, gate=gate)
        waiting = collect_waiting(store, plan, manifest, (built.groups, built.folder))
        if plan.facts["quarantine"]:
            manifest = manifest.replaced(needs_alignment=waiting)
        manifest = manifest.replaced(version=version_of(manifest))
        write_json_atomic(built.folder / "manifest.json", manifest)
        try:
            return {**_finish(store, plan, manifest, built), "needs_alignment": waiting}
        except NothingImportedError as error:
            error.waits = plan["name"] if waiting else ""
            raise


def _finish(store: Store, plan: Plan, manifest: Manifest, built: _Built) -> dict[str, Any]:
    if not manifest["gate"]["passed"] and not manifest.get("needs_alignment"):
        return _refuse(store, plan, manifest, built)
    name = plan["name"]
    why = plan["facts"]["quarantine"]
    folder = publish_version(area(store, plan["facts"]) / name, manifest["version"], built.folder)
    checksums.remember(folder, sealed_files(manifest), store.checksums_path)
    if not why:
        leakage.share_traces(store, store.corpus(name))
        shard_maker.remember(store, name, manifest, built.shard_keys)
    note = {"name": name, "version": manifest["version"], "quarantine": why}
    note |= {"withdrawn": withdrawn_mark(store, name), "curated": curation_mark(store, name)}
    write_json_atomic(store.cache_dir / "refresh" / f"{plan['input_key']}.json", note)
    drop_sound(plan)
    prune(plan)
    shutil.rmtree(plan["unpacked"], ignore_errors=True)
    return published_answer(store, plan, "published")


def _refuse(store: Store, plan: Plan, manifest: Manifest, built: _Built) -> dict[str, Any]:
    """Leave the refused corpus where the report finds it."""
    refused = Path(plan["work_dir"]) / "refused"
    with explain_write(refused):
        shutil.rmtree(refused, ignore_errors=True)
        built.folder.rename(refused)
    answer = {**summary_of(manifest), "path": str(refused), "gate": manifest["gate"]}
    answer |= {"published": False, "status": "refused"}
    if not manifest["utterances"]:
        withdrawals.unpublish_if_withdrawn(store, plan["name"], manifest["rejected"])
        most = ", ".join(f"{n} {check}" for check, n in Counter(manifest["rejected"]).most_common(3))
        error = NothingImportedError(
            f"nothing in {plan['name']} could be imported ({most or 'no item at all'}); "
            f"every reason stands in {refused / 'rejections.parquet'}"
        )
        error.summary = answer
        raise error
    return answer


def _earlier(store: Store, plan: Plan) -> dict[str, str]:
    """Speakers as the current version of this corpus places them; a damaged one says nothing."""
    try:
        return earlier_speakers(store.corpus(plan["name"]).manifest)
    except NotPublishedError:
        return {}
    except StoreError as error:
        _log.warning("speakers are placed anew, for the version before cannot be read: %s", error)
        return {}


def _thresholds(plan: Plan) -> Thresholds:
    return Thresholds(**plan["thresholds"])


def _build(plan: Plan, plan_path: Path, earlier: dict[str, str]) -> _Built:
    """Decide per row, write shards and rejections under `publish` beside the plan."""
    staged = plan_path.parent / "publish"
    with explain_write(staged):
        shutil.rmtree(staged, ignore_errors=True)
        staged.mkdir(parents=True)
    groups = [_group(plan_path, plan, index) for index in range(len(plan["groups"]))]
    index = read_index(groups)
    store = open_store(plan["store"])
    donors = withdrawn_donors(store, plan["name"])
    out = is_withdrawn(index, donors)
    decisions = standing(read_decisions(store, plan["name"]))
    curated = curate_index(index, groups, decisions, _thresholds(plan), store.alphabets_dir)
    here = ~out & ~index.index.isin(list(curated.verdicts))
    verdict, repeated = check_corpus(_named(index[here]))
    judged = pd.Series(curated.verdicts, dtype=object).reindex(index.index)
    index["verdict"] = verdict.reindex(index.index).fillna(judged.where(~out)).fillna(withdrawals.CHECK)
    if plan["importer"] == "donated":
        twins = twin_verdicts(store, plan["name"], index)
        index["verdict"] = index["verdict"].where(index["verdict"] != "", twins)
    index.loc[(index["verdict"] == "") & cut_texts(index), "verdict"] = "text_cut"
    assignment = split_rows(index, groups, corpus_facts(plan["facts"]), earlier)
    index["split"] = assignment.splits
    index.loc[index["split"] == "", "verdict"] = BRIDGE
    spelled = index["flag_set"].astype(str).str.contains("numbers_spelled")
    guessed = spelled & index["split"].isin(["dev", "test"])
    index.loc[guessed, "verdict"], index.loc[guessed, "split"] = "numbers_in_test", ""
    early, late = plan_path.parent / "scan.refused", plan_path.parent / "late.refused"
    _write_late(late, plan["name"], groups, (index[index["verdict"] != ""], curated.reasons))
    limits = _flag_late(index, repeated, plan["thresholds"]["pace_fence"])
    shards = ShardMaker(plan_path, plan, staged)
    listed = shards.write(groups, index)
    scan = read_json(plan_path.parent / "scan.json")
    ignored = Counter[str](scan["ignored"])
    input_items = scan["rejections"] + ignored.total()
    for group in groups:
        counts = read_json(group / "counts.json")
        input_items += counts["input"]
        ignored.update(counts["ignored"])
    gone = withdrawals.Gone(donors, read_rows(groups, index[out], ["source_path", "transcript_path"]))
    parts = [*(group / "rejections.parquet" for group in groups), early, late]
    files = gone.files(pieces(parts, withdrawals.TOLD) if donors else ())
    rejected = write_sorted(
        staged / "rejections.parquet", parts, lambda table: gone.without_their_text(table, files)
    )
    late.unlink()
    kept = index[index["verdict"] == ""]
    return _Built(
        staged,
        groups,
        kept,
        listed,
        shards.keys,
        rejected,
        dict(sorted(ignored.items())),
        input_items,
        assignment,
        limits,
        curated,
    )


def _flag_late(index: pd.DataFrame, repeated: pd.Series, fence: float) -> tuple[float, float] | None:
    """Add the column `late_flags`: flags of rows that only the whole corpus shows. Answers the limits of pace."""
    accepted = (index["verdict"] == "").to_numpy(dtype=bool)
    paces = index["pace"].to_numpy(dtype=np.float32)
    limits = pace_limits(paces[accepted], fence)
    flags = np.where(
        repeated.reindex(index.index, fill_value=False).to_numpy(dtype=bool), "duplicate_audio", ""
    )
    unusual = accepted & is_unusual(paces, limits)
    index["late_flags"] = [
        f"{flag} unusual_pace".strip() if odd else flag for flag, odd in zip(flags, unusual, strict=True)
    ]
    return limits


def _group(plan_path: Path, plan: Plan, index: int) -> Path:
    """The folder of a finished group; done again when the cache was deleted under us."""
    if find_group(plan, index) is None:
        run_group(plan_path, index)
    found = find_group(plan, index)
    if found is None:
        raise StoreError(f"group {index} of {plan['name']} vanished from the cache; run the refresh again")
    return found


def _named(index: pd.DataFrame) -> pd.DataFrame:
    """The hashes under the names of what they stand for, as `check_corpus` asks for them."""
    names = {"utterance_id": "id_hash", "audio_sha256": "audio_hash", "text": "text_hash"}
    return pd.DataFrame({name: index[column] for name, column in names.items()})


def _write_late(
    path: Path, corpus: str, groups: list[Path], late: tuple[pd.DataFrame, dict[Any, str]]
) -> None:
    """Write what only the whole corpus shows, and what listeners decided, group by group."""
    refused, reasons = late
    columns = ["utterance_id", "source_path", "transcript_path", "transcript_line", "text_raw"]
    columns += ["speaker_id", "donor_id"]
    with Refusals(path, corpus) as refusals:
        for _, some in refused.groupby("group", sort=True):
            rows = read_rows(groups, some, columns)
            for (label, row), verdict in zip(rows.iterrows(), some["verdict"], strict=True):
                refusals.append(_late(row, verdict, _why(label, verdict, reasons)))


def _late(row: pd.Series, verdict: str, why: str) -> Rejection:
    return Rejection(
        row["transcript_path"],
        verdict,
        f"{why} ({row['source_path']})",
        row["utterance_id"],
        None if pd.isna(row["transcript_line"]) else int(row["transcript_line"]),
        text_raw=None if verdict == withdrawals.CHECK else row["text_raw"],
        speaker_id=row["speaker_id"],
        donor_id=None if pd.isna(row["donor_id"]) else row["donor_id"],
    )


def _why(label: Any, verdict: str, reasons: dict[Any, str]) -> str:
    """What a check means, unless a listener said more; nothing is repeated of what was withdrawn."""
    said = CORPUS_CHECKS.get(verdict, verdict)
    return said if verdict == withdrawals.CHECK else reasons.get(label, said)


def _manifest(plan: Plan, built: _Built) -> Manifest:
    """The manifest without gate and version. Accepted and rejected are counted from the files written."""
    facts, thresholds = plan["facts"], plan["thresholds"]
    said = {
        "kind": "corpus",
        "corpus": plan["name"],
        "importer": plan["importer"],
        "importer_version": plan["importer_version"],
        "measures_version": measures.VERSION,
        "fingerprint_version": fingerprint.VERSION,
        "alphabet_hash": alphabet_for(facts["language"], Path(plan["store"]) / ALPHABETS).hash,
        **describe(built.index),
        "language": facts["language"],
        "licence": facts["licence"],
        "donor": facts["donor"],
        "closed_vocabulary": facts["closed_vocabulary"],
        "split_rule": built.assignment.rule,
        "split_told": dict(built.assignment.told),
        "speaker_splits": listed_speakers(built.assignment),
        "expected": compare(facts["expected"], built.index),
        "officials": {k: v for k, v in facts["officials"].items() if k in set(built.index["subset"])},
        "items": {
            "input": built.input_items,
            "accepted": sum(pq.ParquetFile(built.folder / s["path"]).metadata.num_rows for s in built.shards),
            "rejected": sum(built.rejected.values()),
            "ignored": sum(built.ignored.values()),
        },
        "ignored": built.ignored,
        **written(built.folder, built.rejected, built.shards),
        "sources": plan["identities"],
        "thresholds": thresholds,
        "pace_limits": None if built.pace_limits is None else list(built.pace_limits),
        "options": plan["options"],
        "notes": plan["notes"],
        "about": facts["about"],
        "may_redistribute": facts["about"].get("may_redistribute"),
        **built.curated.manifest_entry(),
    }
    return Manifest.from_json(said)


def _leakage(store: Store, manifest: Manifest, built: _Built) -> tuple[dict[str, Any], dict[str, Any]]:
    """Measure what dev and test share with any train; answers what stands in the manifest, and the gate's figures.

    The corpus itself stands in the manifest, pairs with others in the reports: they depend on the store.
    """
    words = int(manifest.thresholds["leakage_words"])
    traces = leakage.traces_of_index(built.index, manifest)
    within = leakage.within(built.index, traces, words)
    pairs = leakage.across(store, traces, words)
    write_json_atomic(leakage.pairs_path(store, manifest.corpus), {"pairs": pairs})
    leakage.tell([{**within, "speakers": 0}, *pairs])
    return within, leakage.gate_figures(within, traces, pairs)


def _prove_balance(manifest: Manifest) -> None:
    items = manifest.item_counts
    ended = items["accepted"] + items["rejected"] + items["ignored"]
    if items["input"] != ended:
        raise BalanceError(
            f"{manifest['corpus']} does not balance: {items['input']} items went in, {ended} came out "
            f"({items['accepted']} accepted, {items['rejected']} rejected, {items['ignored']} ignored); "
            "nothing was published"
        )


def _summary(manifest: Manifest, built: _Built) -> dict[str, Any]:
    """The one-row table the gate looks at."""
    items = manifest.item_counts
    return {
        "rows": items["accepted"],
        "unbalanced": items["input"] - items["accepted"] - items["rejected"] - items["ignored"],
        "duplicate_ids": int(built.index["id_hash"].duplicated().sum()),
        "shared_speakers": None
        if built.assignment.rule == "utterance"
        else len(shared_speakers(built.index)),
        "hours": manifest["hours"],
    }
