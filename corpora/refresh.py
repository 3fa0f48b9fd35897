"""The whole stage for one corpus: plan → groups (in a process pool) → seal.

`plan_refresh` scans the source and cuts its units into groups by the hash of their keys, never by the number
of workers; `run_group` (groups.py) does one; `seal` (seal.py) decides what needs the whole corpus, passes the
gate and publishes. `refresh` is all of it. Finished groups are kept by a key over their content, so a killed
run goes on where it was, and an unchanged source is noticed before anything is opened.
"""

from __future__ import annotations

import hashlib
import json
import logging
import multiprocessing
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import soundfile

from corpora.console import Progress
from corpora.donation import NAME
from corpora.errors import CorporaError, NotPublishedError, SourceError, UsageError
from corpora.groups import run_group, units_json
from corpora.importer import Importer, ImportOptions, Rejection, Scan, WorkUnit
from corpora.importers import get_importer
from corpora.quality import Thresholds
from corpora.seal import seal
from corpora.sources import Source, open_source, source_stamp
from corpora.store import Store, explain_write, read_json, write_bytes_atomic, write_json_atomic
from corpora.transcript import NORMALISER_VERSION, default_alphabet
from corpora.utterance import SCHEMA

__all__ = ["RefreshRequest", "plan_refresh", "refresh", "run_group", "seal"]

GROUP_BYTES = 32 << 20
MAX_GROUPS = 512
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
    """

    importer: str
    sources: tuple[Path, ...]
    name: str | None = None
    donation: Path | None = None
    store: Path | None = None
    workers: int = 1
    options: dict[str, Any] = field(default_factory=dict)


def input_key(request: RefreshRequest) -> str:
    """A hash of everything the result depends on, from sizes and change times: cheap.

    Raises:
        SourceError: a source is missing. UsageError: no such importer, or the donation file is missing.
    """
    importer = get_importer(request.importer)
    if request.donation is not None and not request.donation.is_file():
        raise UsageError(f"the donation file {request.donation} does not exist")
    parts = {
        "importer": [importer.name, importer.version],
        "rules": [NORMALISER_VERSION, default_alphabet().hash, Thresholds().as_dict()],
        "schema": hashlib.sha256(SCHEMA.to_string().encode()).hexdigest(),
        "writers": [pa.__version__, soundfile.__libsndfile_version__],
        "donation": request.donation.read_text() if request.donation else None,
        "name": request.name,
        "options": request.options,
        "source": source_stamp(request.sources),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def plan_refresh(request: RefreshRequest) -> Path:
    """Scan the source and write the plan: `plan.json` with its groups, ready for `run_group` and `seal`.

    A plan for an unchanged source has no groups and names the version that stands already.

    Raises:
        UsageError, SourceError: it cannot be imported; NothingImportedError: it may not.
    """
    if request.name is not None and not NAME.fullmatch(request.name):
        raise UsageError(f"the name {request.name!r} does not match {NAME.pattern}")
    store = Store.open(request.store)
    key = input_key(request)
    done = _published_before(store, key)
    if done is not None:
        return _write_plan(store, key, {"name": done[0], "unchanged": done[1], "groups": []})
    importer = get_importer(request.importer)
    spill = store.staging_dir(f"scan-{key[:16]}") / "spill"
    source = open_source(request.sources, spill)
    options = ImportOptions(request.name, request.donation, request.options)
    scan = importer.scan(source, options)
    name = request.name or scan.facts.name
    if request.name is None:
        _check_claim(store, importer.name, name, scan.facts.donor)
    plan: dict[str, Any] = {
        "name": name,
        "importer": importer.name,
        "importer_version": importer.version,
        "sources": [str(Path(path).absolute()) for path in request.sources],
        "thresholds": Thresholds().as_dict(),
        "facts": _facts(scan, name),
        "identities": source.identities(),
        "notes": list(scan.notes),
        "units": len(scan.units),
    }
    return _write_groups(store, key, plan, _Parts(source, scan, importer))


def _check_claim(store: Store, importer: str, name: str, donor: str | None) -> None:
    """A name that comes from the source itself must not replace somebody else's corpus."""
    try:
        there = store.corpus(name).manifest
    except NotPublishedError:
        return
    if (there["importer"], there["donor"]) != (importer, donor):
        owner = there["donor"] or there["importer"]
        raise SourceError(
            f"the source calls itself {name!r}, which {owner} has published; choose a name with --as"
        )


@dataclass(frozen=True)
class _Parts:
    source: Source
    scan: Scan
    importer: Importer


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
        "officials": dict(facts.officials),
    }


def _published_before(store: Store, key: str) -> tuple[str, str] | None:
    """(name, version) if this very input is what is published now."""
    note = store.cache_dir / "refresh" / f"{key}.json"
    if not note.is_file():
        return None
    said = read_json(note)
    try:
        corpus = store.corpus(said["name"])
    except NotPublishedError:
        return None
    return (corpus.name, corpus.version) if corpus.version == said["version"] else None


