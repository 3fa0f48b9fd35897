"""`make journey DATA=DIR`: from real speech to figures, every step one of speechmill's own commands.

    an4         own networks on AN4's features, over letters and over sounds: greedy, spell-corrected, beam search with the
                training transcripts' LM; then both together
    phonemes    a fixed network over phonemes, a lexicon of pronunciations, an LM of novels
    digits      own network on the Free Spoken Digit Dataset, speakers held out
    ocean       speechocean762 (OCEAN=DIR, the folder with train/, test/ and WAVE/): own network on its training speakers,
                LM of their transcripts and the novels; with OUTPUTS=DIR also the outputs of a fixed network over phonemes,
                and a network that learns from those

Each part that DATA holds is run; a second call goes on where the first stopped. Trainings end at a checkpoint after
`--minutes` and are gone on with by the next call. Writes var/journey.json and prints the table.
"""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from demo.journey import an4, heard, ocean, phonemes
from demo.journey.pronounce import completed
from store.store import Store
from training.decoding.recognise import DECODERS
from training.errors import DataError

_HERE = Path(__file__).resolve().parent
_DONATIONS = _HERE.parent / "donations"
_OCEAN = "speechocean762"
_LEARNERS_SEEDS = (1, 2)  # of networks that judge together
_LEARNERS_CANDIDATES = 60  # each of which seven networks judge
_LEARNERS_BEAM = 800  # a network this unsure needs a wide search: 41.4 % with 100
_READERS_BEAM = 400  # on words that are not in the lexicon
_MIXED = ("--order", 4, "--prune", 0, 0, 1, "--interpolate")  # by weights tuned on dev
_WORDS = 60000  # of a text, whose pronunciations are asked for
_PARTS_OF_PARTS = ("over sounds", "both networks", "fixed network", "adapted network", "networks together")
_GRACE_S = 60.0  # for a training that was asked to stop


class OutOfTimeError(Exception):
    """A training was stopped at its limit; the next call goes on with it."""


@dataclass(frozen=True)
class Limits:
    """Which parts, and after how many minutes trainings stop (0 = never)."""

    only: tuple[str, ...] = ()
    minutes: float = 0.0


@dataclass
class Journey:
    """One call: where things are, what is left of the time, what was measured."""

    data: Path
    store: Store
    work: Path
    ocean: Path | None = None
    outputs: Path | None = None
    limits: Limits = Limits()
    found: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        minutes = self.limits.minutes
        self._ends = time.monotonic() + 60 * minutes if minutes else None

    def go(self) -> None:
        """All parts whose data is there; figures by part, and the reason for those without, into `found`."""
        self.work.mkdir(parents=True, exist_ok=True)
        for name in self.limits.only or PARTS:
            try:
                self.found[name] = PARTS[name](self)
            except OutOfTimeError:
                self.found[name] = {"missing": "the time was up while it trained; call again to go on"}
            except FileNotFoundError as error:
                self.found[name] = {"missing": f"{error} is not there"}

    def command(self, *arguments: object, stoppable: bool = False) -> dict[str, Any]:
        """Run `python -m …` with --json; its object. What it logs goes to standard error.

        Raises:
            OutOfTimeError: it was `stoppable` and the time was up.
            DataError: it failed.
        """
        words = [str(one) for one in arguments]
        sys.stderr.write(f"$ python -m {shlex.join(words)}\n")
        started = [sys.executable, "-m", *words, "--json", "--store", str(self.store.root)]
        process = subprocess.Popen(started, stdout=subprocess.PIPE, text=True)
        limit = max(1.0, self._ends - time.monotonic()) if stoppable and self._ends else None
        try:
            output, _ = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGTERM)  # it saves a checkpoint first
            process.communicate(timeout=_GRACE_S)
            raise OutOfTimeError(shlex.join(words)) from None
        if process.returncode:
            raise DataError(f"python -m {shlex.join(words)} ended with {process.returncode}; see above")
        answer: dict[str, Any] = json.loads(output)
        return answer


def _there(path: Path) -> Path:
    if not path.exists():
        raise FileNotFoundError(path)
    return path


