"""Six languages from a synthesiser's voices to an error rate: import, language model, training, evaluation.

    python -m benchmarks.languages [LANGUAGE …] [--steps N] [--json]

espeak-ng speaks sequences of ten words of each language, in the layout of a Common Voice release; then the ordinary
stages run, told nothing but the language of the archive. It shows that no stage needs Latin letters or blanks between
words; ten words of a synthesiser say nothing of how hard a language is. Voices of the test were in no training.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from demo.layouts import files
from demo.speech import Line, SpeechError, load_noise_beds, make_noise_beds, speak
from demo.voices import Voice

WORDS = {
    "es": "uno dos tres cuatro cinco seis siete ocho nueve diez",
    "tr": "bir iki üç dört beş altı yedi sekiz dokuz on",
    "ru": "один два три четыре пять шесть семь восемь девять десять",
    "el": "ένα δύο τρία τέσσερα πέντε έξι επτά οκτώ εννέα δέκα",
    "hi": "एक दो तीन चार पाँच छह सात आठ नौ दस",
    "zh": "一 二 三 四 五 六 七 八 九 十",
}
_ESPEAK = {"zh": "cmn-latn-pinyin"}
# What is given to the synthesiser in the place of a word: espeak-ng reads these characters as English letters.
_SPOKEN = {
    "zh": dict(
        zip(
            WORDS["zh"].split(),
            ["yi1", "er4", "san1", "si4", "wu3", "liu4", "qi1", "ba1", "jiu3", "shi2"],
            strict=True,
        )
    )
}
_STOPS = {"hi": "।", "zh": "。"}
_UNSPACED = ("zh",)
_VOICES = {
    "train": ["m1", "m2", "m3", "m4", "f1", "f2", "f3", "m7"],
    "dev": ["m5", "f4"],
    "test": ["m6", "f5"],
}
_LINES = {"train": 240, "dev": 24, "test": 48}
_CLIP_RATE_HZ = 48_000
_COLUMNS = [
    "client_id",
    "path",
    "sentence",
    "up_votes",
    "down_votes",
    "age",
    "gender",
    "accents",
    "locale",
    "segment",
]


@dataclass(frozen=True)
class LanguageVoice(Voice):
    """A speaker of another language than the demo's."""

    language: str = "en"

    @property
    def espeak_name(self) -> str:
        """The voice as espeak-ng's `-v` takes it."""
        return f"{_ESPEAK.get(self.language, self.language)}+{self.variant}"


def write_release(root: Path, language: str, counts: dict[str, int] | None = None) -> Path:
    """A spoken Common Voice release of one language below `root`; the same for the same language.

    Raises:
        SpeechError: espeak-ng or sox is missing or fails.
    """
    release = root / f"cv-corpus-17.0-2024-03-15-{language}"
    folder = release / language
    (folder / "clips").mkdir(parents=True)
    beds = load_noise_beds(make_noise_beds(root / "beds"))
    number = 0
    rows: dict[str, list[str]] = {}
    for split, count in (counts or _LINES).items():
        draw = random.Random(f"{language}/{split}")
        rows[split] = []
        for _ in range(count):
            number += 1
            variant = draw.choice(_VOICES[split])
            voice = LanguageVoice(variant, variant, variant[0], draw.randint(35, 60), 150, language)
            said = draw.choices(WORDS[language].split(), k=draw.randint(3, 6))
            text = ("" if language in _UNSPACED else " ").join(said)
            clip = f"common_voice_{language}_{number:06d}.mp3"
            spoken = " ".join(_SPOKEN.get(language, {}).get(word, word) for word in said)
            samples = speak(Line(spoken, voice, (25.0, 40.0), f"{language}/{number}"), beds)
            audio = files.resample(samples, _CLIP_RATE_HZ)
            files.write_audio(folder / "clips" / clip, audio, _CLIP_RATE_HZ)
            client = hashlib.sha512(f"{language}/{split}/{variant}".encode()).hexdigest()
            typed = text[:1].upper() + text[1:] + _STOPS.get(language, ".")
            rows[split].append("\t".join((client, clip, typed, "2", "0", "", "", "", language, "")))
    rows["validated"] = sorted(row for some in rows.values() for row in some)
    for name, lines in rows.items():
        files.write_text(folder / f"{name}.tsv", ["\t".join(_COLUMNS), *lines])
    return release


def measure(folder: Path, language: str, steps: int, counts: dict[str, int] | None = None) -> dict[str, Any]:
    """One language through all stages, in a store of its own below `folder`; answers its figures."""
    from corpora.refresh.plan import RefreshRequest
    from corpora.refresh.stage import refresh
    from lm.build import build
    from lm.request import BuildRequest
    from store.opening import open_store
    from training.decoding.tune import TuneRequest, tune_decoder
    from training.evaluation.evaluate import EvaluationRequest, evaluate
    from training.network.config import TrainingConfig
    from training.runs import train_in_store

    release = write_release(folder, language, counts)
    store = open_store(folder / "store")
    imported = refresh(RefreshRequest("common_voice", (release,), store=store.root))
    model = build(
        BuildRequest(publish="default", corpora=("common_voice",), order=3, prune=(), store=store.root)
    )
    plain = TrainingConfig()
    config = replace(
        plain,
        model=replace(plain.model, n_hidden=96, dropout=0.02),
        optimiser=replace(plain.optimiser, learning_rate=0.003),
        loop=replace(plain.loop, steps=steps, batch_size=8, dev_every_epochs=0),
    )
    trained = train_in_store(config, store)
    tune_decoder(TuneRequest(trained.run, model["path"], ("common_voice",), max_utterances=24), store)
    found = evaluate(EvaluationRequest(trained.run, "common_voice", language_model=model["path"]), store)
    return {
        "language": language,
        "hours": imported["hours"],
        "utterances": imported["utterances"],
        "rejected": imported["items"]["rejected"],
        "unit": model["identity"]["unit"],
        "words": found["words"],
        **{
            f"{decoder}_{rate}": found[decoder][rate] if found[decoder] else None
            for decoder in ("greedy", "lm")
            for rate in ("wer", "cer")
        },
    }


def _told(one: dict[str, Any]) -> str:
    rates = "  ".join(
        f"{name.replace('_', ' ')} {100 * one[name]:5.1f} %" for name in one if name[-3:] in ("wer", "cer")
    )
    return f"{one['language']}  {one['utterances']} utterances, {one['rejected']} rejected, LM of {one['unit']:10}  {rates}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the languages that are named, all of them where none is; one line or one JSON object each."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("language", nargs="*", metavar="LANGUAGE", help=", ".join(WORDS))
    parser.add_argument("--steps", type=int, default=900, metavar="N", help="of each training (default 900)")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.language) - set(WORDS))
    if unknown:
        parser.error(f"no words of {', '.join(unknown)} here; there are {', '.join(WORDS)}")
    for language in options.language or WORDS:
        with tempfile.TemporaryDirectory(prefix="speechmill-languages-") as folder:
            try:
                figures = measure(Path(folder), language, options.steps)
            except SpeechError as error:
                sys.stderr.write(f"{error}\n")
                return 1
        print(json.dumps(figures, ensure_ascii=False) if options.json else _told(figures), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
