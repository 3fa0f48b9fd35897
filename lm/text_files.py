"""Text files of any wrapping → blocks of UTF-8 bytes, streamed, so that memory does not grow with the text.

Reads plain text, gzip, bzip2, xz, zstd, and tar archives of text under any of those (known by their first
bytes, not by their names), and directories of such files. Drops byte-order marks, carriage returns and
Project Gutenberg's header and footer. Splitting and normalising: `cleaning.py`.
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import re
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import pyarrow as pa

from lm.errors import TextSourceError

BLOCK_BYTES = 2 << 20
"""How much text is cleaned at a time, in bytes."""

_LAYOUT_SAMPLE_BYTES = 1 << 16
_GIT_LFS_MARK = b"version https://git-lfs.github.com/spec/"
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_DAMAGE = (EOFError, OSError, lzma.LZMAError, zlib.error, tarfile.TarError, UnicodeError, pa.ArrowException)
_GUTENBERG_START = re.compile(
    rb"^\s*\*\*\* ?START OF (?:THE|THIS) PROJECT GUTENBERG[^\n]*(?:\n[^\n]+)*?\*\*\*", re.M
)
_GUTENBERG_END = re.compile(
    rb"^\s*(?:\*\*\* ?END OF (?:THE|THIS) PROJECT GUTENBERG|End of (?:the )?Project Gutenberg)", re.M
)
_WRAPPED_PAIR = re.compile(rb"[^.?!:;\"')\]\s]\n(?=([a-z])|\S)")
_ANY_PAIR = re.compile(rb"\S\n(?=\S)")


@dataclass(frozen=True)
class TextBlock:
    """A piece of one document: whole lines, `\\n` line ends, at most a little over `BLOCK_BYTES`.

    `wrapped` says that the document's lines were broken to a width, so that a line end is no sentence end.
    """

    source: str
    data: bytes
    wrapped: bool


def expand_paths(paths: Sequence[Path]) -> list[Path]:
    """Replaces directories by the files in them (sorted, hidden ones left out); keeps the order given.

    Raises TextSourceError for a path that does not exist or a directory without files.
    """
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            found = sorted(p for p in path.rglob("*") if p.is_file() and not p.name.startswith("."))
            if not found:
                raise TextSourceError(f"text directory {path} holds no file; is it the right directory?")
            files.extend(found)
        elif path.is_file():
            files.append(path)
        else:
            raise TextSourceError(f"text file {path} does not exist; check the path")
    return files


def refuse_pointer(path: Path) -> None:
    """Raises TextSourceError when a file is a Git LFS pointer in the place of the text."""
    try:
        with path.open("rb") as raw:
            head = raw.read(len(_GIT_LFS_MARK))
    except OSError as error:
        raise TextSourceError(
            f"text file {path} cannot be opened ({error.strerror}); check its owner"
        ) from error
    if head == _GIT_LFS_MARK:
        raise TextSourceError(
            f"{path} is a Git LFS pointer of {path.stat().st_size} bytes, not the text itself; "
            "fetch it with `git lfs pull`"
        )


def read_blocks(paths: Sequence[Path]) -> Iterator[TextBlock]:
    """Streams every document in the files, in a fixed order, cut into blocks at paragraph or line ends.

    Raises TextSourceError naming the file (and the archive member) that is damaged or no text.
    """
    for path in expand_paths(paths):
        refuse_pointer(path)
        try:
            yield from _read_file(path)
        except _DAMAGE as error:
            raise TextSourceError(f"{path} cannot be read to its end ({error}); is it complete?") from error


def _read_file(path: Path) -> Iterator[TextBlock]:
    with path.open("rb") as raw:
        head = raw.read(16)
        raw.seek(0)
        stream = _decompressed(path, raw, head)
        if _looks_like_tar(stream.peek(512)):
            yield from _read_archive(path, stream)
        else:
            yield from _read_document(path.name, stream)


def _decompressed(path: Path, raw: IO[bytes], head: bytes) -> io.BufferedReader:
    """Picks the decompressor by the file's first bytes."""
    stream: object
    if head.startswith(b"\x1f\x8b"):
        stream = gzip.GzipFile(fileobj=raw)
    elif head.startswith(b"\xfd7zXZ\x00"):
        stream = lzma.LZMAFile(raw)  # noqa: SIM115 - closed with the raw file
    elif head.startswith(b"BZh"):
        stream = bz2.BZ2File(raw)
    elif head.startswith(b"\x28\xb5\x2f\xfd"):
        stream = pa.CompressedInputStream(pa.OSFile(str(path)), "zstd")
    else:
        stream = raw
    return io.BufferedReader(cast(io.RawIOBase, stream), buffer_size=1 << 20)


