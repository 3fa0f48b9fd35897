"""Transcripts of every convention, rule by rule."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.errors import SpeechmillError
from corpora.formats.encodings import decode_text
from corpora.report import render_corpus_report
from corpora.text.languages import labels_for
from corpora.text.normaliser import Normalised, Normaliser, Policies, Refused, default_labels
from corpora.text.tables import STYLES
from native import Alphabet
from store.opening import open_store
from tests.corpora.donated import audio, run, sound, write

SILENCE = [
    ("switchboard", "[silence]"),
    ("tedlium", "<sil>"),
    ("switchboard", "<b_aside>"),
    ("fisher", "<e_aside>"),
    ("fisher", "[pause]"),
]
_NAMES = "noise laughter laugh sigh cough mn breath lipsmack sneeze vocalized-noise"
NOISES = [("switchboard", f"[{name}]") for name in _NAMES.split()]
NOISES += [("tedlium", name) for name in ("{NOISE}", "{COUGH}", "{SMACK}")]
ROWS = [
    # row of the table, style, raw, wanted text or the check that refuses it
    *[(f"silence {tag}", style, f"so {tag} yes", "so yes") for style, tag in SILENCE],
    ("untranscribed speech [[skip]]", "switchboard", "yes [[skip]] no", "!skipped_speech"),
    *[(f"noise {tag}", style, f"so {tag} yes", "so yes") for style, tag in NOISES],
    *[(f"nothing but {tag}", style, tag, "!noise_only") for style, tag in NOISES],
    ("laughed word", "switchboard", "[laughter-yeah]", "yeah"),
    ("coined word", "switchboard", "{brand-new}", "brand new"),
    ("numbered words", "switchboard", "them_1 and them_1's", "them and them's"),
    ("as said / as meant", "switchboard", "[it'n/isn't]", "it'n"),
    ("partial word w[ent]-", "switchboard", "w[ent]- home", "!partial_word"),
    ("partial word -[be]cause", "switchboard", "-[be]cause", "!partial_word"),
    ("partial word kn-", "fisher", "kn- no", "!partial_word"),
    ("partial word inside", "switchboard", "ammu[n]it-", "!partial_word"),
    ("(( )) nothing understood", "fisher", "(( ))", "!unintelligible"),
    ("((i think)) not sure", "fisher", "((i think))", "!uncertain"),
    ("spelled a._b._c.", "fisher", "a._b._c.", "a b c"),
    ("spelled a._b.'s", "fisher", "a._b.'s", "a b's"),
    ("spelled t._v.s", "fisher", "t._v.s", "t v's"),
    ("letters i b m", "switchboard", "i b m", "i b m"),
    ("~ab spelled", "fisher", "~ab", "a b"),
    ("~bull a word", "fisher", "~bull", "bull"),
    ("*mandatory", "fisher", "*mandatory", "mandatory"),
    ("%um", "fisher", "%um", "um"),
    ("(%hesitation)", "fisher", "(%hesitation) yes", "uh yes"),
    ("foreign", "fisher", "<german (( ja wohl )) >", "!foreign"),
    ("contraction tag", "fisher", '<contraction e_form="we are">we\'re', "we're"),
    ("<unk>", "tedlium", "so <unk> it", "!unknown_word"),
    ("variant for(2)", "tedlium", "for(2)", "for"),
    ("trailing span", "tedlium", "it goes (talk-1.0-2.0)", "it goes"),
    ("clitic it 's", "tedlium", "it 's", "it's"),
    ("clitic you 'd 've", "tedlium", "you 'd 've", "you'd've"),
    ("clitic i 'm", "tedlium", "i 'm", "i'm"),
    ("clitic don 't", "tedlium", "don 't", "don't"),
    ("clitic do n't", "tedlium", "do n't", "don't"),
    ("students ' books", "tedlium", "students ' books", "students' books"),
    ("' cause", "tedlium", "' cause", "'cause"),
    ("tell 'em stays apart", "tedlium", "tell 'em", "tell 'em"),
    ("rock 'n' roll", "tedlium", "rock 'n' roll", "rock 'n' roll"),
    ("gap marker", "tedlium", "ignore_time_segment_in_scoring", "!gap_marker"),
    ("gap marker, misspelled", "tedlium", "IGNORE_TIME_SEGMENT_SCORING ignore_time_segment_in_SCORING", "!gap_marker"),
    ("hesitations are words", "switchboard", "uh um uh-huh mm-hmm", "uh um uh huh mm hmm"),
    ("'kay 'cause", "fisher", "'kay 'cause", "'kay 'cause"),
    ("'90s has digits", "fisher", "'90s", "!numbers"),
    *[(f"apostrophe {sign}", "common_voice", f"don{sign}t", "don't") for sign in "’‘ʼ´`"],
    ("quotes at edges drop", "verbatim", "‘quoted’ words", "quoted words"),
    *[(f"sign {sign}", "common_voice", f"{sign}Hello{sign} there", "hello there") for sign in "“”„«»\""],
    ("read parentheses", "common_voice", "(which was red) fell", "which was red fell"),
    ("editorial [music]", "subtitle", "[music] hello", "hello"),
    ("editorial (applause)", "common_voice", "(applause) hello", "hello"),
    ("editorial ♪…♪", "subtitle", "♪ la la ♪ hello", "hello"),
    *[(f"dash {sign}", "verbatim", f"go{sign}now", "go now") for sign in ("—", "–", "--", "…", "/")],
    ("AT&T", "verbatim", "AT&T", "at and t"),
    ("&", "verbatim", "you & me", "you and me"),
    ("%", "verbatim", "ten % of", "ten percent of"),
    ("$5", "verbatim", "$5", "!numbers"),
    ("$", "verbatim", "five $", "!symbol"),
    ("€", "verbatim", "five €", "!symbol"),
    ("@", "verbatim", "at @ home", "at at home"),
    ("+", "verbatim", "one + one", "one plus one"),
    ("°", "verbatim", "ten °", "ten degrees"),
    ("%20", "common_voice", "Tom%20went", "tom went"),
    ("&amp;", "common_voice", "Tom &amp; Ann", "tom and ann"),
    ("<br>", "common_voice", "went<br>home", "went home"),
    ("unknown tag", "switchboard", "[xyz] yes", "!unknown_tag"),
]  # fmt: skip


@pytest.mark.parametrize(("style", "raw", "wanted"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_01_row_of_the_conventions(style: str, raw: str, wanted: str) -> None:
    result = Normaliser(labels_for("en"), style).normalise(raw)
    if wanted.startswith("!"):
        assert isinstance(result, Refused), result
        assert result.check == wanted[1:]
    else:
        assert isinstance(result, Normalised), result
        assert result.text == wanted


@pytest.mark.parametrize(("style", "tag"), NOISES)
def test_01_noise_sets_its_flag(style: str, tag: str) -> None:
    result = Normaliser(labels_for("en"), style).normalise(f"so {tag} yes")
    assert isinstance(result, Normalised)
    assert result.flags == ("has_noise_tag",)


# --- 2, 3, 4, 7: properties, in every language --------------------------------------------------------------

_LETTERS = "abcÄäßéèñŵŷçğıİIøøœ ’'-–—…\"“„«.,;:?!()&%@+°/"
_LATIN = ["cy", "de", "en", "es", "fr", "it", "nl", "pt", "tr", "sw", "az", "nv"]
_LANGUAGES = [*_LATIN, "ru", "ar", "fa", "he", "hi", "bn", "th", "ko", "zh", "ja"]


@pytest.mark.parametrize("language", _LANGUAGES)
@settings(max_examples=60, deadline=None)
@given(raw=st.text(alphabet=_LETTERS, max_size=30) | st.text(max_size=20))
def test_02_03_idempotent_and_within_the_alphabet_or_a_reason(language: str, raw: str) -> None:
    labels = labels_for(language)
    for style in ("verbatim", "subtitle"):
        rules = Normaliser(labels, style, Policies(language=language, numbers="spell"))
        result = rules.normalise(raw)
        if isinstance(result, Refused):
            assert result.check and result.reason
            continue
        assert set(result.text) <= set(labels)
        again = rules.normalise(result.text)
        assert isinstance(again, Normalised)
        assert again.text == result.text


@pytest.mark.parametrize("language", _LATIN)
@settings(max_examples=40, deadline=None)
@given(
    words=st.lists(st.from_regex(r"[bcdfg][aeiou]{1,3}", fullmatch=True), min_size=1, max_size=6),
    marks=st.lists(
        st.sampled_from([*".,;:?!—–…/“”«»", "--", " - ", ", ", "\u00a0", "\t"]), min_size=6, max_size=6
    ),
)
def test_04_words_are_never_glued(language: str, words: list[str], marks: list[str]) -> None:
    raw = words[0] + "".join(mark + word for mark, word in zip(marks, words[1:], strict=False))
    result = Normaliser(labels_for(language), "verbatim", Policies(language=language)).normalise(raw)
    assert isinstance(result, Normalised), result
    assert result.text.split() == words


@pytest.mark.parametrize(
    ("language", "raw"),
    [("fr", "Été à Noël ?"), ("de", "Über Straßen"), ("cy", "Tŷ ŵyn"), ("en", "Naïve café")],
)
def test_07_nfc_and_nfd_give_the_same(language: str, raw: str) -> None:
    rules = Normaliser(labels_for(language), "verbatim", Policies(language=language))
    composed = rules.normalise(unicodedata.normalize("NFC", raw))
    assert isinstance(composed, Normalised)
    assert composed == rules.normalise(unicodedata.normalize("NFD", raw))
    assert composed.text == unicodedata.normalize("NFC", composed.text)


# --- languages ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "raw", "wanted"),
    [
        ("de", "Über 10 % der Straße", "!numbers"),
        ("de", "Über zehn % der Straße & mehr", "über zehn prozent der straße und mehr"),
        ("de-AT", "Jänner", "jänner"),
        ("fr", "L’été, ça va ?", "l'été ça va"),
        ("fr", "Łódź", "!bad_chars"),
        ("es", "¿Qué tal, señor?", "qué tal señor"),
        ("cy", "Tŷ ŵyn & cath", "tŷ ŵyn a cath"),
        ("cy", "a @ b", "!symbol"),
        ("tr", "IŞIK İLE", "ışık ile"),
        ("en", "Łódź naïve straße", "lodz naive strasse"),
        ("sw", "habari & wewe", "!symbol"),
        ("nv", "привет", "!bad_chars"),
    ],
)
def test_alphabets_lower_case_and_symbols_by_language(language: str, raw: str, wanted: str) -> None:
    result = Normaliser(labels_for(language), "verbatim", Policies(language=language)).normalise(raw)
    found = f"!{result.check}" if isinstance(result, Refused) else result.text
    assert found == wanted


# --- numbers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "raw", "wanted"),
    [
        ("en", "in 1984", "in nineteen eighty four"),
        ("en", "1,984 of them", "one thousand nine hundred eighty four of them"),
        ("en", "3.5 miles", "three point five miles"),
        ("en", "the 22nd time.", "the twenty second time"),
        ("en", "a 401k plan", "a four oh one k plan"),
        ("en", "$5, please", "five dollars please"),
        ("de", "21 Autos", "einundzwanzig autos"),
        ("de", "3,5 Meter", "drei komma fünf meter"),
        ("fr", "80 jours", "quatre vingts jours"),
        ("es", "16 días", "dieciséis días"),
        ("en", "2/3 cup", "!numbers"),
        ("en", "at 3:30", "at three thirty"),
        ("en", "No. 5b", "!numbers"),
        ("en", "007", "!numbers"),
        ("en", "½ cup", "!numbers"),
        ("en", "٣", "!numbers"),
    ],
)
def test_numbers_are_spelled_where_there_is_one_way(language: str, raw: str, wanted: str) -> None:
    policies = Policies(language=language, numbers="spell")
    result = Normaliser(labels_for(language), "verbatim", policies).normalise(raw)
    assert (f"!{result.check}" if isinstance(result, Refused) else result.text) == wanted
    if isinstance(result, Normalised) and "401k" not in raw:
        assert "numbers_spelled" in result.flags


@pytest.mark.parametrize(
    ("policy", "wanted"), [("reject", "!numbers"), ("table", "four oh one k"), ("spell", "four oh one k")]
)
def test_the_table_of_numbers_is_read_by_policy(policy: str, wanted: str) -> None:
    result = Normaliser(labels_for("en"), "verbatim", Policies(numbers=policy)).normalise("401k")
    assert (f"!{result.check}" if isinstance(result, Refused) else result.text) == wanted
    assert not isinstance(result, Normalised) or not result.flags


# --- the rest of the list -----------------------------------------------------------------------------------


def test_05_reasons_are_counted_and_shown_with_up_to_twenty_samples_of_each(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {"all.wav": audio(sound(64, 1))}
    said = (
        [f"room {number} & others" for number in range(100, 145)]
        + ["a [strange] sign"] * 3
        + ["good words"] * 2
    )
    lines = [f"all.wav,{at * 1.25},{at * 1.25 + 1.2},{text}" for at, text in enumerate(said)]
    files["t.csv"] = "path,start,end,text\n" + "\n".join(lines) + "\n"
    answer, rows, rejections = run(write(tmp_path / "src", files), tmp_path / "store")
    assert answer["rejected"] == {"numbers": 45, "unknown_tag": 3}
    assert (len(rows), len(rejections)) == (2, 48)
    page = render_corpus_report(open_store(tmp_path / "store").corpus("gift"))
    shown = {
        name: (
            int(count),
            re.findall(r"<tr><td class=\"id\">(.*?)</td><td>(.*?)</td><td>(.*?)</td></tr>", table),
        )
        for count, name, table in re.findall(
            r"<summary><b>(\d+)</b> (\w+).*?</summary>(.*?)</details>", page, re.S
        )
    }
    assert {name: (count, len(samples)) for name, (count, samples) in shown.items()} == {
        "numbers": (45, 20),
        "unknown_tag": (3, 3),
    }
    texts = [text for _, _, text in shown["numbers"][1]]
    assert len(set(texts)) == 20
    assert (texts[0], texts[-1]) == ("room 100 &amp; others", "room 144 &amp; others")
    assert {place.partition(":")[0] for samples in shown.values() for place, _, _ in samples[1]} == {"t.csv"}
    assert all("[strange]" in text for _, _, text in shown["unknown_tag"][1])


def test_06_typographic_apostrophes_are_apostrophes() -> None:
    rules = Normaliser(labels_for("en"), "verbatim")
    assert rules.normalise("don’t") == rules.normalise("don't")


def test_08_references_keep_a_scoring_form() -> None:
    result = Normaliser(labels_for("en"), "fisher").normalise("(%hesitation) i know")
    assert isinstance(result, Normalised)
    assert (result.text, result.text_scoring) == ("uh i know", "i know")


SENTENCES = [
    "“It’s 10 o’clock,” she said — naïve Tom & Ann…", "The café (which was red) fell.", "AT&T’s plan: 50 % off!",
    "Rock ’n’ roll, goin’ home", "don‘t go—now", "Łódź straße æon", "plain words only",
]  # fmt: skip


def test_09_text_for_the_language_model_has_the_same_characters_and_words(tmp_path: Path) -> None:
    from lm.text.cleaning import clean_block
    from lm.text.files import TextBlock

    rules = Normaliser(labels_for("en"), "verbatim")
    corpus = [r.text for s in SENTENCES if isinstance(r := rules.normalise(s), Normalised)]
    block = TextBlock("text", "\n".join(SENTENCES).encode(), wrapped=False)
    model = clean_block(block, labels_for("en")).lines.decode().split("\n")
    assert set("".join(model)) == set("".join(corpus))
    words = set(" ".join(corpus).split())
    unknown = [word for word in " ".join(model).split() if word not in words]
    assert (len(corpus), len(unknown) / len(words)) == (5, 0.0)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("tag", ["[xyz]", "<xyz>"])
def test_10_an_unknown_tag_is_refused_and_named(style: str, tag: str) -> None:
    result = Normaliser(labels_for("en"), style).normalise(f"{tag} yes")
    assert isinstance(result, Refused)
    if not STYLES[style].strict:
        assert result.check in {"unknown_tag", "symbol"}
        assert "xyz" in result.reason or result.check == "symbol"


def test_11_bytes_that_are_not_utf8_are_told_with_their_offset() -> None:
    lines = decode_text("é\n".encode() + b"ab\xff\n").lines
    assert lines[1].text is None
    assert "offset 5 " in lines[1].problem


@pytest.mark.parametrize(
    ("data", "labels"),
    [
        (b"\xef\xbb\xbf \na\nb\n", [" ", "a", "b"]),
        (b" \r\na\r\nb\r\n", [" ", "a", "b"]),
        (b"# comment\n\\#\na\n", ["#", "a"]),
        (b" \na\nb", [" ", "a", "b"]),
        (b" \n\na\n", [" ", "a"]),
    ],
    ids=["byte order mark", "CRLF", "escaped #", "no final newline", "empty line"],
)
def test_12_the_alphabet_file_is_read_as_written(data: bytes, labels: list[str], tmp_path: Path) -> None:
    (tmp_path / "alphabet.txt").write_bytes(data)
    assert Alphabet.load(tmp_path / "alphabet.txt").labels == labels


def test_12_a_label_that_stands_twice_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "alphabet.txt").write_bytes(b" \na\na\n")
    with pytest.raises((SpeechmillError, ValueError)):
        Alphabet.load(tmp_path / "alphabet.txt")


@pytest.mark.parametrize("style", ["verbatim", "common_voice", "tedlium", "fisher", "switchboard"])
def test_words_with_a_percent_sign_before_them_are_marks(style: str) -> None:
    rules = Normaliser(default_labels(), style)
    for raw in ("YEAH (%HESITATION) WELL", "yeah %hesitation well"):
        assert rules.normalise(raw) == Normalised("yeah uh well", "yeah well")
    assert rules.normalise("fifty % of it") == Normalised("fifty percent of it")
    on_the_phone = style in {"fisher", "switchboard"}
    assert isinstance(rules.normalise("yeah %bcack well"), Normalised if on_the_phone else Refused)
