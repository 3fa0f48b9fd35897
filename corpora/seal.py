"""The end of a refresh: what needs the whole corpus, the gate, and publishing.

Reads the columns without sound of all groups, rejects duplicates, gives splits, writes one shard per group
and split in the order of the groups, counts everything again from what was written, and publishes only what
balances and passes the gate. A refused corpus stays in the staging folder with its manifest, for the report.
"""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from corpora.errors import BalanceError, NothingImportedError
from corpora.groups import group_dir
from corpora.importer import CorpusFacts
from corpora.manifest import describe, summary_of, version_of
from corpora.quality import CORPUS_CHECKS, check_corpus, run_gate
from corpora.shards import ShardWriter, write_rejections
from corpora.splits import Assignment, assign, leakage, shared_speakers
from corpora.store import Store, explain_write, publish_version, read_json, sha256_file, write_json_atomic
from corpora.transcript import NORMALISER_VERSION, default_alphabet
from corpora.utterance import SCHEMA, SPLITS

_INDEX = [
    "utterance_id", "split", "subset", "recording_id", "speaker_id", "gender", "licence", "duration_s",
    "text", "text_raw", "audio_sha256", "flags", "source_path", "transcript_path", "transcript_line",
]  # fmt: skip


@dataclass(frozen=True)
class _Built:
    """A corpus on disk that is not published yet."""

    folder: Path
    index: pd.DataFrame  # accepted rows
    shards: list[dict[str, Any]]
    rejections: list[dict[str, Any]]
    ignored: dict[str, int]
    input_items: int
    assignment: Assignment


def seal(plan_path: Path | str) -> dict[str, Any]:
    """Finish a plan whose groups are all done.

    Returns:
        What `refresh --json` prints: corpus, version, path, utterances, hours, items, rejected, ignored,
        splits, published (False where the gate refused), status ("published", "unchanged", "refused"), gate.

    Raises:
        BalanceError: items got lost: a fault of ours; nothing is published.
        NothingImportedError: not a single utterance was accepted.
    """
    plan = read_json(Path(plan_path))
    store = Store.open(plan["store"])
    with store.lock(f"corpus-{plan['name']}"):
        if "unchanged" in plan:
            result = _result(store, plan["name"], "unchanged")
            shutil.rmtree(Path(plan_path).parent, ignore_errors=True)
            return result
        built = _build(plan, Path(plan_path).parent)
        manifest = _manifest(plan, built)
        _prove_balance(manifest)
        manifest["gate"] = run_gate(_summary(manifest, built))
        manifest["version"] = version_of(manifest)
        write_json_atomic(built.folder / "manifest.json", manifest)
        return _finish(store, plan, manifest, built)


def _finish(store: Store, plan: dict[str, Any], manifest: dict[str, Any], built: _Built) -> dict[str, Any]:
    if not manifest["gate"]["passed"]:
        refused = Path(plan["work_dir"]) / "refused"
        with explain_write(refused):
            shutil.rmtree(refused, ignore_errors=True)
            built.folder.rename(refused)
        if not manifest["utterances"]:
            most = ", ".join(f"{n} {check}" for check, n in Counter(manifest["rejected"]).most_common(3))
            raise NothingImportedError(
                f"nothing in {plan['name']} could be imported ({most or 'no item at all'}); "
                f"every reason stands in {refused / 'rejections.parquet'}"
            )
        answer = {**summary_of(manifest), "path": str(refused), "gate": manifest["gate"]}
        return {**answer, "published": False, "status": "refused"}
    name = plan["name"]
    publish_version(store.corpora_dir / name, manifest["version"], built.folder)
    note = {"name": name, "version": manifest["version"]}
    write_json_atomic(store.cache_dir / "refresh" / f"{plan['input_key']}.json", note)
    for index in range(len(plan["groups"])):
        shutil.rmtree(group_dir(plan, index), ignore_errors=True)
    shutil.rmtree(Path(plan["work_dir"]) / plan["id"], ignore_errors=True)
    return _result(store, name, "published")


