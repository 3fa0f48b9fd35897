"""A language model with a lexicon of pronunciations: built, proved, and deciding between words of one sound."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import native
from lm.build import build
from lm.errors import EmptyTextError, LanguageModelUsageError
from lm.inspection import query, verify
from lm.request import BuildRequest, gather
from native.errors import DecodeError, ScorerError

SOUNDS = [" ", "N", "UW", "Y", "P", "AO", "Z", "AH", "DH", "K", "T", "S", "IH", "B", "ER", "HH", "IY", "L"]
LIST = """
;;; invented, in the manner of CMUdict
a          AH
new        N UW
new(2)     N Y UW
knew       N UW
pause      P AO Z
paws       P AO Z
the        DH AH
cat        K AH T
bit        B IH T
its        IH T S
her        HH ER
he         HH IY
"""
TEXT = """He knew her.
He knew the cat.
He knew a cat.
A new cat.
The new cat.
The cat bit its paws.
The cat bit her paws.
A pause.
A pause bit the cat.
The zebra knew her.
"""


def request(folder: Path, **settings: object) -> BuildRequest:
    folder.mkdir(exist_ok=True)
    (folder / "text.txt").write_text(TEXT, encoding="utf-8")
    (folder / "list.txt").write_text(LIST, encoding="utf-8")
    native.Alphabet(SOUNDS).save(folder / "sounds.txt")
    base = {
        "out": folder / "lm", "corpora": (), "text": (folder / "text.txt",), "order": 3, "store": folder,
        "alphabet": folder / "sounds.txt", "pronunciations": folder / "list.txt",
    }  # fmt: skip
    return BuildRequest(**{**base, **settings})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("homophones")
    build(request(folder))
    return folder / "lm"


def heard(said: str, sure: float = 0.9) -> np.ndarray:
    """Log-probabilities [frames, labels + blank] of a network that is rather sure of these sounds; | is the space."""
    labels = [*SOUNDS, ""]
    order = ["", *[one for label in said.split() for one in (" " if label == "|" else label, "")]]
    rows = np.full((len(order), len(labels)), (1 - sure) / (len(labels) - 1))
    rows[np.arange(len(order)), [labels.index(one) for one in order]] = sure
    return np.log(rows).astype(np.float32)


def decode(model: Path, said: str, **settings: object) -> list[native.Hypothesis]:
    scorer = native.Scorer.load(model, alpha=1.0, beta=1.0)
    log_probs = heard(said)
    found = native.decode(log_probs[None], [len(log_probs)], scorer.alphabet, scorer, n_best=5, **settings)  # type: ignore[arg-type]
    return found[0]


@pytest.mark.parametrize("mode", ["exact", "default", "fast"])
@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("HH IY | N UW | HH ER", "he knew her"),
        ("DH AH | N UW | K AH T", "the new cat"),
        ("AH | N Y UW | K AH T", "a new cat"),
        ("DH AH | K AH T | B IH T | IH T S | P AO Z", "the cat bit its paws"),
        ("AH | P AO Z", "a pause"),
        ("AH | P AO Z | B IH T | DH AH | K AH T", "a pause bit the cat"),
    ],
)
def test_the_language_model_decides_between_words_of_one_sound(
    model: Path, said: str, text: str, mode: str
) -> None:
    answers = decode(model, said, mode=mode)
    assert answers[0].text == text
    assert [word.word for word in answers[0].words] == text.split()
    assert len({answer.text for answer in answers}) == len(answers)


def test_the_other_word_is_the_second_answer_and_takes_its_share(model: Path) -> None:
    first, second = decode(model, "HH IY | N UW | HH ER", mode="exact")[:2]
    assert (first.text, second.text) == ("he knew her", "he new her")
    assert second.acoustic > first.acoustic, "new is said in two ways"
    assert first.lm > second.lm
    he, knew, her = first.words
    assert knew.confidence < he.confidence and knew.confidence < her.confidence
    assert (knew.start_frame, knew.end_frame) == (7, 10)
    assert first.timesteps == [1, 3, 5, 7, 9, 11, 13, 15]


def test_two_pronunciations_of_a_word_are_one_text(model: Path) -> None:
    rows = (heard("DH AH | N UW | K AH T"), heard("DH AH | N Y UW | K AH T"))
    scorer = native.Scorer.load(model, alpha=1.0, beta=1.0)
    texts = []
    for row in rows:
        answers = native.decode(row[None], [len(row)], scorer.alphabet, scorer, n_best=50, mode="exact")[0]
        texts.append([answer.text for answer in answers])
    assert [found[0] for found in texts] == ["the new cat"] * 2
    assert all(len(set(found)) == len(found) for found in texts)


def test_streams_and_the_decode_program_answer_alike(model: Path, tmp_path: Path) -> None:
    row = heard("DH AH | K AH T | B IH T | IH T S | P AO Z")
    scorer = native.Scorer.load(model, alpha=1.0, beta=1.0)
    stream = native.Stream(scorer.alphabet, scorer, mode="default")
    for frame in row:
        stream.feed(frame[None])
        stream.peek()
    [best] = native.decode(row[None], [len(row)], scorer.alphabet, scorer, mode="default")[0]
    answer = stream.finish()[0]
    assert (answer.text, answer.score) == (best.text, best.score) and answer.text.endswith("its paws")
    np.save(tmp_path / "row.npy", row)
    program = Path(native.__file__).resolve().parent.parent / "build" / "native" / "speechmill-decode"
    said = subprocess.run(
        [program, "--lm", model, "--alpha", "1", "--beta", "1", tmp_path / "row.npy"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.strip().endswith("the cat bit its paws")


def test_the_corrector_tries_every_word_of_a_sound(model: Path) -> None:
    scorer = native.Scorer.load(model)
    corrector = native.SpellCorrector(scorer)
    assert sorted(corrector.candidates("NUW")) == ["knew", "new"]
    assert corrector.correct(["HHIY NUW HHER", "DHAH NNUW KAHT", "IHTS PAOZ"]) == [
        "he knew her",
        "the new cat",
        "its paws",
    ]
    assert scorer.in_words("HHIY  NUW ZZZ") in ("he knew ZZZ", "he new ZZZ")
    assert scorer.knows("paws") and not scorer.knows("zebra") and not scorer.knows("NUW")


def test_the_manifest_says_what_is_said(model: Path) -> None:
    manifest = json.loads((model / "manifest.json").read_text())
    lexicon = manifest["lexicon"]
    assert (lexicon["words"], lexicon["pronunciations"]) == (11, 12)
    assert lexicon["list"]["without"] == {"words": 1, "first": ["zebra"]}
    assert any("1 of the model's 12 words have no pronunciation" in one for one in manifest["decisions"])
    assert verify(model)["identity"]["pronunciations_hash"] == manifest["identity"]["pronunciations_hash"]
    [sentence] = query(model, ["He knew her."])["sentences"]
    assert [word["word"] for word in sentence["words"]] == ["he", "knew", "her", "</s>"]
    assert native.Scorer.load(model).info["pronunciations"] == 12


def test_the_same_list_gives_the_same_bytes_and_another_one_another_model(
    model: Path, tmp_path: Path
) -> None:
    asked = request(tmp_path / "again")
    build(asked)
    assert (asked.out / "lexicon.trie").read_bytes() == (model / "lexicon.trie").read_bytes()  # type: ignore[operator]
    before = gather(asked).hash
    (tmp_path / "again" / "list.txt").write_text(LIST.replace("paws       P AO Z", "paws       P AO S"))
    assert gather(asked).hash != before
    other = tmp_path / "mixed"
    shutil.copytree(model, other)
    build(asked)
    shutil.copy(tmp_path / "again" / "lm" / "lexicon.trie", other / "lexicon.trie")
    with pytest.raises(ScorerError, match=r"pronunciations_hash of lexicon\.trie .* and of manifest\.json"):
        native.Scorer.load(other)


def test_what_a_lexicon_of_pronunciations_cannot_do_is_said(model: Path) -> None:
    for settings, sentence in (
        ({"open_vocabulary": True}, "has no letters to be written with"),
        ({"hot_words": {"paws": 2.0}}, "hot words are followed letter by letter"),
    ):
        with pytest.raises(DecodeError, match=sentence):
            decode(model, "AH", **settings)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"unit": "characters"}, "pronunciations are of words"),
        ({"labels": "bytes"}, "pronunciations are of words"),
        ({"pronunciations": Path("nowhere.txt")}, r"file of pronunciations nowhere\.txt does not exist"),
    ],
)
def test_requests_that_cannot_be(tmp_path: Path, settings: dict[str, object], sentence: str) -> None:
    with pytest.raises(LanguageModelUsageError, match=sentence):
        build(request(tmp_path, **settings))


def test_a_network_without_a_space_is_refused(tmp_path: Path) -> None:
    asked = request(tmp_path)
    native.Alphabet(SOUNDS[1:]).save(tmp_path / "sounds.txt")
    with pytest.raises(LanguageModelUsageError, match="has no line that is one blank: pronunciations need"):
        build(asked)


def test_a_list_of_another_language_is_refused(tmp_path: Path) -> None:
    asked = request(tmp_path)
    (tmp_path / "list.txt").write_text("zut Z UW T\n")
    with pytest.raises(EmptyTextError, match="none of the model's 12 words has a pronunciation"):
        build(asked)
    assert not (tmp_path / "lm").exists()


def test_without_an_alphabet_words_are_said_in_letters(tmp_path: Path) -> None:
    asked = request(tmp_path, alphabet=None)
    (tmp_path / "list.txt").write_text("knew n e w\nnew n e w\nhe h e\nher h e r\n")
    result = build(asked)
    assert result["lexicon"]["pronunciations"] == 4
    assert native.Scorer.load(tmp_path / "lm").in_words("new he") in ("knew he", "new he")
