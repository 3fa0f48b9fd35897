"""What is done with an installed wheel to see that it works: text to model, scores to text, flac, error rates.

    python -I smoke.py FOLDER        with the Python that has the wheel; FOLDER is empty and is written to

Prints one line of JSON, the same on every Python and processor. Imports nothing of a checkout.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import speechmill  # type: ignore[import-not-found]  # the installed wheel, not a folder of the checkout
from speechmill import flac  # type: ignore[import-not-found]
from speechmill.pyctcdecode import build_ctcdecoder  # type: ignore[import-not-found]

LABELS = [" ", *"abcdefghijklmnopqrstuvwxyz'"]
TEXT = "the cat sat on the mat\nthe dog sat on the log\na cat and a dog sat\n" * 3
SAID = "the cat sat on the log"


def main(folder: Path) -> int:
    """Runs it all; an exception or a wrong text is the failure."""
    (folder / "speech.txt").write_text(TEXT, encoding="utf-8")
    command(folder, "lm", "build", "--text", "speech.txt", "--corpora", "--order", "3", "--out", "lm")
    scores = heard(SAID)
    np.save(folder / "scores.npy", scores)
    scorer = speechmill.Scorer.load(folder / "lm")
    found = speechmill.decode(scores[None], [len(scores)], scorer.alphabet, scorer)[0][0]
    beams = build_ctcdecoder([*LABELS, ""], str(folder / "lm" / "lm.arpa")).decode_beams(scores)
    program = command(folder, "decode", "--lm", "lm", "scores.npy").strip()
    score = json.loads(command(folder, "score", "--ref", "speech.txt", "--hyp", "speech.txt", "--json"))
    sound = np.random.default_rng(7).normal(scale=900, size=32000).astype(np.int16)
    packed = flac.encode(sound, 16000)
    if (flac.decode(packed).samples.reshape(-1) != sound).any():
        raise SystemExit("flac: other samples came back")
    texts = [found.text, beams[0].text, program]
    if texts != [SAID] * 3:
        raise SystemExit(f"decoded {texts} where {SAID!r} was said")
    answers = [f"{found.score:.6f}", f"{beams[0].lm_score:.6f}", hashlib.sha256(packed).hexdigest()[:16]]
    print(json.dumps({"texts": texts, "answers": answers, "wer": score["wer"]}))
    return 0


def heard(text: str) -> npt.NDArray[np.float32]:
    """Log-probabilities [frames, labels and blank] of a network in doubt between `cat` and `cut`."""
    labels = [*LABELS, ""]
    rows = np.full((2 * len(text), len(labels)), -12.0, np.float32)
    for place, sign in enumerate(text):
        rows[2 * place, labels.index(sign)] = 0.0
        rows[2 * place + 1, -1] = 0.0
        if sign == "a":
            rows[2 * place, labels.index("u")] = 0.5
    rows -= np.log(np.exp(rows).sum(axis=1, keepdims=True))
    return rows


def command(folder: Path, *words: str) -> str:
    """What a sub-command of `speechmill`, the one beside this Python, prints."""
    program = Path(sys.executable).parent / "speechmill"
    done = subprocess.run([program, *words], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"speechmill {' '.join(words)}: {done.stderr}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
