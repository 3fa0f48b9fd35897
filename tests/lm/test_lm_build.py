"""The whole stage on small stores: published, unchanged, byte-identical, measured, and its refusals."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import native
from lm import kenlm
from lm.build import BuildRequest, build, inputs_hash
from lm.errors import EmptyTextError, LanguageModelUsageError, ResourceError, TextSourceError
from lm.inspection import query, verify
from lm.model.folder import FILES
from lm.pages.report import render, write_report
from store.errors import NotPublishedError
from store.opening import open_store

TRAIN = [
    "the cat sat on the mat",
    "the dog sat on the log by the door",
    "a cat saw the dog run",
    "the dog ran to the old door",
    "a mat lay by the log",
]
DEV = ["the cat ran to the door", "a zebra sat on the mat"]


@pytest.fixture
def request_for_store(store_root: Path, write_corpus: Callable[..., Path]) -> BuildRequest:
    """A request to publish from one small corpus."""
    write_corpus("small", {"train": [*TRAIN, DEV[0]], "dev": DEV, "test": ["the log by the old mat"]})
    return BuildRequest(publish="default", order=3, store=store_root)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_a_published_model_is_complete_and_loads(request_for_store: BuildRequest, store_root: Path) -> None:
    result = build(request_for_store)
    folder = open_store(store_root).language_model("default")
    assert result["status"] == "published" and Path(result["path"]).samefile(folder)
    assert sorted(contents(folder)) == sorted([*FILES, "manifest.json"])
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (manifest["order"], manifest["ngrams"][0]) == (3, manifest["vocabulary"] + 3)
    assert manifest["sentences"]["left_out"] == 1
    assert manifest["lexicon"]["words"] == manifest["vocabulary"]
    assert str(store_root) not in (folder / "manifest.json").read_text()
    scorer = native.Scorer.load(folder)
    assert scorer.lm_hash == manifest["identity"]["lm_hash"]
    assert verify(folder)["version"] == folder.name


def test_the_same_inputs_are_not_built_twice_and_give_the_same_bytes(
    request_for_store: BuildRequest, store_root: Path, tmp_path: Path
) -> None:
    first = build(request_for_store)
    assert first["inputs_hash"] == inputs_hash(request_for_store)
    assert build(request_for_store)["status"] == "unchanged"
    outs = [tmp_path / "elsewhere", tmp_path / "other"]
    for out in outs:
        assert build(replace(request_for_store, publish=None, out=out))["status"] == "built"
    assert contents(outs[0]) == contents(outs[1])
    assert build(replace(request_for_store, publish=None, out=outs[0]))["status"] == "unchanged"
    published = contents(open_store(store_root).language_model("default"))
    assert {n: published[n] for n in FILES} == {n: contents(outs[0])[n] for n in FILES}
    assert not list((store_root / "staging" / "language_models").iterdir())


def test_new_transcripts_or_settings_make_a_new_version_and_the_old_one_stays(
    request_for_store: BuildRequest, store_root: Path, write_corpus: Callable[..., Path]
) -> None:
    first = build(request_for_store)
    second = build(replace(request_for_store, order=2))
    write_corpus("more", {"train": ["a bird flew over the house"]})
    third = build(request_for_store)
    assert len({first["version"], second["version"], third["version"]}) == 3
    assert "bird" in query(Path(third["path"]), ["bird"])["sentences"][0]["text"]
    assert open_store(store_root).language_model("default").name == third["version"]
    back = build(replace(request_for_store, order=2))
    assert build(request_for_store)["status"] == "unchanged"
    assert open_store(store_root).language_model("default").name == third["version"]
    assert open_store(store_root).language_model("default", back["version"]).is_dir()


def test_dev_perplexity_and_unknown_words_agree_with_kenlm_s_own_query(
    request_for_store: BuildRequest,
) -> None:
    result = build(request_for_store)
    tool = kenlm.find_tools().lmplz.parent / "query"
    out = subprocess.run(
        [tool, "-v", "summary", Path(result["path"]) / "lm.binary"],
        input="\n".join(DEV) + "\n", capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    figures = dict(re.findall(r"^(.+?):\s*(\S+)$", out, re.M))
    dev = result["dev"]
    assert dev["perplexity"] == pytest.approx(float(figures["Perplexity including OOVs"]), rel=1e-4)
    assert dev["perplexity_without_oov"] == pytest.approx(
        float(figures["Perplexity excluding OOVs"]), rel=1e-4
    )
    assert dev["oov_words"] == int(figures["OOVs"]) == 1
    assert dev["frequent_oov"] == [["zebra", 1]]
    assert result["oov_rate"] == pytest.approx(1 / 12, abs=1e-6)
    assert dev["corpora"]["small"]["perplexity"] == dev["perplexity"]


def test_query_agrees_with_kenlm_word_by_word(request_for_store: BuildRequest) -> None:
    result = build(request_for_store)
    tool = kenlm.find_tools().lmplz.parent / "query"
    out = subprocess.run(
        [tool, "-v", "word", Path(result["path"]) / "lm.binary"],
        input="the cat sat by a zebra\n", capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    expected = [float(number) for number in re.findall(r"=\d+ \d+ (-?[\d.e-]+)", out)]
    [sentence] = query(Path(result["path"]), ["The cat sat by a zebra."])["sentences"]
    assert [word["log10"] for word in sentence["words"]] == pytest.approx(expected, abs=1e-4)
    assert [word["word"] for word in sentence["words"] if word["oov"]] == ["zebra"]


def test_single_words_make_a_model_and_say_so(store_root: Path, write_corpus: Callable[..., Path]) -> None:
    write_corpus("digits", {"train": ["six", "seven", "six", "oh"], "dev": ["six"]})
    result = build(BuildRequest(publish="digits", corpora=("digits",), order=5, store=store_root))
    assert (result["order"], result["order_asked"], result["discount_fallback"]) == (3, 5, True)
    assert result["sentences"]["short_overlap"] == 2
    assert result["oov_rate"] == 0


def test_a_vocabulary_limit_keeps_the_most_frequent_words(request_for_store: BuildRequest) -> None:
    result = build(replace(request_for_store, vocabulary_size=4))
    assert result["vocabulary"] == 4
    assert [w["oov"] for w in query(Path(result["path"]), ["the dog zigzag"])["sentences"][0]["words"]][
        :3
    ] == [
        False,
        False,
        True,
    ]


def test_text_alone_is_enough_and_nothing_at_all_is_not(tmp_path: Path, store_root: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text(". ".join(TRAIN).capitalize() + ".")
    request = BuildRequest(out=tmp_path / "lm", text=(text,), store=store_root, binary="trie", quantise=8)
    assert build(request)["perplexity"] is None
    with pytest.raises(LanguageModelUsageError, match="nothing to learn from: no corpus is published in"):
        build(replace(request, text=()))
    with pytest.raises(NotPublishedError, match="elsewhere"):
        build(replace(request, corpora=("elsewhere",)))


@pytest.mark.parametrize(
    ("content", "kind", "words"),
    [
        (b"", EmptyTextError, "the text holds no sentence to learn from"),
        (b"1984.\n2001.\n", EmptyTextError, "2 refused for digits.*numbers as words"),
        (
            "Λόγος.\n".encode(),
            EmptyTextError,
            "1 refused for characters outside the alphabet.*Λ.*alphabet of this",
        ),
        (b"... !\n", EmptyTextError, "1 refused without a word.*give more text"),
        (b"version https://git-lfs.github.com/spec/v1\nsize 1\n", TextSourceError, "Git LFS pointer"),
    ],
)
def test_unusable_text_ends_in_a_sentence_and_leaves_nothing(
    tmp_path: Path, store_root: Path, content: bytes, kind: type[Exception], words: str
) -> None:
    text = tmp_path / "text.txt"
    text.write_bytes(content)
    with pytest.raises(kind, match=words):
        build(BuildRequest(publish="bad", text=(text,), store=store_root))
    assert not (store_root / "language_models" / "bad").exists()
    assert not list((store_root / "staging").rglob("*.*"))


def test_too_little_disk_is_said_before_the_sort(
    request_for_store: BuildRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lm.build._SORT_BYTES_PER_TEXT_BYTE", 1 << 50)
    with pytest.raises(ResourceError, match="MiB are free"):
        build(request_for_store)


def test_a_folder_with_other_things_is_not_replaced(request_for_store: BuildRequest, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("precious")
    with pytest.raises(LanguageModelUsageError, match="is no language model"):
        build(replace(request_for_store, publish=None, out=tmp_path / "mine"))
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "precious"


def test_a_failed_build_keeps_the_model_that_was_there(
    request_for_store: BuildRequest, store_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = build(request_for_store)
    monkeypatch.setattr(kenlm, "to_binary", lambda *_: (_ for _ in ()).throw(ResourceError("full")))
    with pytest.raises(ResourceError):
        build(replace(request_for_store, order=4))
    assert open_store(store_root).language_model("default").name == before["version"]


def test_the_report_shows_the_figures_and_escapes_names(
    request_for_store: BuildRequest, store_root: Path
) -> None:
    result = build(request_for_store)
    page = write_report(open_store(store_root), "default").read_text()
    assert "zebra" in page and f"{result['perplexity']:,.1f}" in page
    assert "http://" not in page and "https://" not in page
    assert "<script>" not in render({**result, "name": "<script>"})


def test_a_given_list_of_words_is_the_vocabulary(request_for_store: BuildRequest, tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("# most wanted\nThe 120\ncat\ndoor\nzebra\nλόγος\nr2d2\ncat\n")
    result = build(replace(request_for_store, vocabulary=path))
    assert result["vocabulary"] == 3
    assert result["vocabulary_choice"]["size"] == 4
    assert result["vocabulary_choice"]["outside_alphabet"] == {"words": 2, "first": ["λόγος", "r2d2"]}
    assert result["vocabulary_choice"]["not_in_text"] == {"words": 1, "first": ["zebra"]}
    assert "1 of 4 listed words do not stand in the text: zebra" in result["decisions"]
    path.write_text("zebra\nokapi\n")
    with pytest.raises(EmptyTextError, match=r"none of the \d+ words of the text is in the vocabulary"):
        build(replace(request_for_store, vocabulary=path))
    path.write_text("λόγος\n")
    with pytest.raises(LanguageModelUsageError, match="can be spelled"):
        build(replace(request_for_store, vocabulary=path))
    with pytest.raises(LanguageModelUsageError, match="not both"):
        build(replace(request_for_store, vocabulary=path, vocabulary_size=3))
    with pytest.raises(LanguageModelUsageError, match="does not exist"):
        build(replace(request_for_store, vocabulary=tmp_path / "none"))


def test_lines_of_another_encoding_stand_among_the_decisions(tmp_path: Path, store_root: Path) -> None:
    text = tmp_path / "novel.txt"
    text.write_bytes("The rôle was hers.\n".encode() * 3 + "The café shut.\n".encode("latin-1"))
    result = build(BuildRequest(publish="novel", text=(text,), order=2, store=store_root))
    assert "text novel.txt: 1 line was no UTF-8 and read as Windows-1252" in result["decisions"]
    assert result["sentences"]["sources"]["text novel.txt"]["lines_not_utf8"] == 1
    assert result["sentences"]["kept"] == 4


def test_an_alphabet_is_compared_with_the_text(tmp_path: Path, store_root: Path) -> None:
    text, alphabet = tmp_path / "text.txt", tmp_path / "alphabet.txt"
    text.write_text("Ab ba.\nBa ab ab.\n")
    asked = BuildRequest(publish="ab", text=(text,), alphabet=alphabet, order=2, store=store_root)
    alphabet.write_text(" \na\nb\nend of file\n")
    assert any("'end of file'" in decision for decision in build(asked)["decisions"])
    alphabet.write_text(" \na\nb\n")
    assert not any("alphabet" in decision for decision in build(asked)["decisions"])
    alphabet.write_text("a\nb\n")
    with pytest.raises(LanguageModelUsageError, match="no line that is one blank"):
        build(replace(asked, unit="words"))
    assert build(asked)["identity"]["unit"] == "characters"
    alphabet.write_text(" \nA\nB\n")
    with pytest.raises(EmptyTextError, match=r"put in small letters, and the alphabet has capitals \(A B\)"):
        build(asked)


def test_readmitted_sentences_stand_in_the_manifest(request_for_store: BuildRequest) -> None:
    result = build(replace(request_for_store, keep_held_out=True))
    assert (result["sentences"]["left_out"], result["sentences"]["readmitted"]) == (0, 1)
    assert result["inputs"]["settings"]["keep_held_out"] is True


def test_text_and_questions_are_read_by_the_rules_of_the_language_asked_for(
    tmp_path: Path, store_root: Path
) -> None:
    text = tmp_path / "text.txt"
    text.write_text("Band II lag auf dem Tisch.\nAuf dem Tisch lag Brot & Salz.\n")
    request = BuildRequest(out=tmp_path / "lm", text=(text,), corpora=(), order=2, store=store_root)
    english = build(replace(request, out=tmp_path / "english"))
    assert english["sentences"]["refused"] == {"numbers": 1}
    assert "language" not in english["inputs"]["settings"], "English models keep the hash they have"
    german = build(replace(request, language="de"))
    assert (german["sentences"]["kept"], german["sentences"]["refused"]) == (2, {})
    [asked] = query(tmp_path / "lm", ["Band II & Salz"])["sentences"]
    assert asked["text"] == "band ii und salz"