def _result(store: Store, name: str, status: str) -> dict[str, Any]:
    corpus = store.corpus(name)
    gate = corpus.manifest["gate"]
    answer = {**summary_of(corpus.manifest), "path": str(corpus.path), "gate": gate}
    return {**answer, "published": True, "status": status}


def _build(plan: dict[str, Any], folder: Path) -> _Built:
    """Decide per row, write shards and rejections under `folder/publish`."""
    staged = folder / "publish"
    with explain_write(staged):
        shutil.rmtree(staged, ignore_errors=True)
        staged.mkdir(parents=True)
    groups = [group_dir(plan, index) for index in range(len(plan["groups"]))]
    index = _read_index(groups)
    verdict, repeated = check_corpus(index)
    rejected_late = _late_rejections(plan["name"], index[verdict != ""], verdict[verdict != ""])
    index["verdict"], index["repeated"] = verdict, repeated
    kept = index[verdict == ""].copy()
    facts = _facts(plan["facts"])
    assignment = assign(kept, facts)
    kept["split"] = assignment.splits
    index["split"] = kept["split"].reindex(index.index)
    shards = _write_shards(staged, groups, index)
    scan = read_json(folder / "scan.json")
    rejections = [{"corpus": plan["name"], **row} for row in scan["rejections"]]
    ignored: Counter[str] = Counter()
    input_items = len(rejections)
    for _, reason, count in scan["ignored"]:
        ignored[reason] += count
        input_items += count
    for group in groups:
        counts = read_json(group / "counts.json")
        input_items += counts["input"]
        ignored.update(counts["ignored"])
        rejections += pq.read_table(group / "rejections.parquet").to_pylist()
    rejections += rejected_late
    rejections.sort(key=_place)
    write_rejections(staged / "rejections.parquet", rejections)
    kept["flags"] = [
        [*flags, "duplicate_audio"] if twin else list(flags)
        for flags, twin in zip(kept["flags"], kept["repeated"], strict=True)
    ]
    return _Built(staged, kept, shards, rejections, dict(sorted(ignored.items())), input_items, assignment)


def _place(row: dict[str, Any]) -> tuple[str, int, str, str]:
    return row["source_path"], row["line"] or 0, row["utterance_id"] or "", row["check"]


def _facts(values: dict[str, Any]) -> CorpusFacts:
    lists = {key: tuple(values[key]) for key in ("dev_speakers", "test_speakers")}
    return CorpusFacts(**{**values, **lists})


def _read_index(groups: list[Path]) -> pd.DataFrame:
    """All rows of all groups without their sound, with `group` and `row` to find them again."""
    frames = []
    for number, group in enumerate(groups):
        frame = pq.read_table(group / "rows.parquet", columns=_INDEX).to_pandas()
        frames.append(frame.assign(group=number, row=np.arange(len(frame))))
    whole = (
        pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=[*_INDEX, "group", "row"])
    )
    return whole.astype({"duration_s": float})


def _late_rejections(corpus: str, rows: pd.DataFrame, verdicts: pd.Series) -> list[dict[str, Any]]:
    return [
        {
            "corpus": corpus,
            "utterance_id": row["utterance_id"],
            "source_path": row["transcript_path"],
            "line": None if pd.isna(row["transcript_line"]) else int(row["transcript_line"]),
            "start_s": None,
            "end_s": None,
            "check": verdict,
            "reason": f"{CORPUS_CHECKS[verdict]} ({row['source_path']})",
            "text_raw": row["text_raw"],
        }
        for (_, row), verdict in zip(rows.iterrows(), verdicts, strict=True)
    ]


def _write_shards(staged: Path, groups: list[Path], index: pd.DataFrame) -> list[dict[str, Any]]:
    """One shard per group and split, rows in the group's order; answers the manifest's list."""
    shards: list[dict[str, Any]] = []
    numbers: Counter[str] = Counter()
    for number, group in enumerate(groups):
        rows = index[index["group"] == number].sort_values("row")
        for split in SPLITS:
            wanted = (rows["split"] == split).to_numpy()
            if not wanted.any():
                continue
            relative = f"{split}/part-{numbers[split]:05d}.parquet"
            numbers[split] += 1
            with ShardWriter(staged / relative) as writer:
                _copy_rows(group / "rows.parquet", writer, split, (wanted, rows["repeated"].to_numpy()))
            hours = round(writer.duration_s / 3600, 6)
            shards.append(
                {
                    "path": relative,
                    "split": split,
                    "rows": writer.rows,
                    "hours": hours,
                    "bytes": (staged / relative).stat().st_size,
                    "sha256": sha256_file(staged / relative),
                }
            )
    return sorted(shards, key=lambda shard: (SPLITS.index(shard["split"]), shard["path"]))


