"""Alphabets and small language models that the tests of the native library share."""

from __future__ import annotations

import string
from pathlib import Path

import pytest

import native
from tests.native.ctc_reference import build_language_model

TINY_SENTENCES = ["a ab", "b a", "ab b a", "aa ba b", "ba"]
ENGLISH_SENTENCES = [
    "the cat sat on the mat",
    "the dog sat on the log",
    "i have a good deal of will",
    "don't go on",
    "the cat has a good day",
]


@pytest.fixture(scope="session")
def tiny_alphabet() -> native.Alphabet:
    """Space, a, b; the blank last."""
    return native.Alphabet([" ", "a", "b"])


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory, tiny_alphabet: native.Alphabet) -> Path:
    """A bigram directory over five words of a and b."""
    return build_language_model(tmp_path_factory.mktemp("tiny") / "lm", TINY_SENTENCES, tiny_alphabet)


@pytest.fixture(scope="session")
def english() -> native.Alphabet:
    """Space, a to z, apostrophe; the blank last."""
    return native.Alphabet([" ", *string.ascii_lowercase, "'"])


@pytest.fixture(scope="session")
def english_model(tmp_path_factory: pytest.TempPathFactory, english: native.Alphabet) -> Path:
    """A bigram directory over a few English sentences."""
    return build_language_model(tmp_path_factory.mktemp("english") / "lm", ENGLISH_SENTENCES, english)
