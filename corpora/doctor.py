"""Which corpus is this, and what would a refresh do? Answers from names and tables, opens no audio."""

from __future__ import annotations

import importlib.util
import logging
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from corpora.donations.quarantine import write_draft
from corpora.errors import NeedsDonationError, SourceError
from corpora.faults import fault_reason
from corpora.importer import Importer, ImportOptions, RawSegment, Scan
from corpora.importers import IMPORTERS, get_importer
from corpora.options import checked
from corpora.sources.opening import open_source
from corpora.sources.source import Member, Source
from corpora.text.draft import letters_of
from corpora.text.languages import alphabet_remark
from native.errors import SpeechmillError
from store.store import Store
from store.writing import explain_write, write_bytes_atomic


@dataclass(frozen=True)
class Aids:
    """What a person gives and wants beside the source.

    Attributes:
        donation: a donation.toml. draft_alphabet: a file to write the letters of the transcripts into.
        alphabets: folder of the store's own alphabets.
    """

    donation: Path | None = None
    draft_alphabet: Path | None = None
    alphabets: Path | None = None


def examine(paths: Sequence[Path], spill_dir: Path, aids: Aids | None = None) -> dict[str, Any]:
    """Look at a source.

    Returns:
        source, files, bytes, litter, kinds ({suffix: files}), refused (members with reasons), notes, and `importers`:
        for each one that recognises the source what a refresh would do: units, bytes, rejected, ignored, notes or
        problem. `alphabet` where a draft was asked for: path, labels, letters, rare.

    Raises:
        SourceError: the source is missing, unreadable or empty.
    """
    aids = aids or Aids()
    source = open_source(paths, spill_dir, light=True)
    members = source.members()
    drafted = {} if aids.draft_alphabet is None else {"alphabet": _draft(source, aids)}
    return {
        "source": source.label,
        "files": len(members),
        "bytes": sum(member.size for member in members),
        "litter": source.litter,
        "kinds": _kinds(members),
        "refused": [{"path": r.source_path, "reason": r.reason} for r in source.rejections],
        "notes": list(source.notes),
        "importers": {i.name: _outlook(i, source, aids) for i in _recognising(source, aids.donation)},
        **drafted,
    }


def _draft(source: Source, aids: Aids) -> dict[str, Any]:
    """Writes the alphabet of a source's transcripts, as the first importer that can read it hands them over.

    Raises:
        SourceError: no importer reads it, or there is no letter in it.
    """
    for importer in _recognising(source, aids.donation):
        with suppress(SpeechmillError):
            options = ImportOptions(donation=aids.donation, options=checked(importer, {}))
            units = importer.scan(source, options).units
            said = (
                one for unit in units for one in importer.read(source, unit) if isinstance(one, RawSegment)
            )
            letters = letters_of((segment.text_raw for segment in said), (source.label,))
            if letters is None or aids.draft_alphabet is None:
                continue
            with explain_write(aids.draft_alphabet):
                write_bytes_atomic(aids.draft_alphabet, letters.file_text().encode("utf-8"))
            labels = len(letters.alphabet().labels)
            rare = {letter: letters.counts[letter] for letter in letters.rare}
            return {
                "path": str(aids.draft_alphabet),
                "labels": labels,
                "letters": letters.total,
                "rare": rare,
            }
    raise SourceError(
        f"no importer reads a text with letters in {source.label}, so no alphabet can be drafted"
    )


def _kinds(members: Sequence[Member]) -> dict[str, int]:
    """How many files have which suffix, the most frequent first, at most eight of them."""
    suffixes = Counter(
        PurePosixPath(member.name).suffix.lower().lstrip(".") or "without suffix" for member in members
    )
    return dict(suffixes.most_common(8))


def _recognising(source: Source, donation: Path | None) -> list[Importer]:
    found = []
    for name, target in IMPORTERS.items():
        if importlib.util.find_spec(target.partition(":")[0]) is None:
            continue
        importer = get_importer(name)
        if importer.recognise(source) or (donation is not None and name == "donated"):
            found.append(importer)
    return found


def _outlook(importer: Importer, source: Source, aids: Aids) -> dict[str, Any]:
    try:
        scan = importer.scan(source, ImportOptions(donation=aids.donation, options=checked(importer, {})))
    except SpeechmillError as error:
        return {"problem": str(error)}
    except Exception as error:
        return {"problem": fault_reason(error)}
    ignored: Counter[str] = Counter()
    for item in scan.ignored:
        ignored[item.reason] += item.count
    return {
        "publishes": scan.facts.name,
        "licence": scan.facts.licence,
        "quarantine": scan.facts.quarantine,
        "units": len(scan.units),
        "bytes": int(sum(unit.cost for unit in scan.units)),
        "rejected": dict(sorted(Counter(r.check for r in scan.rejections).items())),
        "ignored": dict(sorted(ignored.items())),
        "officials": _officials(scan, source),
        "notes": [*scan.notes, *alphabet_remark(scan.facts.language, aids.alphabets)],
    }


