"""Lines of a text file, decoded one by one, so that one bad line costs only itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

MOST_TEXT_BYTES = 256 << 20  # of one file whose lines are read at once
MOST_LINE_BYTES = 1 << 20  # of one line: a book's chapter has less


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line of a text file. `text` is None where it is not UTF-8; `problem` then says what and where.

    `finished` is false for a last line without its end: perhaps the file was cut short in it.
    """

    number: int
    text: str | None
    problem: str = ""
    finished: bool = True


def decode_lines(data: bytes, encoding: str = "utf-8") -> Iterator[TextLine]:
    """Lines of a text, strictly decoded one by one, so that one bad line costs only itself.

    They end with LF or CR LF, or with CR alone where the text has no LF at all.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16", errors="replace")
        for number, line in enumerate(text.splitlines(), 1):
            bad = "�" in line
            yield TextLine(number, None if bad else line, "not valid UTF-16" if bad else "")
        return
    offset = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    end = b"\r" if b"\n" not in data and b"\r" in data else b"\n"
    for number, raw in enumerate(_pieces(data, offset, end), 1):
        if len(raw) > MOST_LINE_BYTES:
            yield TextLine(number, None, f"a line of {len(raw):,} bytes, at most {MOST_LINE_BYTES:,}")
            offset += len(raw)
            continue
        try:
            text = raw.decode(encoding).rstrip("\r\n")
            yield TextLine(number, text, finished=raw.endswith(end))
        except UnicodeDecodeError as error:
            at = offset + error.start
            yield TextLine(
                number, None, f"byte 0x{raw[error.start]:02x} at offset {at} of the file is not {encoding}"
            )
        offset += len(raw)


def _pieces(data: bytes, start: int, end: bytes) -> Iterator[bytes]:
    """Lines with their ends, from an offset on."""
    while start < len(data):
        stop = data.find(end, start) + 1 or len(data)
        yield data[start:stop]
        start = stop
