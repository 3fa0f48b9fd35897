"""Bytes to lines: declared, marked, detected; what cannot be decoded is told with its offset."""

from __future__ import annotations

import codecs

import pytest

from corpora.formats.cues import TranscriptError
from corpora.formats.encodings import decode_text

TEXT = "first line\ncafé “quoted” – dash\nlast"


@pytest.mark.parametrize(
    ("data", "declared", "encoding", "guessed"),
    [
        (TEXT.encode(), "auto", "utf-8", False),
        (codecs.BOM_UTF8 + TEXT.encode(), "auto", "utf-8", False),
        (codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"), "auto", "utf-16-le", False),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "cp1252", "utf-16-be", False),
        (TEXT.encode("utf-16-le"), "auto", "utf-16-le", False),
        (TEXT.encode("cp1252"), "auto", "cp1252", True),
        (TEXT.encode("cp1252"), "cp1252", "cp1252", False),
        (TEXT.replace("“quoted” –", "").encode("latin-1"), "latin-1", "latin-1", False),
        (TEXT.replace("“quoted” –", "").encode("latin-1"), "auto", "cp1252", True),
    ],
)
def test_encodings_are_detected_or_declared(data: bytes, declared: str, encoding: str, guessed: bool) -> None:
    decoded = decode_text(data, declared)
    assert (decoded.encoding, decoded.guessed) == (encoding, guessed)
    wanted = TEXT if b"\x93" in data or "quoted" in decoded.text else TEXT.replace("“quoted” –", "")
    assert decoded.text == wanted


def test_a_bad_line_in_utf8_costs_itself_and_says_its_offset() -> None:
    decoded = decode_text("é good\n".encode() + b"bad \xe9\nlast\n")
    assert [line.text for line in decoded.lines] == ["é good", None, "last"]
    assert "0xe9 at offset 12" in decoded.lines[1].problem


def test_another_alphabet_is_not_guessed_but_advised() -> None:
    decoded = decode_text("Съешь же ещё этих мягких французских булок, да выпей чаю".encode("cp1251"))
    assert decoded.lines[0].text is None
    assert "declare `encoding`" in decoded.lines[0].problem


@pytest.mark.parametrize(
    ("data", "declared"),
    [
        (codecs.BOM_UTF16_LE + b"a\x00b\x00\x00\xdc", "auto"),
        (b"abc\x81", "cp1252"),
        (b"caf\xe9", "utf-8"),
        (b"x", "klingon"),
    ],
)
def test_undecodable_bytes_are_refused(data: bytes, declared: str) -> None:
    with pytest.raises(TranscriptError) as caught:
        _ = decode_text(data, declared).text
    assert caught.value.check == "encoding"
    assert "offset" in str(caught.value) or declared in str(caught.value)


def test_line_ends_of_three_systems() -> None:
    for end in ("\n", "\r\n", "\r"):
        assert [line.text for line in decode_text(end.join(["a", "b"]).encode()).lines] == ["a", "b"]