def _looks_like_tar(head: bytes) -> bool:
    return head[257:262] == b"ustar"


def _read_archive(path: Path, stream: io.BufferedReader) -> Iterator[TextBlock]:
    """Reads a tar as one forward stream; members are documents, in the archive's own order."""
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for member in archive:
            if not member.isfile() or Path(member.name).name.startswith("."):
                continue
            opened = archive.extractfile(member)
            if opened is not None:
                yield from _read_document(
                    f"{path.name}!/{member.name}", io.BufferedReader(cast(io.RawIOBase, opened))
                )


def _read_document(source: str, stream: io.BufferedReader) -> Iterator[TextBlock]:
    """Cuts one document into blocks; the first block decides whether its lines are wrapped."""
    head = stream.peek(4)[:4]
    reader: io.BufferedReader | codecs.StreamRecoder = stream
    if head.startswith(_UTF16_MARKS):
        reader = codecs.EncodedFile(cast(IO[bytes], stream), "utf-8", "utf-16")
    rest, wrapped, first = b"", False, True
    while True:
        chunk = reader.read(BLOCK_BYTES)
        text = (rest + chunk).replace(b"\r\n", b"\n")
        if chunk and len(text) < BLOCK_BYTES:
            rest = text
            continue
        if first:
            _refuse_binary(source, text)
            text = text.removeprefix(codecs.BOM_UTF8)
            start = _gutenberg_mark(_GUTENBERG_START, text)
            text = text[start.end() :] if start else text
            wrapped, first = _lines_are_wrapped(text[:_LAYOUT_SAMPLE_BYTES]), False
        end = _gutenberg_mark(_GUTENBERG_END, text)
        if end or not chunk:
            text = text[: end.start()] if end else text
            if text.strip():
                yield TextBlock(source, text.replace(b"\r", b"\n"), wrapped)
            _drain(reader)
            return
        cut = _cut_place(text)
        rest = text[cut:]
        yield TextBlock(source, text[:cut].replace(b"\r", b"\n"), wrapped)


def _gutenberg_mark(pattern: re.Pattern[bytes], text: bytes) -> re.Match[bytes] | None:
    """Looks for the name first, because a plain search costs a fiftieth of the pattern's."""
    if b"PROJECT GUTENBERG" in text or b"Project Gutenberg" in text:
        return pattern.search(text)
    return None


def _drain(reader: io.BufferedReader | codecs.StreamRecoder) -> None:
    """Reads what is left, so that damage behind the used part is still noticed."""
    while reader.read(BLOCK_BYTES):
        pass


def _refuse_binary(source: str, text: bytes) -> None:
    if b"\x00" in text[:65536]:
        raise TextSourceError(f"{source} holds zero bytes, so it is no text; leave it out or convert it")


def _cut_place(text: bytes) -> int:
    """Where to end a block: behind the last paragraph, else line, else blank, else everything."""
    for mark in (b"\n\n", b"\n", b" "):
        place = text.rfind(mark, len(text) // 2)
        if place >= 0:
            return place + len(mark)
    return len(text)


def _lines_are_wrapped(sample: bytes) -> bool:
    """True when a third of the line ends inside paragraphs fall within a sentence (next line lower case)."""
    if sample.count(b".") + sample.count(b"?") + sample.count(b"!") == 0:
        return False
    pairs = len(_ANY_PAIR.findall(sample))
    broken = sum(1 for lower in _WRAPPED_PAIR.findall(sample) if lower)
    return pairs > 0 and broken * 3 > pairs
