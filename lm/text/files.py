"""Text files of any wrapping → blocks of UTF-8 bytes, streamed, so that memory does not grow with the text.

Reads plain text, gzip, bzip2, xz, zstd, tar archives of text under any of those, and the text column of Parquet
files (all known by their first bytes, not by their names), and directories of such files. Drops byte-order
marks and Project Gutenberg's header and footer. Layout, sentences and letters: `cleaning.py`.
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from corpora.reading import open_below
from lm.errors import TextSourceError
from lm.text.tar_members import members
from native import text_lines_are_wrapped, text_names_gutenberg

BLOCK_BYTES = 2 << 20
"""How much text is cleaned at a time, in bytes."""

_LAYOUT_SAMPLE_BYTES = 1 << 16
_GIT_LFS_MARK = b"version https://git-lfs.github.com/spec/"
_PARQUET_MARK, _ZSTD_MARK = b"PAR1", b"\x28\xb5\x2f\xfd"
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# pyarrow's errors are OSError and ValueError
_DAMAGE = (EOFError, OSError, lzma.LZMAError, zlib.error, ValueError)
_GUTENBERG_START = re.compile(
    rb"^\s*\*\*\* ?START OF (?:THE|THIS) PROJECT GUTENBERG[^\n]*(?:\n[^\n]+)*?\*\*\*", re.M
)
_GUTENBERG_END = re.compile(
    rb"^\s*(?:\*\*\* ?END OF (?:THE|THIS) PROJECT GUTENBERG|End of (?:the )?Project Gutenberg)", re.M
)


@dataclass(frozen=True)
class TextBlock:
    """A piece of one document: whole lines, at most a little over `BLOCK_BYTES`.

    `wrapped` says that the document's lines were broken to a width, so that a line end is no sentence end.
    `done_bytes` is how much of its file had been read when the block was complete.
    """

    source: str
    data: bytes
    wrapped: bool
    done_bytes: int = 0


@dataclass(frozen=True)
class TextFile:
    """One file to read; `column` names the text column where it is a Parquet file (None: find it)."""

    path: Path
    column: str | None = None
    below: tuple[Path, str] | None = None  # the resolved folder it was found in, and its name there

    def open(self) -> io.BufferedReader:
        """Its bytes. Raises OSError, also where it leads out of the folder it was found in."""
        return self.path.open("rb") if self.below is None else open_below(*self.below)

    @property
    def name(self) -> str:
        """The name in counts and manifests."""
        return self.path.name if self.column is None else f"{self.path.name}:{self.column}"


def expand_paths(paths: Sequence[Path]) -> list[TextFile]:
    """Replaces directories by the files in them (sorted, hidden ones left out); keeps the order given.

    A path may end in `:column` where the file before the colon exists. Raises TextSourceError for a path that
    does not exist or a directory without files, or one with a link that leads out of it.
    """
    files: list[TextFile] = []
    for path in paths:
        before, colon, column = str(path).rpartition(":")
        if path.is_dir():
            found = sorted(_below(path))
            if not found:
                raise TextSourceError(f"text directory {path} holds no file; is it the right directory?")
            files.extend(
                TextFile(file, below=(path.resolve(), str(file.relative_to(path)))) for file in found
            )
        elif path.is_file():
            files.append(TextFile(path))
        elif colon and Path(before).is_file():
            files.append(TextFile(Path(before), column))
        else:
            raise TextSourceError(f"text file {path} does not exist; check the path")
    return files


def _below(folder: Path) -> Iterator[Path]:
    """All files below a folder that are not hidden. Raises TextSourceError for a link that leads out of it."""
    root = folder.resolve()
    for path in folder.rglob("*"):
        if path.is_symlink() and not path.resolve().is_relative_to(root):
            raise TextSourceError(
                f"{path} is a link that leads out of {folder}: name what it leads to itself, or take it away"
            )
        if path.is_file() and not path.name.startswith("."):
            yield path


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


def read_blocks(file: TextFile) -> Iterator[TextBlock]:
    """Streams every document of a file, in a fixed order, cut into blocks at paragraph or line ends.

    Raises TextSourceError naming the file (and the archive member) that is damaged or no text.
    """
    refuse_pointer(file.path)
    try:
        yield from _read_file(file)
    except _DAMAGE as error:
        raise TextSourceError(f"{file.path} cannot be read to its end ({error}); is it complete?") from error


def _read_file(file: TextFile) -> Iterator[TextBlock]:
    with file.open() as raw:
        head = raw.read(16)
        raw.seek(0)
        if head.startswith(_PARQUET_MARK):
            yield from _read_parquet(file, raw)
            return
        if file.column is not None:
            raise TextSourceError(f"{file.path} is no Parquet file, so it has no column {file.column!r}")
        stream = _decompressed(raw, head)
        documents: Iterator[tuple[str, io.BufferedReader]] = iter([(file.name, stream)])
        if _looks_like_tar(stream.peek(512)):
            documents = members(file.name, stream)
        for source, document in documents:
            for data, wrapped in _cut(source, document):
                yield TextBlock(source, data, wrapped, raw.tell())


def _decompressed(raw: io.BufferedReader, head: bytes) -> io.BufferedReader:
    """Picks the decompressor by the file's first bytes."""
    stream: object
    if head.startswith(b"\x1f\x8b"):
        stream = gzip.GzipFile(fileobj=raw)
    elif head.startswith(b"\xfd7zXZ\x00"):
        stream = lzma.LZMAFile(raw)  # noqa: SIM115 - closed with the raw file
    elif head.startswith(b"BZh"):
        stream = bz2.BZ2File(raw)
    elif head.startswith(_ZSTD_MARK):
        import pyarrow as pa

        stream = pa.CompressedInputStream(pa.PythonFile(raw, mode="r"), "zstd")
    else:
        return raw
    return io.BufferedReader(cast(io.RawIOBase, stream), buffer_size=1 << 20)