def _copy_rows(path: Path, writer: ShardWriter, split: str, marks: tuple[Any, Any]) -> None:
    """Copy the wanted rows of a group's file, with their split and the flag of repeated sound."""
    wanted, repeated = marks
    at = 0
    with pq.ParquetFile(path) as source:
        for number in range(source.num_row_groups):
            table = source.read_row_group(number)
            here = slice(at, at + table.num_rows)
            at += table.num_rows
            if not wanted[here].any():
                continue
            flags = [
                [*kept, "duplicate_audio"] if twin else kept
                for kept, twin in zip(table["flags"].to_pylist(), repeated[here], strict=True)
            ]
            table = table.set_column(
                SCHEMA.get_field_index("split"), "split", pa.array([split] * table.num_rows)
            )
            table = table.set_column(
                SCHEMA.get_field_index("flags"),
                SCHEMA.field("flags"),
                pa.array(flags, SCHEMA.field("flags").type),
            )
            for batch in table.filter(pa.array(wanted[here])).cast(SCHEMA).combine_chunks().to_batches():
                writer.add_batch(batch)


def _manifest(plan: dict[str, Any], built: _Built) -> dict[str, Any]:
    """The manifest without gate and version. Accepted and rejected are counted from the files written."""
    facts, thresholds = plan["facts"], plan["thresholds"]
    path = built.folder / "rejections.parquet"
    rejected = Counter(pq.read_table(path, columns=["check"])["check"].to_pylist())
    return {
        "kind": "corpus",
        "corpus": plan["name"],
        "importer": plan["importer"],
        "importer_version": plan["importer_version"],
        "normaliser_version": NORMALISER_VERSION,
        "alphabet_hash": default_alphabet().hash,
        **describe(built.index),
        "language": facts["language"],
        "licence": facts["licence"],
        "donor": facts["donor"],
        "closed_vocabulary": facts["closed_vocabulary"],
        "split_rule": built.assignment.rule,
        "officials": {k: v for k, v in facts["officials"].items() if k in set(built.index["subset"])},
        "items": {
            "input": built.input_items,
            "accepted": sum(pq.ParquetFile(built.folder / s["path"]).metadata.num_rows for s in built.shards),
            "rejected": sum(rejected.values()),
            "ignored": sum(built.ignored.values()),
        },
        "rejected": dict(sorted(rejected.items())),
        "ignored": built.ignored,
        "shards": built.shards,
        "rejections": {"path": path.name, "sha256": sha256_file(path), "rows": sum(rejected.values())},
        "sources": plan["identities"],
        "thresholds": thresholds,
        "leakage": leakage(built.index, int(thresholds["leakage_words"])),
        "notes": plan["notes"],
    }


def _prove_balance(manifest: dict[str, Any]) -> None:
    items = manifest["items"]
    ended = items["accepted"] + items["rejected"] + items["ignored"]
    if items["input"] != ended:
        raise BalanceError(
            f"{manifest['corpus']} does not balance: {items['input']} items went in, {ended} came out "
            f"({items['accepted']} accepted, {items['rejected']} rejected, {items['ignored']} ignored); "
            "nothing was published"
        )


def _summary(manifest: dict[str, Any], built: _Built) -> dict[str, Any]:
    """The one-row table the gate looks at."""
    items = manifest["items"]
    return {
        "rows": items["accepted"],
        "unbalanced": items["input"] - items["accepted"] - items["rejected"] - items["ignored"],
        "duplicate_ids": int(built.index["utterance_id"].duplicated().sum()),
        "shared_speakers": None
        if built.assignment.rule == "utterance"
        else len(shared_speakers(built.index)),
        "hours": manifest["hours"],
    }
