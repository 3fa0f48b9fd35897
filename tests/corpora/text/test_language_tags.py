"""Languages as people write them: one tag, or refused in one place; never a path."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.text.language_tags import language_tag
from corpora.text.languages import alphabet_for, alphabet_languages, alphabet_remark
from corpora.text.normaliser import Normalised, Normaliser, Policies, default_labels


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("de", "de"),
        ("deu", "de"),
        ("ger", "de"),
        ("German", "de"),
        ("Deutsch", "de"),
        ("de_at", "de-AT"),
        ("PT-br", "pt-BR"),
        ("Portuguese (Brazil)", "pt"),
        ("cy-southwes", "cy-southwes"),
        ("nan-tw", "nan-TW"),
        (" English ", "en"),
    ],
)
def test_names_and_codes_become_tags(said: str, wanted: str) -> None:
    assert language_tag(said) == wanted


@pytest.mark.parametrize(
    "said", ["", "x", "../../etc/host", "a" * 300, "de/../x", "Klingonese", "en-" + "a" * 60]
)
def test_what_is_no_language_is_refused_with_what_would_be_one(said: str) -> None:
    with pytest.raises(ValueError, match="BCP 47"):
        language_tag(said)


@given(said=st.text(max_size=50))
def test_no_text_opens_a_file_as_an_alphabet(said: str) -> None:
    labels = alphabet_for(said).labels
    known = [alphabet_for(language).labels for language in alphabet_languages()]
    assert labels in known


def test_a_language_without_an_alphabet_is_flagged_and_told() -> None:
    for raw in ("so it goes", "So it goes."):
        result = Normaliser(default_labels(), "verbatim", Policies(language="nv")).normalise(raw)
        assert isinstance(result, Normalised)
        assert result.flags == ("english_alphabet",)
    assert "nv has no alphabet among" in alphabet_remark("nv")[0]
    assert not alphabet_remark("de-AT")
