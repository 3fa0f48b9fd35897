"""Which files are recordings, by what they hold: suffixes are only the first guess.

Names of known suffixes are believed (who opens them finds out). Of the others the first bytes are looked at; where they
say nothing, ffprobe is asked, for a few files of each suffix only. Texts, pictures and archives are never asked.
"""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from corpora.audio import containers
from corpora.audio.film_facts import holds_sound
from corpora.errors import AudioError, SourceError
from corpora.sources.names import SOUND
from corpora.sources.source import Source

_HEAD = 4096
_ASKED_BYTES = 256 << 10  # of one file, for ffprobe
_MOST_ASKED, _IN_VAIN = 64, 3  # questions of one source, and of one suffix that was no sound
_TEXT = re.compile(
    r"\.(txt|te?xt|srt|vtt|sbv|ass|ssa|lrc|smi|csv|tsv|jsonl?|xml|toml|ya?ml|md|rst|html?|textgrid|eaf|trs|stm|ctm"
    r"|stl|ttml|dfxp|labs?|trn|mlf|scp|sgml?|log|ini|cfg|py|sh|c|h|md5|sha1|sha256|pdf|png|jpe?g|gif|npy|npz|mfc)$",
    re.IGNORECASE,
)
_AT_START = (
    b"\x1aE\xdf\xa3",  # Matroska, WebM
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",  # ASF: wma, wmv
    b"FLV\x01",
    b"wvpk",
    b"TTA1",
    b"TTA2",
    b"MAC ",
    b"caff\x00\x01",
    b"#!AMR",
    b"riff\x2e\x91\xcf\x11",  # Wave64
    b".RMF\x00\x00\x00",
    b"\x00\x00\x01\xba",  # MPEG program stream: mpg, vob
    b"Creative Voice File",
    b"DSD ",
)
_BOXES = {b"ftyp", b"moov", b"mdat", b"wide"}  # of MP4 and QuickTime
_NO_SOUND = (
    b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"%PDF", b"PK", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd",
    b"7z\xbc\xaf", b"Rar!", b"\x7fELF", b"SQLite", b"\x93NUMPY", b"PAR1", b"ARROW1", b"\x89HDF", b"BM", b"II*\x00",
    b"MM\x00*", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"MThd", b"\x80\x04", b"MZ",
)  # fmt: skip


def recordings_in(source: Source, names: Iterable[str]) -> list[str]:
    """The names, in their order, of files that hold sound."""
    found, asked, in_vain = [], 0, Counter[str]()
    for name in names:
        suffix = PurePosixPath(name).suffix.lower()
        if SOUND.search(name):
            found.append(name)
        elif not _TEXT.search(name) and in_vain[suffix] < _IN_VAIN:
            said = _by_head(source, name)
            if said is None and asked < _MOST_ASKED:
                asked += 1
                said = _by_ffprobe(source, name)
                in_vain[suffix] += not said
            if said:
                found.append(name)
    return found


def _by_head(source: Source, name: str) -> bool | None:
    """Whether the first bytes are those of sound; None where they say nothing."""
    try:
        with source.open(name) as stream:
            head = stream.read(_HEAD)
    except (SourceError, OSError, EOFError, ValueError):
        return False
    if not head or head.startswith(_NO_SOUND) or _is_text(head):
        return False
    if head.startswith(_AT_START) or head[4:8] in _BOXES or (head[:4] == b"RIFF" and head[8:12] == b"AVI "):
        return True
    if (head[0] == 0x47 and head[188:189] == b"\x47") or head[4:5] == b"\x47" == head[196:197]:
        return True  # packets of MPEG transport streams, also with their four bytes of time in front
    try:
        kind = containers.kind_of(head)
    except AudioError:
        return False
    return True if kind not in {"other", "mp3"} or head[:3] == b"ID3" else None


def _is_text(head: bytes) -> bool:
    return b"\0" not in head and sum(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in head) == 0


def _by_ffprobe(source: Source, name: str) -> bool:
    with tempfile.NamedTemporaryFile(prefix="speechmill-") as spill:
        try:
            with source.open(name) as stream:
                spill.write(stream.read(_ASKED_BYTES))
        except (SourceError, OSError, EOFError, ValueError):
            return False
        spill.flush()
        return holds_sound(Path(spill.name))