def _officials(scan: Scan, source: Source) -> dict[str, dict[str, int]]:
    """Expected and found files of every official part that is there."""
    found: dict[str, dict[str, int]] = {}
    for part, expected in scan.facts.officials.items():
        count = len(
            [n for n in source.names_matching(rf"(^|/){part}/") if n.endswith((".flac", ".sph", ".mp3"))]
        )
        if count:
            found[part] = {"expected": expected, "found": count}
    return found


def _where(outlook: dict[str, Any]) -> str:
    if not outlook["units"] or not outlook["bytes"]:
        return "would publish nothing: no recording with a text of its own is in it"
    if outlook["quarantine"]:
        return f"would put {outlook['publishes']!r} into quarantine ({outlook['quarantine']})"
    return f"would publish {outlook['publishes']!r} under {outlook['licence']}"


def describe(found: dict[str, Any]) -> str:
    """The answer as text for people."""
    lines = [f"{found['source']}: {found['files']:,} files, {found['bytes'] / 1e6:.1f} MB"]
    lines += [f"  refused {entry['path']}: {entry['reason']}" for entry in found["refused"][:20]]
    lines += [f"  note: {note}" for note in found["notes"]]
    if not found["importers"]:
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in found["kinds"].items())
        lines.append(f"  no importer recognises it ({kinds})")
        lines.append(
            "  next: python -m corpora refresh donated --source … looks for texts by itself and drafts a donation.toml, "
            "in which to say what it cannot find (docs/donations.md)"
        )
    for name, outlook in found["importers"].items():
        if "problem" in outlook:
            lines.append(f"  {name}: {outlook['problem']}")
            continue
        lines.append(
            f"  {name}: {_where(outlook)}: "
            f"{outlook['units']} work units, {outlook['bytes'] / 1e6:.1f} MB of sound"
        )
        for part, count in outlook["officials"].items():
            if any(note.startswith(f"{part}:") for note in outlook["notes"]):
                continue
            verdict = "complete" if count["found"] == count["expected"] else "incomplete"
            lines.append(f"    {part}: {count['found']} of {count['expected']} recordings, {verdict}")
        lines += [f"    rejected {check}: {n}" for check, n in outlook["rejected"].items()]
        lines += [f"    ignored, {reason}: {n}" for reason, n in outlook["ignored"].items()]
        lines += [f"    note: {note}" for note in outlook["notes"]]
    if "alphabet" in found:
        drafted = found["alphabet"]
        rare = ", ".join(f"{sign} ({n})" for sign, n in list(drafted["rare"].items())[:20])
        lines.append(
            f"  alphabet: {drafted['labels']} labels of {drafted['letters']:,} letters in {drafted['path']}"
            + (f"; left out, please look: {rare}" if rare else "")
        )
        lines.append(f"  next: python -m corpora refresh … --alphabet {drafted['path']}")
    known = [name for name, outlook in found["importers"].items() if "problem" not in outlook]
    if len(known) > 1:
        lines.append(
            "  several corpora in one place: refresh each by its importer, the files of the others are ignored"
        )
    lines += [f"  next: python -m corpora refresh {name} --source …" for name in known]
    return "\n".join(lines)


_log = logging.getLogger(__name__)


def scan_or_advise(store: Store, importer: Importer, source: Source, options: ImportOptions) -> Scan:
    """`importer.scan`; where it finds nothing, the sentence says whose layout this is and where a draft lies.

    Raises:
        SourceError, NeedsDonationError: as the importer, with the advice.
    """
    try:
        return importer.scan(source, options)
    except SourceError as error:
        raise SourceError(_joined(str(error), _others(source, importer))) from error
    except NeedsDonationError as error:
        advice = _others(source, importer)
        if error.draft and not advice:
            place = write_draft(store, error.name, error.draft)
            advice = f"a draft to fill in and to give by --donation lies at {place}"
        raise NeedsDonationError(_joined(str(error), advice), error.name, error.draft) from error
    except SpeechmillError:
        raise
    except Exception as error:  # no traceback for a file that nobody foresaw
        raise SourceError(f"{source.label} cannot be looked through: {fault_reason(error)}") from error


def _joined(sentence: str, advice: str) -> str:
    if not advice:
        return sentence
    return (
        f"{sentence} {advice[0].upper()}{advice[1:]}" if sentence.endswith("?") else f"{sentence}; {advice}"
    )


def _others(source: Source, importer: Importer) -> str:
    """Half a sentence: the importers that know this layout, without donations, which take anything."""
    names = [
        name
        for name in IMPORTERS
        if name not in (importer.name, "donated") and get_importer(name).recognise(source)
    ]
    return f"it looks like {' and '.join(names)}: python -m corpora refresh {names[0]} …" if names else ""
