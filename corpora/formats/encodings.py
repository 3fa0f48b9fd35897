"""Bytes of donated text files to lines, strictly: what cannot be read is said with its offset, never replaced.

Order: a byte order mark, the declared encoding, UTF-8, UTF-16 without a mark (every second byte zero), then
cp1252 with a mark that it was guessed. A guess is only made where no line is UTF-8 with letters beyond ASCII
(else the bad lines are damage) and where most letters are plain (else it is another alphabet).
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass, replace

from corpora.formats.cues import TranscriptError
from corpora.sources.lines import TextLine

AUTO = "auto"
GUESS = "cp1252"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
MOST_LINES = 400_000  # of one text: all its lines are held at once
_MOST_FOREIGN = 0.34  # share of bytes beyond ASCII among letters, above which western text is unlikely


@dataclass(frozen=True)
class Decoded:
    """Lines of a file, what they were read as, and whether that was a guess."""

    lines: tuple[TextLine, ...]
    encoding: str
    guessed: bool = False
    unfinished: bool = False  # the last line has no end: perhaps the file was cut short

    @property
    def text(self) -> str:
        """All lines; only where every line could be read.

        Raises:
            TranscriptError: one could not; gives its offset.
        """
        for line in self.lines:
            if line.text is None:
                raise TranscriptError("encoding", line.problem, line.number)
        return "\n".join(line.text or "" for line in self.lines)


def decode_text(data: bytes, declared: str = AUTO) -> Decoded:
    """Lines of a text file; a line that does not decode has text None and a problem with its offset.

    Raises:
        TranscriptError: UTF-16 or UTF-32 that is damaged (lines mean nothing then), an unknown encoding, or more lines
            than `MOST_LINES`.
    """
    lines = max(data.count(b"\n"), data.count(b"\r"))
    if lines > MOST_LINES:
        reason = f"{lines:,} lines, at most {MOST_LINES:,}: split it into several files"
        raise TranscriptError("transcript_too_big", reason)
    decoded = _decoded(data, declared)
    return replace(decoded, unfinished=bool(data) and not data.rstrip(b"\0").endswith((b"\n", b"\r")))


def _decoded(data: bytes, declared: str) -> Decoded:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _whole_or_lines(data, encoding, len(mark))
    if declared != AUTO:
        try:
            codecs.lookup(declared)
        except LookupError as error:
            raise TranscriptError("encoding", f"there is no encoding {declared!r}") from error
        return _whole_or_lines(data, declared, 0)
    wide = _wide(data)
    if wide:
        return _whole_or_lines(data, wide, 0)
    return _western(data)


def _whole_or_lines(data: bytes, encoding: str, skip: int) -> Decoded:
    if not encoding.startswith(("utf-16", "utf-32", "utf_16", "utf_32", "utf16", "utf32")):
        return Decoded(_lines(data[skip:], encoding, skip), encoding)
    try:
        text = data[skip:].decode(encoding)
    except UnicodeDecodeError as error:
        raise TranscriptError(
            "encoding",
            f"byte 0x{data[skip + error.start]:02x} at offset {skip + error.start} is not {encoding}",
        ) from error
    lines = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")
    return Decoded(tuple(TextLine(n, line) for n, line in enumerate(lines, 1)), encoding)


def _lines(data: bytes, encoding: str, at: int) -> tuple[TextLine, ...]:
    found = []
    for number, raw in enumerate(_split(data), 1):
        try:
            found.append(TextLine(number, raw.decode(encoding).rstrip("\r\n")))
        except UnicodeDecodeError as error:
            where = f"byte 0x{raw[error.start]:02x} at offset {at + error.start} of the file"
            found.append(TextLine(number, None, f"{where} is not {encoding}"))
        at += len(raw)
    return tuple(found)


def _split(data: bytes) -> list[bytes]:
    """Lines with their ends: LF, CRLF, or bare CR where there is no LF at all (old Macintosh)."""
    end = b"\r" if b"\n" not in data and b"\r" in data else b"\n"
    pieces = data.split(end)
    return [piece + end for piece in pieces[:-1]] + ([pieces[-1]] if pieces[-1] else [])


def _wide(data: bytes) -> str:
    """UTF-16 without a mark: almost every second byte is zero."""
    head = data[:512]
    if len(head) < 8 or len(data) % 2:
        return ""
    even, odd = head[0::2].count(0) / (len(head) / 2), head[1::2].count(0) / (len(head) / 2)
    return "utf-16-le" if odd > 0.7 and even < 0.1 else "utf-16-be" if even > 0.7 and odd < 0.1 else ""


def _western(data: bytes) -> Decoded:
    utf8 = _lines(data, "utf-8", 0)
    if all(line.text is not None for line in utf8):
        return Decoded(utf8, "utf-8")
    if any(line.text is not None and not line.text.isascii() for line in utf8):
        return Decoded(utf8, "utf-8")
    high = sum(byte > 0x7F for byte in data)
    letters = high + sum(bytes((byte,)).isalpha() for byte in data)
    if high > _MOST_FOREIGN * letters:
        return Decoded(tuple(_foreign(line, data) for line in utf8), "utf-8")
    guessed = _lines(data, GUESS, 0)
    return Decoded(guessed, GUESS, guessed=True)


def _foreign(line: TextLine, data: bytes) -> TextLine:
    if line.text is not None:
        return line
    from charset_normalizer import from_bytes

    best = from_bytes(data[:65536]).best()
    advice = f"; it may be {best.encoding}: declare `encoding` in donation.toml" if best else ""
    return TextLine(line.number, None, line.problem + advice)
