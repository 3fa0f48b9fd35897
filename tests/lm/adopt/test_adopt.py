"""Somebody's ARPA files and binaries are taken over; what is wrong with them is a sentence."""

from __future__ import annotations

import bz2
import gzip
import json
import subprocess
from pathlib import Path

import pytest

from lm import kenlm
from lm.__main__ import main
from lm.adopt.model import AdoptRequest, adopt
from lm.errors import LanguageModelError, LanguageModelUsageError, TextSourceError
from lm.inspection import query, verify
from lm.pages.report import write_report
from native import Alphabet, Scorer
from native.errors import SpeechmillError
from store.opening import open_store

ARPA = """\\data\\
ngram 1=6
ngram 2=4
ngram 3=2

\\1-grams:
-2.0	<unk>
-99	<s>	-0.3
-1.0	</s>
-0.9	the	-0.4
-1.1	cat	-0.2
-1.2	sat

\\2-grams:
-0.4	<s> the	-0.1
-0.5	the cat
-0.6	cat sat	-0.2
-0.3	sat </s>

\\3-grams:
-0.1	<s> the cat
-0.2	the cat sat

\\end\\
"""


def adopted(folder: Path, text: str | bytes, name: str = "x.arpa", **settings: object) -> dict[str, object]:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return adopt(AdoptRequest(arpa=path, out=folder / "out", store=folder / "store", **settings))  # type: ignore[arg-type]


def binary_of(folder: Path, *arguments: str) -> Path:
    arpa, target = folder / "y.arpa", folder / "y.bin"
    arpa.write_text(ARPA)
    command = [str(kenlm.find_tools().build_binary), *arguments[:-1], arguments[-1], str(arpa), str(target)]
    subprocess.run(command, check=True, capture_output=True)
    return target


def scores(folder: Path) -> list[float]:
    return [word["log10"] for word in query(folder, ["the cat sat"])["sentences"][0]["words"]]


def test_an_arpa_file_becomes_a_whole_model(tmp_path: Path) -> None:
    result = adopted(tmp_path, ARPA)
    out = tmp_path / "out"
    assert result["status"] == "built" and result["ngrams"] == [6, 4, 2] and result["vocabulary"] == 3
    assert verify(out)["files"] == 5 - 1
    scorer = Scorer.load(out)
    assert scorer.knows("cat") and not scorer.knows("dog")
    assert scores(out) == pytest.approx([-0.4, -0.1, -0.2, -0.5], abs=1e-4)
    assert adopted(tmp_path, ARPA)["status"] == "unchanged"