def _figures(evaluation: dict[str, Any]) -> dict[str, Any]:
    """Error rates with their intervals, of every decoder, and whether the steps between them are real."""
    rates = {
        name: {"wer": evaluation[name]["wer"], "interval": evaluation[name]["wer_interval"]}
        for name in DECODERS
        if evaluation.get(name)
    }
    kept = {key: evaluation[key] for key in ("id", "utterances", "words", "interval_by", "contamination")}
    return {"rates": rates, **kept, "comparisons": evaluation["comparisons"]}


def table(found: dict[str, Any]) -> list[str]:
    """The figures as lines of text."""
    lines = []
    for name, one in found.items():
        if "rates" not in one:
            lines.append(f"{name:10} {one.get('missing') or one}")
            continue
        lines.append(
            f"{name:10} {one['utterances']} utterances, {one['words']} words: {_steps(one['rates'])}"
        )
        if "as_they_sound" in one:
            lines.append(f"{'':10} as they sound: {_steps(one['as_they_sound'])}")
        for group, rates in one.get("by_age", {}).items():
            told = {decoder: rates[decoder] for decoder in DECODERS if decoder in rates}
            lines.append(f"{'':10} {group}, {rates['words']} words: {_steps(told)}")
        for part in _PARTS_OF_PARTS:
            if part in one:
                lines += table({f"{name} {part}": one[part]})
    return lines


def _steps(rates: dict[str, dict[str, Any]]) -> str:
    return " → ".join(
        f"{decoder} {rate['wer']:.1%} [{rate['interval'][0]:.1%}, {rate['interval'][1]:.1%}]"
        for decoder, rate in rates.items()
    )


def own_an4(journey: Journey) -> dict[str, Any]:
    """Two own networks on AN4's features, one over letters and one over sounds; then both together."""
    archive = _there(journey.data / "an4_features_train.tar.gz")
    features, sounds = journey.work / "an4", journey.work / "an4-sounds"
    counts = an4.write_feature_folder(archive, features)
    an4.write_sounds_folder(archive, features, sounds)
    an4.write_training_text(features, journey.work / "an4.txt")
    said = ("--pronunciations", sounds / "pronunciations.txt", "--alphabet", sounds / "alphabet.txt")
    letters, _ = _an4_network(journey, "an4", (_HERE / "an4.toml", features), ())
    config = _with_alphabet(journey, "an4-sounds.toml", "an4.toml", sounds / "alphabet.txt")
    spoken, measured = _an4_network(journey, "an4-sounds", (config, sounds), said)
    together = journey.command("training", "rescore", *measured, "--others", letters["run"])
    return {
        **counts,
        **letters["figures"],
        "over sounds": spoken["figures"],
        "both networks": {**_figures(together), "rescored": together["rescored"]},
    }


def _an4_network(
    journey: Journey, name: str, learnt: tuple[Path, Path], said: tuple[object, ...]
) -> tuple[dict[str, Any], tuple[object, ...]]:
    """A network by its configuration and folder, measured on words: its run and figures; what measures it."""
    config, folder = learnt
    model, text = journey.work / f"{name}-lm", journey.work / "an4.txt"
    trained = journey.command("training", "run", "--config", config, "--features", folder, stoppable=True)
    built = ("--text", text, "--corpora", "--order", 3, "--keep-held-out", *said)
    journey.command("lm", "build", "--out", model, *built)
    chosen = ("--model", trained["run"], "--lm", model, "--features", journey.work / "an4")
    journey.command("training", "tune-decoder", *chosen, "--max-utterances", 0)
    figures = _figures(journey.command("training", "evaluate", *chosen))
    return {"run": trained["run"], "figures": figures}, chosen


def _with_alphabet(journey: Journey, name: str, plain: str, alphabet: Path, seed: int = 1) -> Path:
    """One of the configurations here with an alphabet file and a seed, written among what the journey works on."""
    config = journey.work / name
    text = (_HERE / plain).read_text(encoding="utf-8")
    config.write_text(
        f"seed = {seed}\n{text}\n[data]\nalphabet = {json.dumps(str(alphabet))}\n", encoding="utf-8"
    )
    return config


