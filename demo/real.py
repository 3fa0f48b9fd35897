"""`make real`: the same chain on real archives that lie in one folder, straight from the archive files.

Knows where the pieces usually lie in that folder, which donation file goes with which donated archive, and
what is built from them: a general language model (novels and all training transcripts), one for digits
alone, and a small network that learns digits. A piece that is missing is said, and the rest goes on;
without the digits there is nothing to train, so their absence ends the run. Writes nothing into the folder.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from corpora.errors import SourceError
from demo.chain import Chain, Source
from demo.chain_settings import ChainSettings, LanguageModelChoice, write_settings
from demo.display import Display
from demo.orchestrator import Airflow, start_airflow
from demo.results import Asked
from store.store import Store

DIGITS = "fsdd"
GENERAL_MODEL, DIGITS_MODEL = "general", "digits"
NOVELS = "english_novels.tar.xz"
_HERE = Path(__file__).resolve().parent
_CONFIG = _HERE / "real_training.toml"
_DONATIONS = _HERE / "donations"
_SEED = 1


@dataclass(frozen=True)
class Piece:
    """One source that may lie in the folder: published name, importer, the places to look, donation file."""

    name: str
    importer: str
    places: tuple[str, ...]
    donation: str | None = None


PIECES = (
    Piece("librispeech", "librispeech", ("librispeech/LibriSpeech", "LibriSpeech")),
    Piece("common_voice", "common_voice", ("common_voice/en", "common_voice")),
    Piece("ljspeech", "donated", ("ljspeech_256.tar",), "ljspeech.toml"),
    Piece(DIGITS, "donated", ("fsdd.tar.gz",), "fsdd.toml"),
    Piece("an4", "donated", ("an4_wav_train.tar.gz",), "an4.toml"),
)


def find_sources(data: Path) -> tuple[list[Source], list[str]]:
    """The pieces that are there, and a sentence for each that is not.

    Raises:
        SourceError: the folder, or the digits in it, are missing.
    """
    if not data.is_dir():
        raise SourceError(f"{data} is no folder; name the folder of the archives, e.g. DATA=../shared/data")
    sources, missing = [], []
    for piece in PIECES:
        places = [data / place for place in piece.places if (data / place).exists()]
        if not places:
            missing.append(f"{piece.name} is not there: looked for {' and '.join(piece.places)} in {data}")
            continue
        donation = _DONATIONS / piece.donation if piece.donation else None
        sources.append(Source(piece.name, piece.importer, (places[0],), donation))
    if DIGITS not in {source.name for source in sources}:
        raise SourceError(f"{missing[-1] if missing else DIGITS}; without it there is nothing to train on")
    if not (data / NOVELS).is_file():
        missing.append(f"{NOVELS} is not there: the general language model learns from transcripts only")
    return sources, missing


def run(root: Path, store: Store, data: Path, display: Display) -> tuple[Airflow, Asked]:
    """Everything from the archive files to measured error rates."""
    display.stage("sources")
    sources, missing = find_sources(data)
    for sentence in missing:
        display.console.print(sentence, markup=False)
    display.say(f"{len(sources)} of {len(PIECES)} sources in {data}")
    names = tuple(source.name for source in sources)
    prepare(store, names, data)
    display.stage("airflow")
    airflow = start_airflow(root, store.root, [data, _DONATIONS])
    display.say(str(airflow.status["url"]))
    Chain(store, airflow, display, tuple(sources)).go()
    return airflow, Asked(names, DIGITS, DIGITS_MODEL, {"seed": _SEED, "missing": missing})


def prepare(store: Store, names: tuple[str, ...], data: Path) -> None:
    """Write what the chain reads: two language models, one network on the digits."""
    novels = data / NOVELS
    text = (novels.resolve(),) if novels.is_file() else ()
    general = LanguageModelChoice(GENERAL_MODEL, names, text, order=4, prune=(0, 0, 1))
    digits = LanguageModelChoice(DIGITS_MODEL, (DIGITS,), order=2)
    write_settings(
        store,
        ChainSettings(
            config=_CONFIG,
            seed=_SEED,
            train_on=(DIGITS,),
            tune_on=(DIGITS,),
            evaluate=(DIGITS,),
            language_models=(general, digits),
        ),
    )