def _looks_like_tar(head: bytes) -> bool:
    return head[257:262] == b"ustar"


def _read_parquet(file: TextFile, raw: io.BufferedReader) -> Iterator[TextBlock]:
    """The values of a text column, row group by row group; every value stands for lines of its own."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.ParquetFile(raw)
    strings = [
        f.name for f in table.schema_arrow if pa.types.is_string(f.type) or pa.types.is_large_string(f.type)
    ]
    column = file.column or ("text" if "text" in strings else strings[0] if len(strings) == 1 else None)
    if column not in strings:
        wrong = f"has no text column {column!r}" if column else "has more or less than one text column"
        raise TextSourceError(
            f"{file.path} {wrong}; name one as {file.path.name}:COLUMN, there are: {', '.join(strings) or 'none'}"
        )
    values = (
        value.encode("utf-8") + b"\n\n"
        for batch in table.iter_batches(batch_size=4096, columns=[column])
        for value in batch.column(0).to_pylist()
        if value
    )
    for data, wrapped in _cut(file.name, io.BufferedReader(_Joined(values), buffer_size=1 << 20)):
        yield TextBlock(file.name, data, wrapped, raw.tell())


class _Joined(io.RawIOBase):
    """Pieces of bytes as one stream."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._rest = pieces, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fills the buffer with the next bytes; 0 at the end."""
        if not self._rest:
            self._rest = memoryview(next(self._pieces, b""))
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size


def _cut(source: str, stream: io.BufferedReader) -> Iterator[tuple[bytes, bool]]:
    """Cuts one document into blocks; the first block decides whether its lines are wrapped."""
    reader: io.BufferedReader | codecs.StreamRecoder = stream
    if stream.peek(4)[:4].startswith(_UTF16_MARKS):
        reader = codecs.EncodedFile(cast(IO[bytes], stream), "utf-8", "utf-16")
    rest, wrapped, first = b"", False, True
    while True:
        chunk = reader.read(BLOCK_BYTES)
        text = rest + chunk if rest else chunk
        if chunk and len(text) < BLOCK_BYTES:
            rest = text
            continue
        if first:
            _refuse_binary(source, text)
            text = text.removeprefix(codecs.BOM_UTF8)
            start = _gutenberg_mark(_GUTENBERG_START, text)
            text = text[start.end() :] if start else text
            wrapped, first = text_lines_are_wrapped(text[:_LAYOUT_SAMPLE_BYTES]), False
        end = _gutenberg_mark(_GUTENBERG_END, text)
        if end or not chunk:
            text = text[: end.start()] if end else text
            if text.strip():
                yield text, wrapped
            _drain(reader)
            return
        cut = _cut_place(text)
        rest = text[cut:]
        yield text[:cut], wrapped


def _gutenberg_mark(pattern: re.Pattern[bytes], text: bytes) -> re.Match[bytes] | None:
    """Looks for the name first, because a plain search costs a fiftieth of the pattern's."""
    return pattern.search(text) if text_names_gutenberg(text) else None


def _drain(reader: io.BufferedReader | codecs.StreamRecoder) -> None:
    """Reads what is left, so that damage behind the used part is still noticed."""
    while reader.read(BLOCK_BYTES):
        pass


def _refuse_binary(source: str, text: bytes) -> None:
    if b"\x00" in text[:65536]:
        raise TextSourceError(f"{source} holds zero bytes, so it is no text; leave it out or convert it")


def _cut_place(text: bytes) -> int:
    """Where to end a block: behind the last paragraph, else line, else blank, else everything."""
    half = len(text) // 2
    for marks in ((b"\n\n", b"\n\r\n"), (b"\n",), (b"\r", b" ")):
        place = max(text.rfind(mark, half) + len(mark) for mark in marks)
        if place > half:
            return place
    return len(text)
