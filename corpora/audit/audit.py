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
        source, importer, status ("fit", "refused" by the gate, "quarantined"), utterances, hours, speakers, items,
        rejected and flags by name, duplicates, leakage, gate, letters (all, and those outside the alphabet), notes,
        seconds, times_real_time, page.

    Raises:
        SourceError: it cannot be read, or no importer knows it.
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
        found = _figures(result, place / "store")
        if request.page is not None and found["corpus"] is not None:
            _write_page(request.page, found["corpus"])
        seconds = time.monotonic() - began
    finally:
        shutil.rmtree(place, ignore_errors=True)
    source = ", ".join(Path(str(one)).name for one in request.sources)
    hours = found["figures"]["hours"]
    return {
        "source": source,
        "importer": importer,
        **found["figures"],
        "seconds": round(seconds, 3),
        "times_real_time": round(hours * 3600 / seconds, 1),
        "page": None if request.page is None or found["corpus"] is None else str(request.page),
    }


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


def _figures(result: Mapping[str, Any], root: Path) -> dict[str, Any]:
    store = open_store(root)
    corpus = store.corpus("audit") if result["published"] else None
    status = (
        "fit" if result["published"] else ("quarantined" if result["status"] == "quarantined" else "refused")
    )
    figures: dict[str, Any] = {
        "status": status,
        "utterances": result.get("utterances", 0),
        "hours": result.get("hours", 0.0),
        "speakers": result.get("speakers", 0),
        "items": result.get("items", {}),
        "rejected": result.get("rejected", {}),
        "gate": result.get("gate", {}),
        "notes": result.get("notes", []),
    }
    if corpus is None:
        return {"corpus": None, "figures": figures}
    manifest = corpus.manifest
    return {
        "corpus": _Kept(corpus),
        "figures": {
            **figures,
            "utterances": manifest["utterances"],
            "hours": manifest["hours"],
            "speakers": manifest["speakers"],
            "items": manifest["items"],
            "rejected": manifest["rejected"],
            "leakage": manifest["leakage"],
            **_rows(corpus),
        },
    }


class _Kept:
    """The page of a corpus whose store goes: rendered while it is there."""

    def __init__(self, corpus: Corpus) -> None:
        from corpora.report import render_corpus_report

        self.page = render_corpus_report(corpus)


def _write_page(path: Path, kept: _Kept) -> None:
    write_bytes_atomic(path, kept.page.encode("utf-8"))


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
