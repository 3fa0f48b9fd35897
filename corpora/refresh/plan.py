"""The whole stage for one corpus: plan → groups (workers.py) → seal.

`plan_refresh` scans the source and cuts its units into groups by the hash of their keys, never by the number
of workers; `run_group` (groups.py) does one; `seal` (seal.py) decides what needs the whole corpus, passes the
gate and publishes. `refresh` is all of it. Finished groups are kept by a key over their content, so a killed
run goes on where it was, a changed file costs its own group, and an unchanged source is noticed before
anything is opened.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
import soundfile

from corpora.audio import fingerprint, measures
from corpora.buckets import leaves
from corpora.curation.decisions import curation_mark
from corpora.doctor import scan_or_advise
from corpora.donations.description import NAME
from corpora.donations.quarantine import check_claim, check_licence, write_draft
from corpora.importer import ImportOptions, Scan, WorkUnit
from corpora.importers import get_importer
from corpora.options import checked, recorded
from corpora.quality.thresholds import all_settings, settings_of, thresholds_of
from corpora.sources.opening import open_source, source_stamp
from corpora.sources.source import Source
from corpora.text.languages import alphabet_remark, alphabets_hash, primary
from corpora.text.normaliser import NORMALISER_VERSION
from corpora.utterance import REJECTIONS_SCHEMA, SCHEMA, SHARDS_VERSION
from corpora.versions.index import INDEX_SCHEMA
from corpora.versions.rejections import Refusals
from corpora.versions.withdrawals import withdrawn_mark
from native import Alphabet, flac
from store.errors import NotPublishedError, StoreError, UsageError
from store.opening import open_store
from store.records import Record
from store.shared.places import is_remote
from store.store import Store
from store.writing import explain_write, read_cached, read_json, write_bytes_atomic, write_json_atomic

GROUP_BYTES = 24 << 20
MAX_GROUPS = 2048
# Whose versions decide bytes, beside our own code's: what decodes, and what writes Parquet and FLAC.
_WRITERS = (
    pa.__version__,
    soundfile.__libsndfile_version__,
    f"flac {flac.ENCODER_VERSION}",
    f"shards {SHARDS_VERSION}",
)
_STALE_S = 7 * 24 * 3600
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RefreshRequest:
    """What to import from where.

    Attributes:
        name: publish under this name; None = the importer's, or the donation's.
        donation: a donation.toml that wins over the one in the archive.
        store: root of the store; None = the default one.
        workers: processes; changes nothing in the result.
        dask: address of a Dask scheduler that does the groups, or "slurm"; changes nothing in the result.
        alphabet: a file of the letters of the source's language; the store keeps it for that language.
        options: choices the importer offers, by name (see import_options.py).
        thresholds: limits that win over those of the store's settings (see thresholds.py).
    """

    importer: str
    sources: tuple[Path | str, ...]
    name: str | None = None
    donation: Path | None = None
    store: Path | None = None
    workers: int = 1
    dask: str | None = None
    alphabet: Path | None = None
    options: dict[str, Any] = field(default_factory=dict)
    thresholds: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Plan(Record):
    """`plan.json`: all that `run_group` and `seal` need to know of a refresh.

    Attributes:
        unchanged: the version that stands already; "" where there is work. facts: what the importer's scan said.
        identities: the sources as the manifest names them. units: how many. unpacked: where archives are unpacked to.
        groups: units (file), mark, key and cost of each. work_dir: the folder of this corpus's plans.
    """

    id: str = ""
    store: str = ""
    work_dir: str = ""
    name: str = ""
    unchanged: str = ""
    input_key: str = ""
    importer: str = ""
    importer_version: str = ""
    sources: list[str] = field(default_factory=list)
    thresholds: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    identities: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    units: int = 0
    unpacked: str = ""
    alphabet: str = ""
    groups: list[dict[str, Any]] = field(default_factory=list)


def read_plan(path: Path) -> Plan:
    """A plan; read once by each process, whatever the number of its groups.

    Raises:
        StoreError: missing or damaged; names the file.
    """
    try:
        status = path.stat()
    except OSError:
        return _plan(path, 0, 0)
    return _plan(path, status.st_mtime_ns, status.st_ino)


@lru_cache(maxsize=2)
def _plan(path: Path, changed_ns: int, inode: int) -> Plan:
    return Plan.from_json(read_json(path))


def input_key(request: RefreshRequest) -> str:
    """A hash of everything the result depends on, from sizes and change times: cheap.

    Raises:
        SourceError: a source is missing. UsageError: no such importer, or the donation file is missing.
    """
    importer = get_importer(request.importer)
    if request.donation is not None and not request.donation.is_file():
        raise UsageError(f"the donation file {request.donation} does not exist")
    store = open_store(request.store)
    settings = all_settings(store.settings_path)
    parts = {
        "importer": [importer.name, importer.version],
        "rules": [
            NORMALISER_VERSION,
            [alphabets_hash(store.alphabets_dir), _given(request)],
            thresholds_of(importer.name).as_dict(),
        ],
        "thresholds": [settings, request.thresholds] if any([*settings, request.thresholds]) else [],
        "measures": [measures.VERSION, fingerprint.VERSION],
        "schema": hashlib.sha256(SCHEMA.to_string().encode()).hexdigest(),
        "writers": _WRITERS,
        "donation": request.donation.read_text() if request.donation else None,
        "name": request.name,
        "options": recorded(importer, request.options),
        "source": source_stamp(request.sources),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _given(request: RefreshRequest) -> str | None:
    """The hash of the alphabet that a request names.

    Raises:
        AlphabetError: it is none; names file and line.
    """
    return None if request.alphabet is None else Alphabet.load(request.alphabet).hash


def plan_refresh(request: RefreshRequest) -> Path:
    """Scan the source and write the plan: `plan.json` with its groups, ready for `run_group` and `seal`.

    A plan for an unchanged source has no groups and names the version that stands already.

    Raises:
        UsageError, SourceError: it cannot be imported; NothingImportedError: it may not.
    """
    if request.name is not None and not NAME.fullmatch(request.name):
        raise UsageError(f"the name {request.name!r} does not match {NAME.pattern}")
    store = open_store(request.store)
    key = input_key(request)
    done = _published_before(store, key)
    if done is not None:
        known = {"name": done[0], "unchanged": done[1], "facts": {"quarantine": done[2]}, "groups": []}
        return _write_plan(store, f"{key[:16]}-unchanged", Plan.from_json(known))
    importer = get_importer(request.importer)
    unpacked = store.cache_dir / "unpacked" / key[:16]
    source = open_source(request.sources, unpacked)
    options = ImportOptions(request.name, request.donation, checked(importer, request.options))
    scan = scan_or_advise(store, importer, source, options)
    if request.alphabet is not None:
        kept = store.alphabets_dir / f"{primary(scan.facts.language)}.txt"
        with explain_write(kept):
            kept.parent.mkdir(parents=True, exist_ok=True)
            Alphabet.load(request.alphabet).save(kept)
    name = request.name or scan.facts.name
    if request.name is None:
        check_claim(store, importer.name, scan.facts, name)
    check_licence(store, scan.facts, name)
    if scan.draft:
        _log.info("a draft of donation.toml lies at %s", write_draft(store, name, scan.draft))
    thresholds = thresholds_of(importer.name, settings_of(store.settings_path, name), request.thresholds)
    said = {
        "name": name,
        "importer": importer.name,
        "importer_version": importer.version,
        "sources": [str(path if is_remote(path) else Path(path).resolve()) for path in request.sources],
        "thresholds": thresholds.as_dict(),
        "options": recorded(importer, request.options),
        "facts": _facts(scan, name),
        "identities": source.identities(),
        "notes": [*source.notes, *scan.notes, *alphabet_remark(scan.facts.language, store.alphabets_dir)],
        "units": len(scan.units),
        "unpacked": str(unpacked),
        "input_key": key,
    }
    return _write_groups(store, Plan.from_json(said), _Parts(source, scan))


@dataclass(frozen=True)
class _Parts:
    source: Source
    scan: Scan


def _facts(scan: Scan, name: str) -> dict[str, Any]:
    facts = scan.facts
    return {
        "name": name,
        "licence": facts.licence,
        "language": facts.language,
        "donor": facts.donor,
        "closed_vocabulary": facts.closed_vocabulary,
        "split_rule": facts.split_rule,
        "dev_speakers": list(facts.dev_speakers),
        "test_speakers": list(facts.test_speakers),
        "dev_share": facts.dev_share,
        "officials": dict(facts.officials),
        "expected": {part: dict(figures) for part, figures in facts.expected.items()},
        "quarantine": facts.quarantine,
        "about": dict(facts.about),
    }


def _published_before(store: Store, key: str) -> tuple[str, str, str] | None:
    """(name, version, why in quarantine) if this very input is what is published now."""
    note = store.cache_dir / "refresh" / f"{key}.json"
    said = read_cached(note)
    if not isinstance(said, dict) or not {"name", "version"} <= said.keys():
        return None
    try:
        corpus = (store.quarantined if said.get("quarantine") else store.corpus)(said["name"])
    except NotPublishedError:
        return None
    marks = [withdrawn_mark(store, corpus.name), curation_mark(store, corpus.name)]
    as_noted = [said.get("withdrawn"), said.get("curated", "")] == marks
    is_current = corpus.version == said["version"] and as_noted and corpus.is_whole()
    return (corpus.name, corpus.version, said.get("quarantine", "")) if is_current else None


def _write_groups(store: Store, plan: Plan, parts: _Parts) -> Path:
    """Cut the units into groups, write one file each, then the plan."""
    folder = _plan_dir(store, plan.name, plan.input_key[:16])
    _drop_stale(store, plan.name, folder)
    plan = plan.replaced(alphabet=alphabets_hash(store.alphabets_dir))
    groups = []
    for number, units in enumerate(_grouped(parts.scan.units)):
        path = f"units-{number:04d}.json"
        group = _described(plan, units, parts.source)
        entries = parts.source.entries(name for unit in units for name in unit.members)
        whole = [
            {**u, "members": m.members} for u, m in zip(json.loads(units_json(units)), units, strict=True)
        ]
        content = json.dumps({"units": whole, "members": entries}, ensure_ascii=False)
        write_bytes_atomic(folder / path, content.encode())
        groups.append({"units": path, **group})
    ignored: Counter[str] = Counter()
    for item in parts.scan.ignored:
        ignored[item.reason] += item.count
    if parts.source.litter:
        ignored["system file"] += parts.source.litter
    with Refusals(folder / "scan.refused", plan.name) as refusals:
        for rejection in chain(parts.scan.rejections, parts.source.rejections):
            refusals.append(rejection)
    write_json_atomic(folder / "scan.json", {"rejections": refusals.rows, "ignored": ignored})
    return _write_plan(store, folder.name, plan.replaced(groups=groups))


def units_json(units: list[WorkUnit]) -> bytes:
    """A group's units without their members, the same for the same units: part of the group's key."""
    slim = [{"key": u.key, "payload": dict(u.payload), "cost": u.cost} for u in units]
    return json.dumps(slim, sort_keys=True, ensure_ascii=False).encode()


def _described(plan: Plan, units: list[WorkUnit], source: Source) -> dict[str, Any]:
    """A group's `mark` (hash of all it is made from but its files' bytes), `key` (with their stamps), cost."""
    made_of: list[Any] = [plan.name, plan.importer, plan.importer_version, NORMALISER_VERSION]
    made_of += [plan.alphabet, plan.thresholds, hashlib.sha256(units_json(units)).hexdigest()]
    made_of += [*_WRITERS, INDEX_SCHEMA.to_string(), REJECTIONS_SCHEMA.to_string()]
    made_of += [measures.VERSION, fingerprint.VERSION]
    made_of += [source.stamp()] if any(not unit.members for unit in units) else []
    mark = hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:32]
    stamps = [source.member(name).stamp for unit in units for name in unit.members]
    key = hashlib.sha256("\n".join([mark, *stamps]).encode()).hexdigest()[:32]
    return {"mark": mark, "key": key, "cost": sum(unit.cost for unit in units)}


def _grouped(units: tuple[WorkUnit, ...]) -> Iterator[list[WorkUnit]]:
    """Units of one official split by the hash of their key into groups of about `GROUP_BYTES`, sorted by key.

    A further unit changes its own group only. Above `MAX_GROUPS` full groups the limit doubles.
    """
    limit = float(GROUP_BYTES)
    while limit * MAX_GROUPS < sum(unit.cost for unit in units):
        limit *= 2
    for split in sorted({unit.split for unit in units}):
        alike = [unit for unit in units if unit.split == split]
        for _, group in leaves(alike, lambda unit: unit.key, lambda unit: unit.cost, limit):
            yield group


def _plan_dir(store: Store, name: str, plan_id: str) -> Path:
    return store.staging_dir(f"corpora/{name}/{plan_id}")


def _drop_stale(store: Store, name: str, own: Path) -> None:
    """Remove the plans and unpacked archives that nobody has used for a week, or that say so.

    Never while a refresh of this corpus runs: after a clock was set its plan may look as old as any.
    """
    old = time.time() - _STALE_S
    with suppress(StoreError), store.lock(f"refresh-{name}", wait_s=0):
        for path in own.parent.glob("*"):
            if path != own:
                _drop_older(path, old)
    used = {str(read_cached(path).get("unpacked")) for path in _plans(store)}
    for path in (store.cache_dir / "unpacked").glob("*"):
        if str(path) not in used:
            _drop_older(path, old)


def _plans(store: Store) -> list[Path]:
    """The plans of all corpora that can be read."""
    plans = (store.root / "staging" / "corpora").glob("*/*/plan.json")
    return [path for path in plans if isinstance(read_cached(path), dict)]


def _drop_older(path: Path, time_s: float) -> None:
    with suppress(OSError):
        if path.stat().st_mtime < time_s:
            shutil.rmtree(path)


def _write_plan(store: Store, plan_id: str, plan: Plan) -> Path:
    folder = _plan_dir(store, plan.name, plan_id)
    whole = plan.replaced(id=plan_id, store=str(store.root), work_dir=str(folder.parent))
    write_json_atomic(folder / "plan.json", whole)
    return folder / "plan.json"
