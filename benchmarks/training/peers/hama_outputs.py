"""`ls …/*.wav | python hama_outputs.py OUT [PERCENT]`: the outputs of PyPI's `hama` (Apache-2.0) for WAV files of 16 kHz.

Writes `OUT/tokens.npz`: natural logs of its 191 tokens, float16 [frames, 191] by the file's name without its ending, a
frame every 20 ms. Folded to the 39 sounds of ARPAbet, word boundary and blank they are `OUT/log_probs.npz` ([frames, 41],
blank last) and `OUT/labels.tsv`: probabilities of tokens for one sound are added, what is no English sound is left out and
the rest sums to 1 again. A file that it cannot read is named and left out.

With PERCENT it hears the sound at that share of its speed (sox plays it: pitch and vocal tract move too) and writes
`OUT/tokens-PERCENT.npz` only: another hearing of the same sound.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from hama.asr import ASRModel, read_wav_mono

# label (one character), ARPAbet, tokens
SOUNDS = (
    (" ", "word boundary", "<wb>"), ("a", "AA", "ɑ ɒ a"), ("b", "AE", "æ"), ("c", "AH", "ə ʌ ɐ"), ("d", "AO", "ɔ"),
    ("e", "AW", "aʊ"), ("f", "AY", "aɪ"), ("g", "B", "b"), ("h", "CH", "t͡ʃ"), ("i", "D", "d"), ("j", "DH", "ð"),
    ("k", "EH", "ɛ"), ("l", "ER", "ɝ ɚ ɜ"), ("m", "EY", "eɪ e"), ("n", "F", "f"), ("o", "G", "ɡ g"), ("p", "HH", "h"),
    ("q", "IH", "ɪ ɨ"), ("r", "IY", "i"), ("s", "JH", "d͡ʒ"), ("t", "K", "k kʰ"), ("u", "L", "l ɫ"), ("v", "M", "m"),
    ("w", "N", "n"), ("x", "NG", "ŋ"), ("y", "OW", "oʊ o"), ("z", "OY", "ɔɪ"), ("à", "P", "p pʰ"), ("á", "R", "ɹ r ɻ"),
    ("â", "S", "s"), ("ã", "SH", "ʃ"), ("ä", "T", "t tʰ ɾ"), ("å", "TH", "θ"), ("æ", "UH", "ʊ"), ("ç", "UW", "u ʉ"),
    ("è", "V", "v"), ("é", "W", "w"), ("ê", "Y", "j"), ("ë", "Z", "z"), ("ì", "ZH", "ʒ"), ("", "<blank>", "<blank>"),
)  # fmt: skip
_LEAST = 1e-6  # of a probability, so that its log stays in a float16


def folding(tokens: list[str]) -> np.ndarray:
    """Tokens × sounds, 1 where a token is that sound."""
    matrix = np.zeros((len(tokens), len(SOUNDS)))
    for column, (_, _, names) in enumerate(SOUNDS):
        for name in names.split():
            matrix[tokens.index(name), column] = 1.0
    return matrix


def played(path: Path, percent: int, folder: Path) -> Path:
    """The sound at another speed, a file below `folder`, without dither, which is random; the file itself at 100."""
    if percent == 100:
        return path
    slower = folder / "played.wav"
    subprocess.run(["sox", "-V1", "-D", str(path), str(slower), "speed", str(percent / 100)], check=True)
    return slower


def tokens_of(model: ASRModel, path: Path) -> np.ndarray:
    """Natural logs, float16 [frames, tokens]."""
    samples, rate_hz = read_wav_mono(path)
    if rate_hz != model.model_sample_rate:
        raise ValueError(f"{rate_hz} Hz; expected {model.model_sample_rate}")
    names = [model._log_probs_output_name, model._out_lengths_output_name]
    feeds = {
        model._waveform_input_name: samples.reshape(1, -1).astype(np.float32),
        model._waveform_lengths_input_name: np.array([len(samples)], dtype=np.int64),
    }
    outputs, lengths = model.session.run(names, feeds)
    frames = int(np.asarray(lengths).reshape(-1)[0])
    return np.asarray(outputs)[0][:frames].astype(np.float16)


def folded(tokens: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Natural logs of the sounds, float16 [frames, 41]."""
    sums = np.exp(tokens.astype(np.float64)) @ fold
    sums = np.maximum(sums / sums.sum(axis=1, keepdims=True), _LEAST)
    return np.log(sums / sums.sum(axis=1, keepdims=True)).astype(np.float16)


def main() -> int:
    """Write the folder."""
    out, files = Path(sys.argv[1]), [Path(line) for line in sys.stdin.read().splitlines() if line.strip()]
    percent = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    out.mkdir(parents=True, exist_ok=True)
    model = ASRModel()
    fold = folding(list(model.decoder_tokens))
    names = ("tokens.npz", "log_probs.npz") if percent == 100 else (f"tokens-{percent}.npz",)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        packs = [
            stack.enter_context(zipfile.ZipFile(out / f".{name}", "w", zipfile.ZIP_DEFLATED))
            for name in names
        ]
        for path in files:
            try:
                tokens = tokens_of(model, played(path, percent, folder))
            except (OSError, EOFError, ValueError, subprocess.CalledProcessError) as error:
                print(f"{path}: left out: {error}", file=sys.stderr)
                continue
            for pack, values in zip(packs, (tokens, folded(tokens, fold)), strict=False):
                with pack.open(f"{path.stem}.npy", "w") as stream:
                    np.lib.format.write_array(stream, values)
    for name in names:
        (out / f".{name}").rename(out / name)
    if percent != 100:
        return 0
    lines = [f"{n}\t{label or name}\t{name if label else ''}" for n, (label, name, _) in enumerate(SOUNDS)]
    (out / "labels.tsv").write_text("".join(line.rstrip("\t") + "\n" for line in lines), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
