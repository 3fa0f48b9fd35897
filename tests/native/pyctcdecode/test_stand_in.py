"""Programs that import pyctcdecode or kenlm by name get the face, once it is asked for."""

from __future__ import annotations

import subprocess
import sys

_PROGRAM = """
import sys
from native.pyctcdecode import stand_in
assert "pyctcdecode" not in sys.modules
stand_in()
import kenlm, pyctcdecode
from pyctcdecode import BeamSearchDecoderCTC, build_ctcdecoder
from pyctcdecode.alphabet import BLANK_TOKEN_PTN, BPE_TOKEN, UNK_TOKEN, UNK_TOKEN_PTN, Alphabet, verify_alphabet_coverage
from pyctcdecode.constants import DEFAULT_ALPHA, DEFAULT_HOTWORD_WEIGHT
from pyctcdecode.language_model import AbstractLMState, load_unigram_set_from_arpa
import native.pyctcdecode.decoder
assert BeamSearchDecoderCTC is native.pyctcdecode.decoder.BeamSearchDecoderCTC
assert kenlm.Model and kenlm.State
print(build_ctcdecoder(["a", "b", "|", "<pad>"])._alphabet.labels)
"""


def test_the_names_of_others_lead_here() -> None:
    done = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "['a', 'b', ' ', '']"
