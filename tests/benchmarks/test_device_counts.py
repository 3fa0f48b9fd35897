"""Instructions are told section by section, and what was not counted is no figure."""

from __future__ import annotations

import pytest

from benchmarks.inference.devices import sections_of


def test_every_section_gets_its_own_instructions() -> None:
    said = "a warning\n900001 1000\n900002 1500\nanother\n900003 9500\n"
    assert sections_of(said, ["start", "load", "engine"]) == {"start": 1000, "load": 500, "engine": 8000}


def test_a_section_that_was_not_marked_is_no_figure() -> None:
    with pytest.raises(ValueError, match="900002 was not marked"):
        sections_of("900001 1000\n", ["start", "load"])
