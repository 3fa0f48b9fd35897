"""Donors' patterns run with a time limit in a child of their own."""

from __future__ import annotations

import pytest

from corpora.donations.patterns import compile_error, search_all
from corpora.errors import SourceError


def test_groups_of_every_name_in_order() -> None:
    found = search_all(r"(?P<text>\d)_(?P<speaker>[a-zé]+)?", ["7_été.wav", "x", "8_.wav"])
    assert found == [{"text": "7", "speaker": "été"}, None, {"text": "8", "speaker": None}]
    assert search_all("x", []) == []


def test_a_pattern_that_runs_for_ever_is_stopped() -> None:
    with pytest.raises(SourceError, match="more than 1 s"):
        search_all("(a+)+$", ["a" * 40 + "b"], limit_s=1.0)


def test_patterns_that_are_none_are_explained() -> None:
    assert compile_error("((") and compile_error("a" * 2000)
    assert not compile_error("a+")