def fixed_phonemes(journey: Journey) -> dict[str, Any]:
    """A fixed network's outputs, an open vocabulary; in words as they are written, and as they sound."""
    folder = _there(journey.data / "logits" / "phonemes_real")
    novels = _there(journey.data / "english_novels.tar.xz")
    work, model = journey.work / "phonemes", journey.work / "phonemes-lm"
    counts = phonemes.prepare(folder, work)
    text = ("--text", novels, "--corpora")
    lexicon, sounds = _pronounced(journey, folder, work, text)
    journey.command("lm", "build", "--out", model, *text, "--order", 4, "--prune", 0, *sounds)
    outputs = ("--log-probs", work / "log_probs.npz", "--lm", model)
    journey.command("training", "tune-decoder", *outputs, "--max-utterances", 0, "--trials", 40)
    evaluation = journey.command("training", "evaluate", *outputs, "--beam-width", _READERS_BEAM)
    sounding = phonemes.as_they_sound(Path(evaluation["path"]), lexicon)
    return {**counts, "pronounced": len(lexicon), **_figures(evaluation), "as_they_sound": sounding}


def _pronounced(
    journey: Journey, folder: Path, work: Path, text: tuple[object, ...]
) -> tuple[dict[str, tuple[str, ...]], tuple[object, ...]]:
    """The lexicon with espeak-ng's opinion and the other frequent words of a text; what `lm build` is told of it."""
    words, said = work.parent / f"{work.name}-words", work / "pronunciations.txt"
    journey.command("lm", "build", "--out", words, *text, "--order", 2, "--vocabulary-size", _WORDS)
    labels = phonemes.sounds_of(folder / "labels.tsv")
    lexicon = completed(phonemes.read_lexicon(folder), phonemes.words_of(words), labels)
    phonemes.write_pronunciations(lexicon, said)
    return lexicon, ("--pronunciations", said, "--vocabulary", said, "--alphabet", work / "alphabet.txt")


def own_digits(journey: Journey) -> dict[str, Any]:
    """Own network on digits."""
    archive = _there(journey.data / "fsdd.tar.gz")
    journey.command(
        "corpora", "refresh", "donated", "--source", archive, "--donation", _DONATIONS / "fsdd.toml"
    )
    config = journey.work / "digits.toml"
    plain = (_HERE.parent / "real_training.toml").read_text(encoding="utf-8")
    config.write_text(plain + '\n[data]\ncorpora = ["fsdd"]\n', encoding="utf-8")
    trained = journey.command("training", "run", "--config", config, stoppable=True)
    model = journey.work / "digits-lm"
    journey.command("lm", "build", "--out", model, "--corpora", "fsdd", "--order", 2)
    chosen = ("--model", trained["run"], "--lm", model, "--corpus", "fsdd")
    journey.command("training", "tune-decoder", *chosen, "--max-utterances", 0)
    return _figures(journey.command("training", "evaluate", *chosen))


def learners(journey: Journey) -> dict[str, Any]:
    """speechocean762 as published: own network, and a fixed one where its outputs are there; by age."""
    if journey.ocean is None:
        return {"missing": "name the folder of speechocean762 with OCEAN=DIR"}
    folder, donation = _there(journey.ocean), _DONATIONS / "speechocean762.toml"
    # 47 of 2,344 long sentences of dev and test are read in train too
    admitted = ("--threshold", "leaked_sentences=0.03")
    journey.command("corpora", "refresh", "donated", "--source", folder, "--donation", donation, *admitted)
    shown = journey.command("corpora", "show", _OCEAN)
    found = {"hours": shown["hours"], "splits": shown["splits"], "rejected": shown["rejected"]}
    if journey.outputs is not None:
        outputs = heard.Outputs(folder, _splits(journey), _there(journey.outputs))
        found["fixed network"], lexicon = _fixed_learners(journey, outputs)
        found["adapted network"] = _adapted_learners(journey, outputs, lexicon)
    features, model = journey.work / "ocean", journey.work / "ocean-lm"
    ocean.write_feature_folder(journey.store.corpus(_OCEAN), features)
    config = _HERE / "ocean.toml"
    trained = journey.command("training", "run", "--config", config, "--features", features, stoppable=True)
    journey.command("lm", "build", "--out", model, *_learners_text(journey), *_MIXED)
    chosen = ("--model", trained["run"], "--lm", model, "--features", features)
    journey.command("training", "tune-decoder", *chosen, "--max-utterances", 0)
    evaluation = journey.command("training", "evaluate", *chosen)
    return {**found, **_by_age(evaluation, folder)}