@pytest.mark.parametrize(
    ("change", "mended"),
    [
        (lambda text: text.replace("\n", "\r\n").encode(), "line ends CRLF mended"),
        (lambda text: text.replace("\t", "  ").encode(), "blanks in the place of tabs mended"),
        (lambda text: gzip.compress(text.encode()), None),
        (lambda text: bz2.compress(text.encode()), None),
        (lambda text: b"\xef\xbb\xbf" + text.encode(), None),
        (lambda text: ("\n# made by me\n" + text).encode(), None),
        (lambda text: text.rstrip().encode(), None),
        (lambda text: text.replace("<unk>", "<UNK>").encode(), None),
        (lambda text: (text + "-0.3\tthe sat\n\nmade by me\n").encode(), "2 lines behind \\end\\ left out"),
        (lambda text: text.upper().replace("<S>", "<s>").replace("</S>", "</s>").replace("<UNK>", "<unk>")
         .replace("\\DATA", "\\data").replace("NGRAM", "ngram").replace("-GRAMS", "-grams")
         .replace("\\END", "\\end").encode(), "words in capitals were put in small letters"),
    ],
)  # fmt: skip
def test_other_forms_give_the_same_model(tmp_path: Path, change: object, mended: str | None) -> None:
    result = adopted(tmp_path, change(ARPA), "x.arpa.gz")  # type: ignore[operator]
    assert scores(tmp_path / "out") == pytest.approx([-0.4, -0.1, -0.2, -0.5], abs=1e-4)
    assert result["decisions"] == ([mended] if mended else [])


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "no line .data."),
        ("hello\n" * 2000, "no line .data. in its first 1,000"),
        (ARPA[: ARPA.index("-0.6")], "cut short"),
        (ARPA.replace("-0.5\tthe cat\n", ""), "states 4 2-grams and holds 3"),
        (ARPA.replace("the cat\n-0.6", "the\n-0.6"), "line 16: .* is no 2-gram"),
        (ARPA.replace("-0.5\tthe", "zero\tthe"), "near 'zero.tthe cat' cannot be read by KenLM: Could not parse"),
        (ARPA.replace("ngram 2=4", "ngram 2=many"), "line 3: .* is no count of 2-grams"),
        (ARPA.replace("\\2-grams:", "\\3-grams:"), r"where .2-grams: is due"),
        (ARPA.replace("-1.0\t</s>\n", "").replace("1=6", "1=5").replace("-0.3\tsat </s>\n", "")
         .replace("2=4", "2=3"), "has no </s>"),
        (ARPA.replace("-0.9\tthe", "0.9\tthe"), "positive logarithm"),
        (ARPA.encode().replace(b"cat", b"c\xe4t"), "not UTF-8"),
        (ARPA.encode("utf-16"), "UTF-16: convert it"),
        (ARPA.replace("-0.5\tthe cat", "-0.5\t<s> the"), "lists '<s> the' twice"),
        (ARPA.replace("-0.2\tthe cat sat", "-0.2\t<s> the cat"), "lists '<s> the cat' twice"),
        (ARPA.replace("-1.1\tcat", "-1.1\tthe"), "lists 'the' twice"),
        (gzip.compress(ARPA.encode())[:-30], "damaged or cut short"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "Git LFS pointer"),
        ("\\data\\\nngram 1=3\n\n\\1-grams:\n-1\t<s>\n-1\t</s>\n-1\ta\n\n\\end\\\n", "single words only"),
        ("\\data\\\n" + "".join(f"ngram {n}=1\n" for n in range(1, 9)), "order 7 or more"),
    ],
)  # fmt: skip
def test_damage_is_a_sentence(tmp_path: Path, text: str | bytes, what: str) -> None:
    with pytest.raises(LanguageModelError, match=what) as caught:
        adopted(tmp_path, text)
    assert str(tmp_path / "x.arpa") in str(caught.value) and not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("probing",),
        ("trie",),
        ("-q", "8", "trie"),
        ("-a", "22", "trie"),
        ("-q", "8", "-a", "22", "trie"),
        ("-v", "trie"),
    ],
)
def test_binaries_of_all_kinds(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    path = binary_of(tmp_path, *arguments)
    request = {"binary": path, "out": tmp_path / "out", "store": tmp_path / "store"}
    if "-v" in arguments:
        with pytest.raises(LanguageModelUsageError, match=r"holds no words .* --words FILE"):
            adopt(AdoptRequest(**request))
        (tmp_path / "words.txt").write_text("<eps> 0\nthe 1\ncat 2\nsat 3\nelephant 4\n")
        result = adopt(AdoptRequest(**request, words=tmp_path / "words.txt"))
        assert result["decisions"] == ["2 words of words.txt are not in the model and were left out"]
    else:
        result = adopt(AdoptRequest(**request))
    assert result["vocabulary"] == 3 and result["adopted"]["form"] == "binary"
    assert verify(tmp_path / "out")["files"] == 3
    assert scores(tmp_path / "out") == pytest.approx([-0.4, -0.1, -0.2, -0.5], abs=0.05)


def test_broken_binaries_are_sentences(tmp_path: Path) -> None:
    path = binary_of(tmp_path, "probing")
    whole = path.read_bytes()
    for data, what in (
        (b"nothing", "does not begin as a KenLM binary"),
        (whole[:150], "cannot be used"),
        (whole[: len(whole) // 2], "cannot be used|cut short"),
        (ARPA.encode(), "is an ARPA file"),
        (b"", "does not begin"),
    ):
        path.write_bytes(data)
        with pytest.raises(TextSourceError, match=what):
            adopt(AdoptRequest(binary=path, out=tmp_path / "out", store=tmp_path / "store"))
    path.write_bytes(whole)
    (tmp_path / "w").write_text("elephant\n")
    with pytest.raises(LanguageModelUsageError, match="knows none of the 1 words"):
        adopt(AdoptRequest(binary=path, words=tmp_path / "w", out=tmp_path / "out", store=tmp_path / "store"))


def test_the_alphabet_is_named_english_or_of_the_words(tmp_path: Path) -> None:
    greek = ARPA.replace("the", "το").replace("cat", "γάτα").replace("sat", "κάθισε")
    result = adopted(tmp_path, greek)
    labels = Alphabet.load(tmp_path / "out" / "alphabet.txt").labels
    assert (
        labels[0] == " "
        and set("γάτα") <= set(labels)
        and "a network needs its own" in result["decisions"][0]
    )
    Alphabet([" ", "a", "c", "t"]).save(tmp_path / "few.txt")
    assert adopted(tmp_path, ARPA, alphabet=tmp_path / "few.txt")["lexicon"]["words"] == 1
    Alphabet([" ", "x"]).save(tmp_path / "none.txt")
    with pytest.raises(SpeechmillError, match="outside the alphabet"):
        adopted(tmp_path, ARPA, alphabet=tmp_path / "none.txt")


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"quantise": 8}, "needs"),
        ({"words": Path("w")}, "is for a binary"),
        ({"unit": "syllables"}, "neither words nor characters"),
        ({"alphabet": Path("nowhere.txt")}, "nowhere.txt does not exist"),
        ({"publish": "x"}, "either --out DIR or --publish NAME"),
    ],
)
def test_settings_that_cannot_be(tmp_path: Path, settings: dict[str, object], what: str) -> None:
    with pytest.raises(SpeechmillError, match=what):
        adopted(tmp_path, ARPA, **settings)


def test_the_command_publishes_under_the_files_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "3-gram.pruned.arpa"
    path.write_text(ARPA)
    assert main(["adopt", "--arpa", str(path), "--store", str(tmp_path / "store"), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["status"] == "published" and result["name"] == "3-gram.pruned"
    store = open_store(tmp_path / "store")
    assert write_report(store, "3-gram.pruned").is_file()
    assert main(["show", "3-gram.pruned", "--store", str(store.root)]) == 0
    assert "ARPA file 3-gram.pruned.arpa, order 3, 3 words" in capsys.readouterr().out
    assert main(["adopt", "--arpa", str(tmp_path / "no.arpa"), "--store", str(store.root)]) == 2
    assert "no.arpa does not exist" in capsys.readouterr().err
