"""Somebody's ARPA file as KenLM takes it: unpacked, line ends of one kind, tabs where they belong, counts proved.

Reads .gz, .bz2 and .xz by content. What is wrong is a sentence with its line. Probabilities are not looked at here:
KenLM reads them and `model.py` puts its complaint into a sentence.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import zlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

from lm.errors import LanguageModelUsageError, TextSourceError
from lm.kenlm import HIGHEST_ORDER, LOWEST_ORDER
from lm.text.files import refuse_pointer
from store.writing import explain_write

_CHUNK_BYTES = 1 << 24
_MOST_HEAD_BYTES = 1 << 20
_COUNT = re.compile(rb"^ngram\s+(\d+)\s*=\s*(\d+)\s*$")
_SECTION = re.compile(rb"^\\(\d+)-grams:$")
_PACKED: dict[bytes, Any] = {b"\x1f\x8b": gzip.open, b"BZ": bz2.open, b"\xfd7": lzma.open}


@dataclass
class Copied:
    """What a file holds: n-grams per order, and what had to be changed (sentences)."""

    ngrams: list[int] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)


def copy_clean(path: Path, target: Path) -> Copied:
    """Writes the file in KenLM's form.

    Raises:
        TextSourceError: it is missing, damaged, cut short, or no ARPA file; names the line.
        LanguageModelUsageError: its order is beyond what our build of KenLM holds.
    """
    refuse_pointer(path)
    with _opened(path) as source, explain_write(target), target.open("wb") as out:
        cleaner = _Cleaner(path)
        try:
            for chunk in _chunks(source):
                out.write(cleaner.take(chunk))
        except (EOFError, OSError, zlib.error, lzma.LZMAError) as error:
            raise TextSourceError(
                f"{path} is damaged or cut short: it cannot be unpacked ({error})"
            ) from None
        cleaner.finish()
    return Copied(cleaner.found, cleaner.changes())


def lower_case(path: Path) -> None:
    """Puts a clean file's words in small letters."""
    folded = path.with_name(path.name + ".lower")
    with explain_write(folded), path.open("rb") as source, folded.open("wb") as out:
        for chunk in _chunks(source):
            out.write(chunk.lower() if chunk.isascii() else chunk.decode("utf-8").lower().encode("utf-8"))
        folded.replace(path)


def stands_twice(path: Path) -> str:
    """An n-gram that a clean file lists twice, else "": KenLM would take one of its two probabilities.

    Eight bytes are held for each n-gram of an order.
    """
    hashes: array[int] = array("q")
    suspects: set[int] = set()
    for ngram in _ngrams(path):
        if ngram:
            hashes.append(hash(ngram))
            continue
        ordered = np.sort(np.frombuffer(hashes, np.int64))
        suspects |= set(ordered[1:][ordered[1:] == ordered[:-1]].tolist())
        hashes = array("q")
    seen: set[bytes] = set()
    for ngram in _ngrams(path) if suspects else ():
        if ngram in seen and ngram:
            return ngram.decode("utf-8", "replace")
        if hash(ngram) in suspects:
            seen.add(ngram)
    return ""


def _ngrams(path: Path) -> Iterator[bytes]:
    """The n-grams of a clean file, and b"" at the end of every section."""
    with path.open("rb") as source:
        for chunk in _chunks(source):
            for line in chunk.split(b"\n"):
                if line.startswith(b"\\"):
                    yield b""
                elif b"\t" in line:
                    yield line.split(b"\t", 2)[1]


def line_at(path: Path, offset: int) -> str:
    """The line of a clean file that holds a byte."""
    with path.open("rb") as file:
        start = max(0, offset - 500)
        file.seek(start)
        before, _, after = file.read(offset - start), file.seek(offset), file.readline()
    return (before.rpartition(b"\n")[2] + after).decode("utf-8", "replace").strip()[:80]


def _opened(path: Path) -> BinaryIO:
    try:
        with path.open("rb") as file:
            magic = file.read(2)
    except OSError as error:
        raise TextSourceError(f"{path} cannot be read: {error.strerror}") from None
    if magic == b"PK":
        raise TextSourceError(f"{path} is a zip: unpack it and name the ARPA file inside")
    if magic in (b"\xff\xfe", b"\xfe\xff"):
        raise TextSourceError(f"{path} is written in UTF-16: convert it, e.g. iconv -f utf-16 -t utf-8")
    if magic in _PACKED:
        return cast(BinaryIO, _PACKED[magic](path, "rb"))
    return path.open("rb")


def _chunks(source: BinaryIO) -> Iterator[bytes]:
    """The file in pieces that end at line ends; the last line gets one if it has none."""
    rest = b""
    while block := source.read(_CHUNK_BYTES):
        head, end, tail = block.rpartition(b"\n")
        if end:
            yield rest + head + end
            rest = tail
        else:
            rest += block
    if rest:
        yield rest + b"\n"


