"""The faces of other decoders inside the libraries that call them, each in an environment of its own.

transformers is asked with this library standing in for pyctcdecode and kenlm, neither of which is installed there;
flashlight-text, which is what torchaudio's `ctc_decoder` calls, decodes the same emissions as our call of that name;
pyctcdecode with KenLM the same logits as ours.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

import native
from tests.native.ctc_reference import build_language_model

ROOT = Path(__file__).resolve().parents[2]
SENTENCES = ["the cat sat on the mat", "the dog sat on the log", "a cat and a dog sat"] * 3
LETTERS = "etaonihsrdlumwcfgypbvk'xjqz"
pytestmark = pytest.mark.slow

TRANSFORMERS = """
import json, os, sys
import numpy as np
from multiprocessing import get_context
from native.pyctcdecode import build_ctcdecoder, stand_in
stand_in()
from transformers import Wav2Vec2CTCTokenizer, Wav2Vec2FeatureExtractor, Wav2Vec2ProcessorWithLM
folder, letters = sys.argv[1:]
labels = ["<pad>", "<s>", "</s>", "<unk>", "|", *letters]
with open(f"{folder}/vocab.json", "w") as stream:
    json.dump({label: number for number, label in enumerate(labels)}, stream)
rows = np.full((44, len(labels)), -6.0, np.float32)
for place, sign in enumerate("the cat sat on the log".replace(" ", "|")):
    rows[2 * place, labels.index(sign)] = rows[2 * place + 1, 0] = 6.0
    if sign == "a":
        rows[2 * place, labels.index("u")] = 6.5
tokenizer = Wav2Vec2CTCTokenizer(f"{folder}/vocab.json")
processor = Wav2Vec2ProcessorWithLM(
    feature_extractor=Wav2Vec2FeatureExtractor(sampling_rate=16000),
    tokenizer=tokenizer, decoder=build_ctcdecoder(labels, f"{folder}/lm.arpa"))
processor.save_pretrained(f"{folder}/saved")
again = Wav2Vec2ProcessorWithLM.from_pretrained(f"{folder}/saved", alpha=0.6, beta=2.0)
both = np.stack([rows, rows])
both[1, 40:] = -100.0  # padding
one = again.decode(rows, output_word_offsets=True)
with get_context("fork").Pool(2) as pool:
    pooled = again.batch_decode(both, pool).text
print(json.dumps({
    "decode": processor.decode(rows).text, "again": one.text,
    "weights": [again.language_model.alpha, again.language_model.beta],
    "offsets": one.word_offsets[1], "batch": again.batch_decode(both, num_processes=2).text, "pool": pooled,
    "hot": again.decode(rows, hotwords=["cut"], hotword_weight=30.0).text,
    "best": len(processor.decode(rows, n_best=2).text),
}))
"""

FLASHLIGHT = """
import json, sys
import numpy as np
from flashlight.lib.text import decoder as text
from flashlight.lib.text.dictionary import Dictionary, create_word_dict, load_words
try:
    from flashlight.lib.text.decoder.kenlm import KenLM
except ImportError:
    KenLM = text.KenLM
from native.torchaudio import ctc_decoder
folder, letters = sys.argv[1:]
tokens = ["-", "|", *letters]
words = "the cat sat on mat dog log a and".split()
with open(f"{folder}/lexicon.txt", "w") as stream:
    stream.writelines(f"{word} {' '.join(word)} |\\n" for word in words)
lexicon, names = load_words(f"{folder}/lexicon.txt"), Dictionary(tokens)
numbers = create_word_dict(lexicon)
model = KenLM(f"{folder}/lm.binary", numbers)
trie = text.Trie(len(tokens), 1)
for word, spellings in lexicon.items():
    number = numbers.get_index(word)
    _, score = model.score(model.start(False), number)
    for spelling in spellings:
        trie.insert([names.get_index(token) for token in spelling], number, score)
trie.smear(text.SmearingMode.MAX)
random = np.random.default_rng(1)
found = []
for _ in range(100):
    weight, bonus = random.uniform(0.5, 2), random.uniform(-2, 2)
    said = "|".join(random.choice(words, size=random.integers(2, 6))) + "|"
    rows = random.normal(-2.1, 1.2, (2 * len(said), len(tokens)))
    for place, sign in enumerate(said):
        rows[2 * place, tokens.index(sign)] += 4.2
        rows[2 * place + 1, 0] += 4.2
    rows = (rows - np.log(np.exp(rows).sum(axis=1, keepdims=True))).astype(np.float32)
    options = text.LexiconDecoderOptions(400, len(tokens), 100.0, weight, bonus, -np.inf, 0.0, True, text.CriterionType.CTC)
    theirs = text.LexiconDecoder(options, trie, model, 1, 0, numbers.get_index("<unk>"), [], False)
    best = theirs.decode(rows.ctypes.data, len(rows), len(tokens))[0]
    ours = ctc_decoder(f"{folder}/lexicon.txt", tokens, f"{folder}/lm.binary", beam_size=400, beam_threshold=100.0,
                       lm_weight=weight, word_score=bonus, log_add=True)(rows[None])[0][0]
    found.append([[numbers.get_entry(x) for x in best.words if x >= 0], best.score, ours.words, ours.score])