def _write_groups(store: Store, key: str, plan: dict[str, Any], parts: _Parts) -> Path:
    """Cut the units into groups, write one file each, then the plan."""
    folder = _plan_dir(store, plan["name"], key)
    work_dir = folder.parent
    _drop_stale(work_dir)
    spill = store.root / "staging" / f"scan-{key[:16]}"
    with explain_write(folder):
        shutil.rmtree(folder / "spill", ignore_errors=True)
        if (spill / "spill").is_dir():
            (spill / "spill").replace(folder / "spill")
        shutil.rmtree(spill, ignore_errors=True)
    groups = []
    for number, units in enumerate(_grouped(parts.scan.units)):
        content = units_json(units)
        path = f"units-{number:04d}.json"
        write_bytes_atomic(folder / path, content)
        stamps = [_stamp(parts.source, unit) for unit in units]
        made_of = [plan["name"], parts.importer.name, parts.importer.version, NORMALISER_VERSION, stamps]
        made_of += [default_alphabet().hash, plan["thresholds"], hashlib.sha256(content).hexdigest()]
        made_of += [pa.__version__, soundfile.__libsndfile_version__, SCHEMA.to_string()]
        digest = hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()
        groups.append({"units": path, "key": digest[:32], "cost": sum(unit.cost for unit in units)})
    scanned = [r for r in parts.scan.rejections] + list(parts.source.rejections)
    ignored = [[i.source_path, i.reason, i.count] for i in parts.scan.ignored]
    if parts.source.litter:
        ignored.append(["", "system file", parts.source.litter])
    write_json_atomic(folder / "scan.json", {"rejections": [_plain(r) for r in scanned], "ignored": ignored})
    return _write_plan(store, key, {**plan, "groups": groups})


def _plain(rejection: Rejection) -> dict[str, Any]:
    return {k: v for k, v in rejection.row("").items() if k != "corpus"}


def _stamp(source: Source, unit: WorkUnit) -> str:
    if not unit.members:
        return source.stamp()
    return hashlib.sha256("\n".join(source.member(m).stamp for m in unit.members).encode()).hexdigest()


def _grouped(units: tuple[WorkUnit, ...]) -> Iterator[list[WorkUnit]]:
    """Units by the hash of their key into a power-of-two number of groups; each sorted by key."""
    total = sum(unit.cost for unit in units)
    count = 1
    while count < MAX_GROUPS and count * GROUP_BYTES < total and count < len(units):
        count *= 2
    found: dict[int, list[WorkUnit]] = {}
    for unit in sorted(units, key=lambda u: u.key):
        digest = hashlib.sha256(unit.key.encode()).digest()
        found.setdefault(int.from_bytes(digest[:8], "big") % count, []).append(unit)
    yield from (found[number] for number in sorted(found))


def _plan_dir(store: Store, name: str, key: str) -> Path:
    return store.staging_dir(f"corpora/{name}/{key[:16]}")


def _drop_stale(work_dir: Path) -> None:
    """Remove what runs of more than a week ago left behind."""
    old = time.time() - _STALE_S
    scans = work_dir.parent.parent.glob("scan-*")
    for path in [*work_dir.glob("*"), *work_dir.glob("groups/*"), *scans]:
        with suppress(OSError):
            if path.name != "groups" and path.stat().st_mtime < old:
                shutil.rmtree(path)


def _write_plan(store: Store, key: str, plan: dict[str, Any]) -> Path:
    folder = _plan_dir(store, plan["name"], key)
    whole = {
        **plan,
        "id": folder.name,
        "input_key": key,
        "store": str(store.root),
        "work_dir": str(folder.parent),
    }
    write_json_atomic(folder / "plan.json", whole)
    return folder / "plan.json"


def refresh(request: RefreshRequest) -> dict[str, Any]:
    """Plan, run all groups, seal. The answer is what `refresh --json` prints.

    Two refreshes of the same input wait for each other; the second then finds nothing to do.

    Raises:
        CorporaError: with a sentence and the exit status of the command.
    """
    if request.workers < 1:
        raise UsageError(f"{request.workers} workers; at least 1")
    store = Store.open(request.store)
    with store.lock(f"refresh-{input_key(request)[:2]}"):
        plan_path = plan_refresh(request)
        plan = read_json(plan_path)
        if plan["groups"]:
            _run_groups(plan_path, plan, request.workers)
        return seal(plan_path)


def _run_groups(plan_path: Path, plan: dict[str, Any], workers: int) -> None:
    total = sum(group["cost"] for group in plan["groups"])
    totals = {"accepted": 0, "rejected": 0, "duration_s": 0.0, "cost": 0.0}
    with Progress(plan["name"], total, "utterances") as progress:
        for result in _results(plan_path, plan, workers):
            totals["cost"] += plan["groups"][result["index"]]["cost"]
            for key in ("accepted", "rejected", "duration_s"):
                totals[key] += result[key]
            hours = totals["duration_s"] / 3600
            progress.update(totals["cost"], int(totals["accepted"]), hours, int(totals["rejected"]))


def _results(plan_path: Path, plan: dict[str, Any], workers: int) -> Iterator[dict[str, Any]]:
    count = len(plan["groups"])
    if workers == 1 or count == 1:
        yield from (run_group(plan_path, index) for index in range(count))
        return
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["corpora.groups"])
    with ProcessPoolExecutor(min(workers, count), mp_context=context) as pool:
        futures = [pool.submit(run_group, plan_path, index) for index in range(count)]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BrokenProcessPool as error:
            raise CorporaError(
                "a worker process was killed, most likely for memory; run the same command again "
                "(finished groups are kept), with fewer --workers"
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)
