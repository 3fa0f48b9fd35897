"""How espeak-ng says words, in the sounds of ARPAbet: a second opinion on a lexicon, and the words that it lacks.

espeak-ng runs as a program of its own and says them in American English. What it says in several words, or with a sound
that English lacks, is left out. A word that both say otherwise has two pronunciations, the lexicon's first.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterable, Mapping

from training.errors import DataError

# espeak-ng's IPA, the sounds of ARPAbet
_TABLE = """
    ɑː=AA ɑ=AA ɒ=AA æ=AE a=AE ʌ=AH ə=AH ɐ=AH ɔː=AO ɔ=AO oː=AO aʊ=AW aɪ=AY ɛ=EH e=EH ɛː=EH ɜː=ER ɜ=ER ɚ=ER ɝ=ER
    eɪ=EY ɪ=IH ᵻ=IH i=IY iː=IY oʊ=OW əʊ=OW o=OW ɔɪ=OY ʊ=UH u=UW uː=UW b=B tʃ=CH d=D ð=DH f=F ɡ=G g=G h=HH dʒ=JH
    k=K x=K l=L m=M n=N ŋ=NG p=P ɹ=R r=R s=S ʃ=SH t=T ɾ=T ʔ=T θ=TH v=V w=W j=Y z=Z ʒ=ZH əl=AH.L l̩=AH.L n̩=AH.N
    aɪɚ=AY.ER aɪə=AY.AH aʊɚ=AW.ER iə=IY.AH ʊə=UH.AH ɑːɹ=AA.R oːɹ=AO.R ɔːɹ=AO.R ʊɹ=UH.R ɛɹ=EH.R ɪɹ=IH.R ɑ̃=AA.N
    ɔ̃=AA.N
"""
_SOUNDS = {sign: sounds for sign, sounds in (pair.split("=") for pair in _TABLE.split())}
_STRESS = str.maketrans("", "", "ˈˌ")


def completed(
    lexicon: Mapping[str, str], words: Iterable[str], labels: Mapping[str, str]
) -> dict[str, tuple[str, ...]]:
    """Each word of the lexicon and of `words` with its one or two pronunciations, in a network's labels.

    Args:
        lexicon: word to its labels, one character a sound. labels: ARPAbet's name of a sound to its label.

    Raises:
        FileNotFoundError: espeak-ng is not installed.
        DataError: it failed.
    """
    found: dict[str, tuple[str, ...]] = {word: (said,) for word, said in lexicon.items()}
    wanted = list(dict.fromkeys([*lexicon, *words]))
    for word, sounds in zip(wanted, _said(wanted), strict=True):
        said = "".join(labels[name] for name in sounds)
        known = found.get(word, ())
        if said and said not in known:
            found[word] = (*known, said)
    return found


def _said(words: list[str]) -> list[list[str]]:
    """ARPAbet's names of the sounds of each word; none where it cannot be said in them."""
    command = ["espeak-ng", "-q", "--ipa=1", "--sep=_", "-v", "en-us", "-f", "/dev/stdin"]
    try:
        # espeak-ng's sound library would make a folder in the home even where nothing is played
        environment = {**os.environ, "XDG_CONFIG_HOME": tempfile.gettempdir()}
        done = subprocess.run(
            command, input="".join(f"{word}.\n" for word in words), capture_output=True, text=True, check=False,
            env=environment,
        )  # fmt: skip
    except FileNotFoundError:
        raise FileNotFoundError("espeak-ng (`make demo` installs it)") from None
    lines = done.stdout.splitlines()
    if done.returncode or len(lines) != len(words):
        raise DataError(
            f"espeak-ng said {len(lines)} of {len(words)} words (status {done.returncode}): {done.stderr.strip()}"
        )
    return [_sounds(line.strip()) for line in lines]


def _sounds(line: str) -> list[str]:
    parts = [part for part in line.translate(_STRESS).split("_") if part]
    if any(part not in _SOUNDS for part in parts):  # a blank too: it said several words
        return []
    return [name for part in parts for name in _SOUNDS[part].split(".")]