print(json.dumps(found))
"""

PYCTCDECODE = """
import json, sys
import numpy as np
import kenlm, pyctcdecode
from native import pyctcdecode as ours
folder, letters = sys.argv[1:]
labels = [" ", *letters, ""]
words = "the cat sat on mat dog log a and".split()
theirs, own = (one.build_ctcdecoder(labels, f"{folder}/lm.arpa", alpha=0.7, beta=1.2) for one in (pyctcdecode, ours))
assert isinstance(theirs._language_model._kenlm_model, kenlm.Model)
random = np.random.default_rng(2)
found = []
for number in range(200):
    said = " ".join(random.choice(words, size=random.integers(2, 6)))
    rows = random.normal(-2.1, 1.5, (2 * len(said), len(labels)))
    for place, sign in enumerate(said):
        rows[2 * place, labels.index(sign)] += 4.2
        rows[2 * place + 1, -1] += 4.2
    hot = ["dog", "the log"] if number % 2 else None
    answers = [one.decode_beams(rows, beam_width=50, hotwords=hot, prune_history=number % 4 == 0) for one in (theirs, own)]
    found.append([[[beam[0], beam[2], beam[3], beam[4]] for beam in beams[:20]] for beams in answers])
print(json.dumps(found))
"""

NEMO = """
import json, sys
import numpy as np
from native.pyctcdecode import stand_in
stand_in()
import torch
from nemo.collections.asr.parts.submodules.ctc_beam_decoding import BeamCTCInfer
folder, letters = sys.argv[1:]
labels = [" ", *letters]
rows = np.full((2, 44, len(labels) + 1), -9.0, np.float32)
for place, sign in enumerate("the cat sat on the log"):
    rows[:, 2 * place, labels.index(sign)] = rows[:, 2 * place + 1, -1] = 0.0
    if sign == "a":
        rows[:, 2 * place, labels.index("u")] = 0.5
infer = BeamCTCInfer(
    blank_id=len(labels), beam_size=16, search_type="pyctcdecode", return_best_hypothesis=True,
    ngram_lm_model=f"{folder}/lm.arpa", ngram_lm_alpha=0.7, beam_beta=1.2)
infer.set_vocabulary(labels)
infer.set_decoding_type("char")
logs = torch.tensor(rows).log_softmax(-1)
(found,) = infer(decoder_output=logs, decoder_lengths=torch.tensor([44, 40]))
print(json.dumps([[one.text, "".join(labels[int(y)] for y in one.y_sequence), one.timestamp] for one in found]))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a bigram model: lm.arpa, lm.binary."""
    return build_language_model(tmp_path, SENTENCES, native.Alphabet([" ", *LETTERS]))


def made(peer: str) -> None:
    """Makes the peer's environment where it does not stand."""
    subprocess.run([ROOT / "benchmarks/peers.sh", peer], check=True, timeout=800)


def run(peer: str, program: str, folder: Path) -> Any:
    """What the program prints last, in the environment of the peer, with this checkout's `native` on its path."""
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(folder), "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    done = subprocess.run(
        [ROOT / f"build/peers/{peer}/bin/python", "-c", program, str(folder), LETTERS],
        capture_output=True, text=True, env=environment, timeout=600, check=False, cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_transformers_decodes_saves_and_loads_with_a_language_model(folder: Path) -> None:
    made("transformers")
    found = run("transformers", TRANSFORMERS, folder)
    said = "the cat sat on the log"
    assert [found["decode"], found["again"], found["weights"]] == [said, said, [0.6, 2.0]]
    assert found["offsets"] == {"word": "cat", "start_offset": 8, "end_offset": 13}
    assert found["batch"] == found["pool"] == [said, "the cat sat on the l"]
    assert "cut" in found["hot"] and found["best"] >= 1


def test_flashlight_finds_the_words_that_our_call_of_torchaudio_finds(folder: Path) -> None:
    made("flashlight")
    found = run("flashlight", FLASHLIGHT, folder)
    other = [one for one in found if one[0] != one[2]]
    # Flashlight ends no text but behind a silence; ours may, and then has the better score.
    assert len(found) == 100 and len(other) <= 3
    assert all(ours > theirs for _, theirs, _, ours in other)
    assert all(abs(ours - theirs) < 3.0 for words, theirs, own, ours in found if words == own)


def test_pyctcdecode_with_kenlm_finds_the_same_beams(folder: Path) -> None:
    made("pyctcdecode")
    found = run("pyctcdecode", PYCTCDECODE, folder)
    assert len(found) == 200
    for theirs, ours in found:
        assert [beam[:2] for beam in ours] == [beam[:2] for beam in theirs]
        for mine, other in zip(ours, theirs, strict=True):
            assert mine[2:] == pytest.approx(other[2:], abs=1e-6)


def test_nemo_searches_with_the_language_model(folder: Path) -> None:
    if not (ROOT / "build/peers/nemo/bin/python").exists():
        pytest.skip("NeMo's environment is not made (benchmarks/peers.sh nemo; it brings torch, several GB)")
    found = run("nemo", NEMO, folder)
    texts = ["the cat sat on the log", "the cat sat on the l"]
    assert [one[:2] for one in found] == [[text, text] for text in texts]
    assert found[0][2][1] == ["cat", [8, 13]]