class _Cleaner:
    """Goes through the lines once: head, sections in order, end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._line = 0
        self._stated: list[int] = []
        self.found: list[int] = []
        self._place = "before"  # before, head, section, end
        self._marks: set[str] = set()
        self._behind = 0

    def take(self, chunk: bytes) -> bytes:
        """The chunk in KenLM's form."""
        if b"\r" in chunk:
            self._marks.add("line ends CRLF")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if (
            self._place == "section"
            and b"\n\n" not in chunk
            and b"\n\\" not in chunk
            and chunk[:1] not in b"\n\\"
        ):
            lines = chunk.count(b"\n")
            if chunk.count(b"\t") >= lines:
                self._line += lines
                self.found[-1] += lines
                return chunk
        out = [self._one(line) for line in chunk[:-1].split(b"\n")]
        return b"".join(line for line in out if line is not None)

    def finish(self) -> None:
        """The file is over: was it whole?"""
        if self._place == "before":
            raise TextSourceError(f"{self._path} has no line \\data\\, so it is no ARPA file")
        if self._place != "end":
            raise TextSourceError(
                f"{self._path} ends in line {self._line} without \\end\\: it was cut short; copy it again"
            )

    def changes(self) -> list[str]:
        """What was changed, for the manifest."""
        behind = [f"{self._behind:,} lines behind \\end\\ left out"] if self._behind else []
        return [f"{what} mended" for what in sorted(self._marks)] + behind

    def _one(self, line: bytes) -> bytes | None:
        self._line += 1
        if self._place == "before":
            return self._begin(line)
        if self._place == "end" or not line.strip():
            self._behind += bool(line.strip())
            return None
        if line[:1] == b"\\":
            return self._mark(line.strip())
        if self._place == "head":
            return self._count(line)
        self.found[-1] += 1
        return self._ngram(line)

    def _begin(self, line: bytes) -> bytes | None:
        if line.removeprefix(b"\xef\xbb\xbf").strip() == b"\\data\\":
            self._place = "head"
            return b"\\data\\\n"
        if self._line > 1000:
            raise TextSourceError(
                f"{self._path} has no line \\data\\ in its first 1,000, so it is no ARPA file"
            )
        return None

    def _count(self, line: bytes) -> bytes:
        match = _COUNT.match(line.strip())
        if match is None or int(match[1]) != len(self._stated) + 1:
            raise TextSourceError(
                f"{self._path} line {self._line}: {_shown(line)} is no count of {len(self._stated) + 1}-grams"
            )
        self._stated.append(int(match[2]))
        if len(self._stated) > HIGHEST_ORDER:
            raise LanguageModelUsageError(
                f"{self._path} is of order {len(self._stated)} or more; our build of KenLM holds {HIGHEST_ORDER}"
            )
        return b"ngram %d=%d\n" % (len(self._stated), self._stated[-1])

    def _mark(self, line: bytes) -> bytes:
        self._check_section()
        if line == b"\\end\\":
            if len(self.found) < len(self._stated):
                raise TextSourceError(
                    f"{self._path} line {self._line}: the end comes before the {len(self.found) + 1}-grams"
                )
            self._place = "end"
            return b"\n\\end\\\n"
        match = _SECTION.match(line)
        order = len(self.found) + 1
        if match is None or int(match[1]) != order or order > len(self._stated):
            raise TextSourceError(
                f"{self._path} line {self._line}: {_shown(line)} where \\{order}-grams: is due"
            )
        if order == 1 and len(self._stated) < LOWEST_ORDER:
            raise LanguageModelUsageError(
                f"{self._path} holds single words only; KenLM needs order {LOWEST_ORDER}"
            )
        self._place = "section"
        self.found.append(0)
        return b"\n" + line + b"\n"

    def _check_section(self) -> None:
        if self._place == "section" and self.found[-1] != self._stated[len(self.found) - 1]:
            order = len(self.found)
            raise TextSourceError(
                f"{self._path} states {self._stated[order - 1]:,} {order}-grams and holds {self.found[-1]:,} up to "
                f"line {self._line}: lines are missing or too many; copy it again"
            )

    def _ngram(self, line: bytes) -> bytes:
        """A line with tabs after the probability and before the back-off."""
        order = len(self.found)
        fields = line.split()
        if not order < len(fields) <= order + 2:
            raise TextSourceError(
                f"{self._path} line {self._line}: {_shown(line)} is no {order}-gram: a probability, {order} "
                f"word{'s' if order > 1 else ''} and perhaps a back-off"
            )
        clean = b"\t".join([fields[0], b" ".join(fields[1 : order + 1]), *fields[order + 1 :]])
        if clean != line.rstrip():
            self._marks.add("blanks in the place of tabs")
        return clean + b"\n"


def _shown(line: bytes) -> str:
    return repr(line[:60].decode("utf-8", "replace"))
