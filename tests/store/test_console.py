"""What is printed cannot command a terminal, and a store that can only be read is read."""

from __future__ import annotations

import logging
import sys
import tempfile
from pathlib import Path

import pytest

from native.errors import SpeechmillError
from store.console import configure_logging, emit, in_red, printable, run_command, use_store_tmp

ATTACK = "don\x1b[2J\x07or\x9b1A\u202erev\u2028x\r"
SHOWN = "don\\x1b[2J\\x07or\\x9b1A\\u202erev\\u2028x\\x0d"


def test_what_a_terminal_would_obey_is_written_out(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert printable(ATTACK) == SHOWN
    assert printable("Zoë\tŁ\n語") == "Zoë\tŁ\n語"
    emit({}, False, ATTACK)
    assert capsys.readouterr().out == SHOWN + "\n"

    def fail() -> int:
        raise SpeechmillError(ATTACK)

    run_command(fail)
    assert capsys.readouterr().err == SHOWN + "\n"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    emit({}, False, in_red("broken"))
    assert capsys.readouterr().out == "\x1b[31mbroken\x1b[0m\n"


def test_logs_are_written_out_too(capsys: pytest.CaptureFixture[str]) -> None:
    before = logging.getLogger().handlers[:]
    try:
        configure_logging()
        logging.getLogger("test").warning("of %s", ATTACK)
    finally:
        logging.getLogger().handlers[:] = before
    assert capsys.readouterr().err.rstrip("\n").endswith(f"WARNING test: of {SHOWN}")


def test_a_store_that_can_only_be_read_needs_no_place_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TMPDIR", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", None)
    (tmp_path / "file").write_text("")
    use_store_tmp(tmp_path / "file" / "store")
    assert tempfile.tempdir is None
    use_store_tmp(tmp_path / "store")
    assert tempfile.tempdir == str(tmp_path / "tmp")
    monkeypatch.delenv("TMPDIR")
