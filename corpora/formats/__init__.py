"""The registry of transcript formats, one line each: what its files are called and which function reads them.

A reader takes the bytes of one file and gives a `Transcript`; it opens nothing else. A newcomer adds a format
with one module and one line here. `Format.kind` says whose conventions the text follows where the donor does
not say it: captions are shortened and late (`subtitle`), the others are what was said (`verbatim`).
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import cast

from corpora.faults import FAULT, fault_reason, is_of_the_machine
from corpora.formats.audacity import looks_like
from corpora.formats.caption_marks import unmarked
from corpora.formats.cues import Hints, Transcript, TranscriptError

Reader = Callable[[bytes, Hints], Transcript]


@dataclass(frozen=True)
class Format:
    """One format.

    Attributes:
        pattern: searched in the file's name.
        reader: `module:function` below this package.
        kind: "subtitle" or "verbatim".
        many: one file speaks of several recordings, by their names.
        sniff: bytes that the beginning of the file must hold (any of them); empty = the name is enough.
        looks: asks the beginning of the file, where a name says too little.
    """

    name: str
    pattern: str
    reader: str
    kind: str = "verbatim"
    many: bool = False
    sniff: tuple[bytes, ...] = ()
    looks: Callable[[bytes], bool] | None = None

    def read(self, data: bytes, hints: Hints) -> Transcript:
        """The transcript in a file.

        Raises:
            TranscriptError: nothing of it can be used.
        """
        module, _, function = self.reader.partition(":")
        reader = cast(Reader, getattr(importlib.import_module(f"corpora.formats.{module}"), function))
        try:
            transcript = reader(data, hints)
        except TranscriptError:
            raise
        except Exception as error:  # the last net: one file must not end an import
            if is_of_the_machine(error):
                raise
            raise TranscriptError(FAULT, fault_reason(error)) from error
        cues = unmarked(transcript.cues) if self.kind == "subtitle" else transcript.cues
        return replace(transcript, cues=tuple(cue.checked() for cue in cues))


_TT = (b"<tt", b":tt", b"<\0t\0t", b"\0<\0t\0t")
FORMATS = (
    Format("srt", r"\.srt$", "captions:read_srt", kind="subtitle"),
    Format("sbv", r"\.sbv$", "captions:read_sbv", kind="subtitle"),
    Format("webvtt", r"\.vtt$", "captions:read_vtt", kind="subtitle"),
    Format("ttml", r"\.(ttml|dfxp|ttaf|itt|tt)$", "ttml:read", kind="subtitle"),
    Format("ttml", r"\.xml$", "ttml:read", kind="subtitle", sniff=_TT),
    Format("ass", r"\.(ass|ssa)$", "ass:read", kind="subtitle"),
    Format("stl", r"\.stl$", "stl:read", kind="subtitle"),
    Format("textgrid", r"\.textgrid$", "textgrid:read"),
    Format("elan", r"\.eaf$", "elan:read"),
    Format("transcriber", r"\.trs$", "transcriber:read"),
    Format("ctm", r"\.ctm$", "ctm:read", many=True),
    Format("stm", r"\.stm$", "stm:read", many=True),
    Format("jsonl", r"\.(jsonl|ndjson|json)$", "json_rows:read", many=True),
    Format("table", r"\.(csv|tsv)$", "tables:read", many=True),
    Format("audacity", r"\.(labels|lab)$|(^|[/._ -])labels?( track)?[^/]*\.txt$", "audacity:read"),
    Format("audacity", r"\.txt$", "audacity:read", looks=looks_like),
    Format("plain", r"\.txt$", "plain:read"),
)
# Transcripts that must be converted outside; the advice stands in the rejection.
FOREIGN = {
    "docx": "save it as plain text (UTF-8), one recording per file",
    "doc": "save it as plain text (UTF-8), one recording per file",
    "odt": "save it as plain text (UTF-8), one recording per file",
    "rtf": "save it as plain text (UTF-8), one recording per file",
    "xlsx": "save it as CSV (UTF-8) with a line of column names",
    "xls": "save it as CSV (UTF-8) with a line of column names",
    "ods": "save it as CSV (UTF-8) with a line of column names",
    "sgml": "save its turns as STM (file channel speaker start end text)",
    "smi": "save it as SubRip (.srt)",
    "sami": "save it as SubRip (.srt)",
    "sub": "save it as SubRip (.srt)",
    "lrc": "save it as SubRip (.srt)",
    "cha": "save it as ELAN, TextGrid or SubRip (CLAN: chat2elan, chat2praat, chat2srt)",
    "rttm": "it says who speaks when and holds no words: add the text as STM or CTM",
    "pdf": "take the text it was made from, or `pdftotext -layout`, and read it through",
    "7z": "unpack it, or pack it as zip or tar",
    "rar": "unpack it, or pack it as zip or tar",
}


def format_of(name: str, head: bytes) -> Format | None:
    """The format of a file by its name and its first bytes, or None."""
    for entry in FORMATS:
        if re.search(entry.pattern, name, re.IGNORECASE) and (
            (not entry.sniff or any(sign in head for sign in entry.sniff))
            and (entry.looks is None or entry.looks(head))
        ):
            return entry
    return None


def foreign_advice(name: str) -> str | None:
    """What to do with a document that is not read here, or None."""
    return FOREIGN.get(name.rpartition(".")[2].lower())
