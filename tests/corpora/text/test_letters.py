"""Writing systems: every alphabet is sound, and one mechanism brings what is written otherwise to its letters."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import pytest

from corpora.text.languages import alphabet_for, alphabet_languages, labels_for, primary
from corpora.text.normaliser import Normalised, Normaliser, Policies, Refused
from native import Alphabet

COMMON_VOICE_LARGEST = (
    "en ca rw be eo de fr es kab eu lg sw fa it zh-CN ru mhr ka ta bn th pl ckb ba ab pt cy uk tr nl hu ur ja"
)


def said(language: str, raw: str, numbers: str = "reject") -> str:
    rules = Normaliser(labels_for(language), "verbatim", Policies(language=language, numbers=numbers))
    result = rules.normalise(raw)
    return f"!{result.check}" if isinstance(result, Refused) else result.text


def test_the_largest_sets_and_many_scripts_have_an_alphabet() -> None:
    for language in [
        *COMMON_VOICE_LARGEST.split(),
        "el",
        "ar",
        "he",
        "hi",
        "ko",
        "zh-TW",
        "yue",
        "am",
        "hy",
        "vi",
    ]:
        assert primary(language) in alphabet_languages(), language


def test_every_alphabet_is_small_letters_in_nfc_without_doubles() -> None:
    for language in alphabet_languages():
        labels = alphabet_for(language).labels
        assert len(labels) == len(set(labels)), language
        assert (labels[0] == " ") is (language not in ("zh", "zh-hant", "yue", "ja", "th", "lo")), language
        for label in labels[1:]:
            assert label == unicodedata.normalize("NFC", label.lower()) and len(label) == 1, (language, label)
            assert label in "'·" or unicodedata.category(label)[0] in "LM", (language, label)


@pytest.mark.parametrize(
    ("language", "raw", "wanted"),
    [
        ("ru", "Приве́т, «мир»! Ёлка…", "привет мир ёлка"),
        ("ru", "привет, world", "!bad_chars"),
        ("uk", "П’ять м\u02bcячів", "п'ять м'ячів"),
        ("el", "Ο Σίσυφος; Καλημέρα·", "ο σίσυφος καλημέρα"),
        ("ka", "ᲡᲐᲥᲐᲠᲗᲕᲔᲚᲝ", "საქართველო"),
        ("ar", "السَّلامُ عَلَيْكُمْ، يا صديـــقي؟", "السلام عليكم يا صديقي"),
        ("ar", "ﷲ ﻻ ک", "الله لا ك"),
        ("fa", "سلام عليكم، كتاب", "سلام علیکم کتاب"),
        ("ur", "یہ كيا ہے؟", "یہ کیا ہے"),
        ("he", 'שָׁלוֹם, צה"ל ג׳ירפה בית־ספר', "שלום צהל ג'ירפה בית ספר"),
        ("hi", "नमस्ते, दुनिया। क़लम", "नमस्ते दुनिया क़लम"),
        ("bn", "আমার সোনার বাংলা।", "আমার সোনার বাংলা"),
        ("ta", "வணக்கம், உலகம்!", "வணக்கம் உலகம்"),
        ("th", "สวัสดี ครับ นํ้า", "สวัสดีครับน้ำ"),
        ("ko", "안녕하세요, 세계!", "안녕하세요 세계"),
        ("zh", "你好，世界！ 我有一个 苹果。", "你好世界我有一个苹果"),
        ("zh-TW", "你好，這個世界！", "你好這個世界"),
        ("zh", "這個", "!bad_chars"),
        ("ja", "こんにちは、世界。ﾊﾟﾝ", "こんにちは世界パン"),
        ("ja", "１０％", "!numbers"),
        ("ro", "Ştiinţă", "știință"),
        ("ca", "Col·lecció, paraŀlel", "col·lecció paral·lel"),
        ("uz", "Oʻzbekiston gʼisht", "o'zbekiston g'isht"),
        ("hy", "Բարեւ, աշխարհ։", "բարեւ աշխարհ"),
        ("am", "ሰላም፣ ዓለም።", "ሰላም ዓለም"),
        ("vi", "Xin chào thế giới!", "xin chào thế giới"),
        ("kab", "Azul fell-awen, a imeddukal", "azul fell awen a imeddukal"),
        ("sw", "Habari & wewe", "!symbol"),
        ("en", "Ｆｕｌｌ ｗｉｄｔｈ", "full width"),
    ],
)  # fmt: skip
def test_what_is_written_otherwise_comes_to_the_alphabet(language: str, raw: str, wanted: str) -> None:
    wanted = unicodedata.normalize("NFC", wanted)
    assert said(language, raw) == wanted
    assert said(language, unicodedata.normalize("NFD", raw)) == wanted
    if not wanted.startswith("!"):
        assert said(language, wanted) == wanted


@pytest.mark.parametrize(
    ("language", "raw", "wanted"),
    [
        ("ru", "через 5 дней", "через пять дней"),
        ("ru", "в 1984 году", "!numbers"),
        ("ru", "21 дом", "!numbers"),
        ("uk", "15 днів", "п'ятнадцять днів"),
        ("ar", "٤٧ يوما", "سبعة وأربعون يوما"),
        ("fa", "۱۵ روز", "پانزده روز"),
        ("bn", "৫ দিন", "পাঁচ দিন"),
        ("th", "๑๕ วัน", "สิบห้าวัน"),
        ("ko", "15분", "!numbers"),
        ("ja", "15 %", "十五パーセント"),
        ("ca", "80 dies", "vuitanta dies"),
        ("pl", "3,5 metra", "!numbers"),
        ("sv", "3,5 meter", "tre komma fem meter"),
        ("eu", "5 egun", "!numbers"),
        ("rw", "5", "!numbers"),
    ],
)  # fmt: skip
def test_digits_are_spoken_where_there_is_one_way(language: str, raw: str, wanted: str) -> None:
    assert said(language, raw, "spell") == wanted


def test_the_alphabet_decides_and_not_the_language() -> None:
    """A file of labels that keeps vowel marks keeps them; one without a blank joins the words."""
    vowels = Normaliser([" ", *"السلم", "\u064e"], "verbatim", Policies(language="ar"))
    assert vowels.normalise("سَلَم ـ") == Normalised("سَلَم")
    joined = Normaliser(["a", "b"], "verbatim", Policies(language="xx")).normalise("A b, ab")
    assert isinstance(joined, Normalised) and joined.text == "abab"


def test_scripts_without_blanks_are_unspaced_alphabets() -> None:
    assert alphabet_for("ja").unspaced and not alphabet_for("ko").unspaced
    assert Alphabet(["a"]).unspaced and not Alphabet.bytes().unspaced


def test_the_table_of_languages_is_true() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "languages.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z-]+)` \| [^|]+ \| [^|]+ \| (\d+) \| (yes|no) \|", page, re.MULTILINE)
    assert sorted((name, int(count), blank == "yes") for name, count, blank in rows) == [
        (language, len(labels_for(language)), not alphabet_for(language).unspaced)
        for language in alphabet_languages()
    ]
    assert page.startswith(f"# Languages\n\n{len(rows)} languages")
