"""The faces of other decoders inside the libraries that call them, each in an environment of its own.

transformers is asked with this library standing in for pyctcdecode and kenlm, neither of which is installed there;
flashlight-text, which is what torchaudio's `ctc_decoder` calls, decodes the same emissions as our call of that name.
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


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a bigram model: lm.arpa, lm.binary."""
    return build_language_model(tmp_path, SENTENCES, native.Alphabet([" ", *LETTERS]))


def run(peer: str, program: str, folder: Path) -> Any:
    """What the program prints last, in the environment of the peer, with this checkout's `native` on its path."""
    subprocess.run([ROOT / "benchmarks/peers.sh", peer], check=True, timeout=800)
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
    found = run("transformers", TRANSFORMERS, folder)
    said = "the cat sat on the log"
    assert [found["decode"], found["again"], found["weights"]] == [said, said, [0.6, 2.0]]
    assert found["offsets"] == {"word": "cat", "start_offset": 8, "end_offset": 13}
    assert found["batch"] == found["pool"] == [said, "the cat sat on the l"]
    assert "cut" in found["hot"] and found["best"] >= 1


def test_flashlight_finds_the_words_that_our_call_of_torchaudio_finds(folder: Path) -> None:
    found = run("flashlight", FLASHLIGHT, folder)
    other = [one for one in found if one[0] != one[2]]
    # Flashlight ends no text but behind a silence; ours may, and then has the better score.
    assert len(found) == 100 and len(other) <= 3
    assert all(ours > theirs for _, theirs, _, ours in other)
    assert all(abs(ours - theirs) < 3.0 for words, theirs, own, ours in found if words == own)
