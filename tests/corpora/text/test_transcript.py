"""Every row of the table of transcript conventions, and the properties that hold for any text."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.text.normaliser import (
    Normalised,
    Normaliser,
    Policies,
    Refused,
    default_labels,
    normalise_text_line,
)
from corpora.text.tables import NOISE_TAGS, STYLES

ACCEPTED = [
    # style, raw, text
    ("librispeech", "THE CAT'S PAW WAS WET", "the cat's paw was wet"),
    ("switchboard", "[silence] so [pause] yes", "so yes"),
    ("switchboard", "<b_aside> what <e_aside> yes", "what yes"),
    ("tedlium", "well <sil> yes", "well yes"),
    ("switchboard", "[noise] okay [vocalized-noise]", "okay"),
    ("tedlium", "{NOISE} so {COUGH} it {SMACK} goes {BREATH}", "so it goes"),
    ("fisher", "[laughter] right [sigh] [mn] [lipsmack]", "right"),
    ("switchboard", "[laughter-yeah] i know", "yeah i know"),
    ("switchboard", "a {brand-new} car", "a brand new car"),
    ("switchboard", "all of them_1 and them_1's", "all of them and them's"),
    ("switchboard", "[it'n/isn't] it", "it'n it"),
    ("fisher", "the a._b._c. and a._b.'s on t._v.s", "the a b c and a b's on t v's"),
    ("switchboard", "i b m", "i b m"),
    ("fisher", "~abx then ~bull", "a b x then bull"),
    ("fisher", "*mandatory %um yes", "mandatory um yes"),
    ("fisher", '<contraction e_form="we are">we\'re here', "we're here"),
    ("tedlium", "for(2) you", "for you"),
    ("tedlium", "so it goes (AnnaLee_2009G-12.30-17.85)", "so it goes"),
    ("tedlium", "it 's you 'd 've i 'm don 't do n't", "it's you'd've i'm don't don't"),
    ("tedlium", "students ' books", "students' books"),
    ("tedlium", "' cause", "'cause"),
    ("tedlium", "tell 'em rock 'n' roll", "tell 'em rock 'n' roll"),
    ("switchboard", "uh um uh-huh mm-hmm", "uh um uh huh mm hmm"),
    ("fisher", "'kay 'cause", "'kay 'cause"),
    ("common_voice", "don’t can‘t wonʼt isn´t it`s", "don't can't won't isn't it's"),
    ("common_voice", "“Hello” „there” «you» \"all\"", "hello there you all"),
    ("common_voice", "(which was red) fell", "which was red fell"),
    ("subtitle", "[music] hello (door slams) there", "hello there"),
    ("subtitle", "♪ la la la ♪ hello", "hello"),
    ("subtitle", "JOHN: I see.", "i see"),
    ("subtitle", "- Yes.\n- <i>No!</i>", "yes no"),
    ("verbatim", "go—now – or -- later… either/or", "go now or later either or"),
    ("verbatim", "AT&T & sons, 'quoted' words", "at and t and sons quoted words"),
    ("common_voice", "Tom &amp; Ann%20went<br>home", "tom and ann went home"),
    ("verbatim", "100".replace("100", "ten") + "% of it @ home", "ten percent of it at home"),
    ("verbatim", "naïve Łódź straße æon ﬁne", "naive lodz strasse aeon fine"),
    ("verbatim", "the dogs' tails, goin' home, 'tis", "the dogs' tails goin' home 'tis"),
    ("verbatim", "zero\u200bwidth so\u00adft \ufeffmark", "zerowidth soft mark"),
    ("verbatim", "no\u00a0break\tand\nlines", "no break and lines"),
]  # fmt: skip

REFUSED = [
    ("switchboard", "yes [[skip]] no", "skipped_speech"),
    ("switchboard", "[noise] [laughter]", "noise_only"),
    ("subtitle", "♪ la la ♪", "noise_only"),
    ("switchboard", "w[ent]- home", "partial_word"),
    ("switchboard", "-[be]cause", "partial_word"),
    ("fisher", "kn- no", "partial_word"),
    ("switchboard", "ammu[n]it- run", "partial_word"),
    ("switchboard", "[th[e]-/the] cat", "partial_word"),
    ("switchboard", "a [cha[pe]-/shape]", "partial_word"),
    ("fisher", "(( ))", "unintelligible"),
    ("fisher", "so ((i think)) yes", "uncertain"),
    ("fisher", "<german (( ja wohl )) >", "foreign"),
    ("tedlium", "so <unk> it", "unknown_word"),
    ("tedlium", "ignore_time_segment_in_scoring", "gap_marker"),
    ("tedlium", "IGNORE_TIME_SEGMENT_SCORING x ignore_time_segment_in_SCORING", "gap_marker"),
    ("fisher", "back in '90s", "numbers"),
    ("verbatim", "in 1984", "numbers"),
    ("verbatim", "½ cup", "numbers"),
    ("verbatim", "it cost $ five", "symbol"),
    ("verbatim", "two # three", "symbol"),
    ("verbatim", "привет", "bad_chars"),
    ("librispeech", "MR. CAT", "bad_chars"),
    ("librispeech", "IN 1984", "bad_chars"),
    ("switchboard", "[xyz] yes", "unknown_tag"),
    ("subtitle", "[xyz] yes", "unknown_tag"),
    ("fisher", "<xyz> yes", "unknown_tag"),
    ("verbatim", "[inaudible] yes", "unintelligible"),
    ("verbatim", "   ", "empty_text"),
    ("verbatim", "…!?", "empty_text"),
]  # fmt: skip


def normaliser(style: str, **policies: str) -> Normaliser:
    return Normaliser(default_labels(), style, Policies(**policies))


@pytest.mark.parametrize(("style", "raw", "text"), ACCEPTED)
def test_row_of_the_table_is_normalised(style: str, raw: str, text: str) -> None:
    result = normaliser(style).normalise(raw)
    assert isinstance(result, Normalised), result
    assert result.text == text


@pytest.mark.parametrize(("style", "raw", "check"), REFUSED)
def test_row_of_the_table_is_refused(style: str, raw: str, check: str) -> None:
    result = normaliser(style).normalise(raw)
    assert isinstance(result, Refused), result
    assert result.check == check
    assert result.reason


def test_noise_is_flagged() -> None:
    result = normaliser("switchboard").normalise("[noise] yes")
    assert isinstance(result, Normalised)
    assert result.flags == ("has_noise_tag",)


@pytest.mark.parametrize(
    ("style", "raw", "policies", "text"),
    [
        ("switchboard", "w[ent]- home", {"partial_words": "keep"}, "w home"),
        ("switchboard", "-[be]cause of", {"partial_words": "keep"}, "cause of"),
        ("fisher", "kn- no", {"partial_words": "keep"}, "kn no"),
        ("fisher", "((i think)) yes", {"uncertain": "keep"}, "i think yes"),
        ("tedlium", "so <unk> it", {"unknown_words": "drop"}, "so it"),
        ("fisher", "a 401k plan", {"numbers": "table"}, "a four oh one k plan"),
    ],
)
def test_policies_keep_what_they_name(style: str, raw: str, policies: dict[str, str], text: str) -> None:
    result = normaliser(style, **policies).normalise(raw)
    assert isinstance(result, Normalised), result
    assert result.text == text


def test_hesitation_is_optional_in_scoring() -> None:
    result = normaliser("fisher").normalise("(%hesitation) yes")
    assert isinstance(result, Normalised)
    assert (result.text, result.text_scoring) == ("uh yes", "yes")


def test_refusal_names_the_character() -> None:
    result = normaliser("verbatim").normalise("caffè Ω")
    assert isinstance(result, Refused)
    assert "U+03C9" in result.reason


def test_typographic_and_plain_apostrophe_are_equal() -> None:
    assert normaliser("verbatim").normalise("don’t") == normaliser("verbatim").normalise("don't")


_PIECES = st.sampled_from(
    ["it", "'s", "'", "students", "cause", "[noise]", "((", "))", "{x}", "kn-", "a._b.", "~ab", "—", "&", "“",
     "”", "<i>", "é", "ß", "DON'T", "'em", "''", "(", ")", "[", "]", "<", ">", "_1", "-", "…", "♪", "them_1",
     "x'", "JO:", "\n", "n't", "%um"]
)  # fmt: skip
_TEXTS = st.one_of(
    st.text(max_size=40),
    st.lists(_PIECES, max_size=8).map(" ".join),
    st.lists(_PIECES, max_size=8).map("".join),
)


@pytest.mark.parametrize("style", STYLES)
@settings(max_examples=150, deadline=None)
@given(raw=_TEXTS)
def test_any_text_is_normalised_within_the_alphabet_or_refused(style: str, raw: str) -> None:
    for policies in (Policies(), Policies("keep", "keep", "drop", "table")):
        rules = Normaliser(default_labels(), style, policies)
        result = rules.normalise(raw)
        if isinstance(result, Refused):
            assert result.check and result.reason
            continue
        assert set(result.text) <= set(default_labels())
        assert result.text == " ".join(result.text.split()) != ""
        again = rules.normalise(result.text)
        assert isinstance(again, Normalised), again
        assert again.text == result.text


@settings(max_examples=150, deadline=None)
@given(
    words=st.lists(st.from_regex(r"[a-z]{1,6}", fullmatch=True), min_size=1, max_size=6),
    marks=st.lists(st.sampled_from([*'.,;:?!—–…/“”"«»()', "--", " - ", ", "]), min_size=6, max_size=6),
)
def test_punctuation_never_glues_words(words: list[str], marks: list[str]) -> None:
    raw = words[0] + "".join(mark + word for mark, word in zip(marks, words[1:], strict=False))
    if words and any(word in NOISE_TAGS for word in words):
        return
    result = normaliser("common_voice").normalise(raw)
    assert isinstance(result, Normalised), result
    assert result.text.split() == words


@settings(max_examples=100, deadline=None)
@given(raw=st.text(alphabet="aeioué ñüçßÅ'’-.", min_size=1, max_size=20))
def test_composed_and_decomposed_input_give_the_same(raw: str) -> None:
    composed = normaliser("verbatim").normalise(unicodedata.normalize("NFC", raw))
    decomposed = normaliser("verbatim").normalise(unicodedata.normalize("NFD", raw))
    assert composed == decomposed or isinstance(composed, Refused)


def test_text_lines_use_the_same_rules() -> None:
    assert normalise_text_line("“It’s a test,” she said.") == ["it's", "a", "test", "she", "said"]
    assert normalise_text_line("In 1984.") == []
