"""Invented tables of Common Voice in the columns of every release, and what the importer makes of them."""

from __future__ import annotations

from pathlib import Path

from corpora.importer import Ignored, ImportOptions, RawSegment, Rejection, Scan
from corpora.importers.common_voice import CommonVoiceImporter
from corpora.sources.opening import open_source
from corpora.sources.source import Source

IMPORTER = CommonVoiceImporter()
COLUMNS = {
    "v4": "client_id path sentence up_votes down_votes age gender accent",
    "v6": "client_id path sentence up_votes down_votes age gender accent locale segment",
    "v13": "client_id path sentence up_votes down_votes age gender accents variant locale segment",
    "v17": "client_id path sentence_id sentence sentence_domain up_votes down_votes age gender accents "
    "variant locale segment",
    "v25": "client_id path sentence_id sentence sentence_domain up_votes down_votes age gender accents "
    "variant locale segment",
}
VALUES = {"up_votes": "2", "down_votes": "0", "locale": "en", "gender": "male"}


def table(rows: list[dict[str, str]], release: str = "v6") -> str:
    names = COLUMNS[release].split()
    lines = ["\t".join(names)]
    lines += ["\t".join((VALUES | row).get(name, "") for name in names) for row in rows]
    return "".join(f"{line}\n" for line in lines)


def row(clip: str, speaker: str = "ann", sentence: str = "Hello there.", **more: str) -> dict[str, str]:
    return {"client_id": speaker, "path": clip, "sentence": sentence, **more}


def tree(root: Path, files: dict[str, str], clips: list[str]) -> Source:
    for name, text in files.items() | {(f"en/clips/{clip}", "sound") for clip in clips}:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8", newline="")
    return open_source([root])


def items_of(source: Source, **options: bool) -> tuple[Scan, list[RawSegment | Rejection | Ignored]]:
    scan = IMPORTER.scan(source, ImportOptions(options=options))
    return scan, [item for unit in scan.units for item in IMPORTER.read(source, unit)]


def checks(items: list[RawSegment | Rejection | Ignored]) -> dict[str, str]:
    return {str(item.utterance_id): item.check for item in items if isinstance(item, Rejection)}
