"""Everything an import would find in a source, measured in a store that goes afterwards; nothing is published.

    audit(AuditRequest(("/data/set.tar",))) -> figures; the page is written beside them where asked for

The importer that recognises the source does the work, so an audit finds what a refresh would: refused items by check,
flags, duplicates, what dev and test share with train, pace, letters. Other corpora are not compared with.
"""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpora.doctor import Aids, examine
from corpora.errors import SourceError
from corpora.refresh.plan import RefreshRequest
from corpora.refresh.stage import refresh
from corpora.text.languages import labels_for
from store.corpus import Corpus
from store.opening import open_store
from store.writing import write_bytes_atomic

_LETTERS_TOLD = 40


@dataclass(frozen=True)
class AuditRequest:
    """What to look at. `importer` None: the one that recognises the source. `work` holds the store that goes."""

    sources: tuple[Path | str, ...]
    importer: str | None = None
    donation: Path | None = None
    page: Path | None = None
    work: Path | None = None
    workers: int = 1


def audit(request: AuditRequest) -> dict[str, Any]:
    """Look at a source.

    Returns:
        source, importer, status ("fit", "refused" by the gate, "quarantined" and why), utterances, hours, speakers, items,
        rejected and flags by name, duplicates, leakage, gate, letters (all, and those outside the alphabet), notes,
        seconds, times_real_time, page.

    Raises:
        SourceError: it cannot be read, or no importer knows it. NothingImportedError: not a single item could be taken.
        UsageError: an option the importer has not.
    """
    place = (request.work or open_store(None).staging_dir("audit")) / f"audit-{time.time_ns()}"
    began = time.monotonic()
    try:
        place.mkdir(parents=True)
        importer = request.importer or _importer(request, place / "unpacked")
        result = refresh(
            RefreshRequest(
                importer=importer,
                sources=request.sources,
                name="audit",
                donation=request.donation,
                store=place / "store",
                workers=request.workers,
            )
        )
        found = _figures(result, corpus := _looked_at(result, place / "store"))
        found = {
            "source": ", ".join(_own_name(one) for one in request.sources),
            "importer": importer,
            **found,
        }
        if request.page is not None and corpus is not None:
            from corpora.report import render_corpus_report  # pandas is loaded by now, beside the workers

            page = render_corpus_report(corpus, open_store(place / "store"), found)
            write_bytes_atomic(request.page, page.encode("utf-8"))
            found["page"] = str(request.page)
        seconds = time.monotonic() - began
    finally:
        shutil.rmtree(place, ignore_errors=True)
    found["seconds"], found["times_real_time"] = round(seconds, 3), round(found["hours"] * 3600 / seconds, 1)
    return {"page": None, **found}


def _importer(request: AuditRequest, spill: Path) -> str:
    paths = [Path(str(one)) if "://" not in str(one) else one for one in request.sources]
    found = examine(paths, spill, Aids(request.donation))  # type: ignore[arg-type]  # a URL is opened as it stands
    names = [name for name, outlook in found["importers"].items() if "problem" not in outlook]
    if not names:
        problems = "; ".join(f"{name}: {one['problem']}" for name, one in found["importers"].items())
        raise SourceError(
            f"{found['source']} is of no layout that an importer knows ({problems or 'none recognises it'}); "
            "`python -m corpora doctor` says what it holds"
        )
    return str(names[0])


def _own_name(source: Path | str) -> str:
    return str(source).rstrip("/").rpartition("/")[2]


def _looked_at(result: Mapping[str, Any], root: Path) -> Corpus | None:
    """The rows, wherever a refresh leaves them: published, waiting for a licence, or refused by the gate."""
    store = open_store(root)
    if result["published"]:
        return store.corpus("audit")
    if result["status"] == "quarantined":
        return store.quarantined("audit")
    folder = Path(str(result.get("path") or root / "none"))
    return Corpus("audit", str(result["version"]), folder) if (folder / "manifest.json").is_file() else None


def _figures(result: Mapping[str, Any], corpus: Corpus | None) -> dict[str, Any]:
    status = "fit" if result["published"] else str(result["status"])
    kept = ("utterances", "hours", "speakers", "items", "rejected", "gate", "notes")
    found = {
        "status": status,
        "why": str(result.get("quarantine") or ""),
        **{key: result[key] for key in kept},
    }
    return found if corpus is None else {**found, "leakage": corpus.manifest["leakage"], **_rows(corpus)}


def _rows(corpus: Corpus) -> dict[str, Any]:
    """Flags, letters and copies, from the rows."""
    flags: Counter[str] = Counter()
    letters: Counter[str] = Counter()
    sounds: Counter[str] = Counter()
    texts: Counter[str] = Counter()
    columns = ["flags", "text_raw", "audio_sha256"]
    for split in corpus.splits:
        for batch in corpus.batches(split, columns=columns):
            for row in batch.to_pylist():
                flags.update(flag.partition(":")[0] for flag in row["flags"])
                letters.update(row["text_raw"])
                sounds[row["audio_sha256"]] += 1
                texts[row["text_raw"]] += 1
    labels = {*labels_for(corpus.manifest["language"]), " "}
    strange = {sign: n for sign, n in letters.most_common() if sign.lower() not in labels}
    return {
        "flags": dict(sorted(flags.items())),
        "duplicates": {
            "same_sound": sum(n - 1 for n in sounds.values()),
            "same_text": sum(n - 1 for n in texts.values()),
        },
        "letters": dict(letters.most_common(_LETTERS_TOLD)),
        "letters_outside_the_alphabet": dict([*strange.items()][:_LETTERS_TOLD]),
    }