def _by_age(evaluation: dict[str, Any], folder: Path) -> dict[str, Any]:
    by_age = ocean.by_age(Path(evaluation["path"]), ocean.ages(folder))
    return {**_figures(evaluation), "by_age": by_age}


def _learners_text(journey: Journey) -> tuple[object, ...]:
    """Training transcripts and novels; `lm build` leaves out every sentence that dev or test has."""
    return ("--text", _there(journey.data / "english_novels.tar.xz"), "--corpora", _OCEAN)


def _fixed_learners(
    journey: Journey, given: heard.Outputs
) -> tuple[dict[str, Any], dict[str, tuple[str, ...]]]:
    """What the fixed network's outputs come to, and the lexicon that its language model was built with."""
    work, model = journey.work / "ocean-fixed", journey.work / "ocean-fixed-lm"
    counts = ocean.prepare_outputs(given.given, given.folder, given.splits, work)
    said = _there(journey.data / "logits" / "phonemes_real")
    lexicon, sounds = _pronounced(journey, said, work, _learners_text(journey))
    journey.command("lm", "build", "--out", model, *_learners_text(journey), *_MIXED, *sounds)
    outputs = ("--log-probs", work / "log_probs.npz", "--lm", model)
    journey.command("training", "tune-decoder", *outputs, "--max-utterances", 0, "--trials", 40)
    evaluation = journey.command("training", "evaluate", *outputs, "--beam-width", _LEARNERS_BEAM)
    return {**counts, **_by_age(evaluation, given.folder)}, lexicon


def _adapted_learners(
    journey: Journey, given: heard.Outputs, lexicon: dict[str, tuple[str, ...]]
) -> dict[str, Any]:
    """Own networks over sounds that learn from what the fixed one heard of the training speakers: the first alone, then all
    of them, having heard the sound at every speed, and the fixed one together."""
    sounds, fixed = journey.work / "ocean-sounds", journey.work / "ocean-fixed"
    hearings = given.hearings()
    plain = next(iter(hearings))
    if not hearings[plain].exists():
        return {"missing": f"{hearings[plain]} is not there: write the outputs anew"}
    words = {speed: journey.work / f"ocean-words-{speed}" for speed in hearings}
    components = heard.components_of(given)
    counts = heard.write_sounds_folder(given, components, lexicon, sounds)
    measured = heard.write_words_folders(given, components, words)
    counts["unheard"] += measured["unheard"]
    runs = []
    for seed in _LEARNERS_SEEDS:
        config = _with_alphabet(journey, f"adapted-{seed}.toml", "adapted.toml", fixed / "alphabet.txt", seed)
        trained = journey.command("training", "run", "--config", config, "--features", sounds, stoppable=True)
        runs.append(trained["run"])
    chosen = ("--model", runs[0], "--lm", journey.work / "ocean-fixed-lm", "--features", words[plain])
    journey.command("training", "tune-decoder", *chosen, "--max-utterances", 0, "--trials", 40)
    wide = (*chosen, "--beam-width", _LEARNERS_BEAM)
    alone = _by_age(journey.command("training", "evaluate", *wide), given.folder)
    _, *judges = (f"{run}:{words[speed]}" for run in runs for speed in hearings)
    judges.append(str(fixed / "log_probs.npz"))
    asked = ("--candidates", _LEARNERS_CANDIDATES, "--others", *judges)
    together = journey.command("training", "rescore", *wide, *asked)
    figures = {**_by_age(together, given.folder), "rescored": together["rescored"]}
    return {
        **counts,
        "test": measured["test"],
        "hearings": list(hearings),
        **alone,
        "networks together": figures,
    }


def _splits(journey: Journey) -> dict[str, str]:
    """Split of each speaker of the published corpus."""
    listed = journey.store.corpus(_OCEAN).manifest["speaker_splits"]
    return {speaker: split for split, speakers in listed.items() for speaker in speakers}


PARTS: dict[str, Callable[[Journey], dict[str, Any]]] = {
    "an4": own_an4,
    "phonemes": fixed_phonemes,
    "digits": own_digits,
    "ocean": learners,
}
