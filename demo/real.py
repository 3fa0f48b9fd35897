"""`make real`: the same chain on real archives of any kind that lie in one folder, straight from the archive files.

Every entry of the folder goes through `corpora.doctor`: what an importer knows is imported, prose becomes text for the
language model, and whatever nobody can name is listed with the reason. After the imports it is decided what can be
trained: the spoken digits alone where they are there, else everything that has a train and a dev split. Writes nothing
into the folder; a donated archive is described by `NAME.toml` beside it, or by one of demo/donations.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from corpora.doctor import Aids, examine
from corpora.errors import SourceError
from demo.chain import Chain, Source
from demo.chain_settings import ChainSettings, LanguageModelChoice, write_settings
from demo.display import Display
from demo.orchestrator import Airflow, OrchestrationError, start_airflow
from demo.results import Asked
from native.errors import SpeechmillError
from store.store import Store

DIGITS = "fsdd"
GENERAL_MODEL, DIGITS_MODEL = "general", "digits"
_HERE = Path(__file__).resolve().parent
_CONFIG = _HERE / "real_training.toml"
_DONATIONS = _HERE / "donations"
_SEED = 1
_TEXT = (".txt", ".txt.gz", ".txt.xz", ".txt.bz2")
_PASSED_OVER = (".toml", ".md", ".md5", ".sha256", ".part")


@dataclass
class Found:
    """What a folder holds: sources to import, prose, and a sentence for each entry that is neither."""

    sources: list[Source] = field(default_factory=list)
    texts: list[Path] = field(default_factory=list)
    unnamed: list[str] = field(default_factory=list)


def find_sources(data: Path, spill_dir: Path) -> Found:
    """Ask `doctor` about every entry of the folder; where a folder is unknown, about the entries in it.

    Raises:
        SourceError: it is no folder, or nothing in it can be imported; the sentence lists what is there.
    """
    if not data.is_dir():
        raise SourceError(f"{data} is no folder; name the folder of the archives, e.g. DATA=/data/speech")
    found = Found()
    for entry in _entries(data):
        sentence = _take(entry, data, spill_dir, found)
        if sentence and entry.is_dir():
            inner = [_take(one, data, spill_dir, found) for one in _entries(entry)]
            sentence = "" if any(not one for one in inner) else sentence
        if sentence:
            found.unnamed.append(sentence)
    if not found.sources:
        there = "; ".join(found.unnamed) or "it is empty"
        raise SourceError(f"nothing in {data} can be imported: {there}")
    return found


def _entries(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if not path.name.startswith((".", "README")) and not path.name.endswith(_PASSED_OVER):
            yield path


def _take(entry: Path, data: Path, spill_dir: Path, found: Found) -> str:
    """Add an entry to what it is; else why it is nothing, as a sentence."""
    if entry.name.endswith(_TEXT):
        found.texts.append(entry)
        return ""
    donation = _donation_of(entry, data)
    try:
        seen = examine([entry], spill_dir, Aids(donation))
    except SpeechmillError as error:
        return str(error)
    known: dict[str, dict[str, Any]] = {
        name: outlook
        for name, outlook in seen["importers"].items()
        if outlook.get("units") and not outlook["quarantine"]
    }
    if known:
        doubled = {source.name for source in found.sources} & {one["publishes"] for one in known.values()}
        if doubled:
            return f"{entry.name}: {', '.join(sorted(doubled))} is there already, from another entry; one is taken"
        for importer, outlook in known.items():
            own = donation if importer == "donated" else None
            found.sources.append(Source(outlook["publishes"], importer, (entry,), own))
        return ""
    if "txt" in seen["kinds"] and set(seen["kinds"]) <= {"txt", "md"}:
        found.texts.append(entry)
        return ""
    reasons = [outlook.get("problem") or outlook.get("quarantine") for outlook in seen["importers"].values()]
    kinds = ", ".join(f"{count} {kind}" for kind, count in seen["kinds"].items())
    return f"{entry.name}: {next(filter(None, reasons), f'no importer knows it ({kinds})')}"


def _donation_of(entry: Path, data: Path) -> Path | None:
    """The description of a donated archive: NAME.toml beside it, or the one of a public set that is known here."""
    stem = entry.name.partition(".")[0]
    beside = data / f"{stem}.toml"
    if beside.is_file():
        return beside
    known = [path for path in sorted(_DONATIONS.glob("*.toml")) if stem.startswith(path.stem)]
    return known[0] if known else None


def run(root: Path, store: Store, data: Path, display: Display) -> tuple[Airflow, Asked]:
    """Everything from the archive files to measured error rates.

    Raises:
        OrchestrationError: Airflow does not start, a stage failed, or nothing could be imported.
    """
    display.stage("sources")
    found = find_sources(data, store.cache_dir / "unpacked" / "real")
    for sentence in found.unnamed:
        display.console.print(f"left out: {sentence}", markup=False)
    display.say(f"{len(found.sources)} corpora and {len(found.texts)} texts in {data}")
    display.stage("airflow")
    airflow = start_airflow(root, store.root, [data, _DONATIONS])
    display.say(str(airflow.status["url"]))
    chain = Chain(store, airflow, display, tuple(found.sources), stops_at_failure=False)
    asked: list[Asked] = []

    def settle() -> bool:
        for sentence in failures(chain.failed):
            display.console.print(f"not imported: {sentence}", markup=False)
        if len(chain.failed) == len(found.sources):
            raise OrchestrationError(f"nothing of {data} could be imported; the reasons stand above")
        asked.append(prepare(store, found, [*chain.failed]))
        return bool(asked[0].headline_corpus)

    chain.go(settle)
    facts = {"seed": _SEED, "missing": [*found.unnamed, *chain.failed.values()]}
    if not asked[0].headline_corpus:
        display.console.print("nothing is trained: no corpus here has both train and dev", markup=False)
    return airflow, Asked(asked[0].corpora, asked[0].headline_corpus, asked[0].headline_model, facts)


def failures(failed: dict[str, str]) -> list[str]:
    """A sentence for each reason why corpora were not imported: their names, what was said, the log of the first."""
    alike: dict[str, list[str]] = {}
    for name, why in failed.items():
        alike.setdefault(why.partition("\n")[0], []).append(name)
    return [f"{', '.join(names)}: {failed[names[0]]}" for names in alike.values()]


def prepare(store: Store, found: Found, failed: list[str]) -> Asked:
    """Write what the chain reads, by what was imported; answers what to show of it."""
    names = [source.name for source in found.sources if source.name not in failed]
    splits = {name: set(store.corpus(name).splits) for name in names}
    trained = [name for name in names if {"train", "dev"} <= splits[name]]
    trained = [DIGITS] if DIGITS in trained else trained
    measured = [name for name in trained if "test" in splits[name]]
    if not trained:
        return Asked(names, "", "")
    text = tuple(path.resolve() for path in found.texts)
    models = [LanguageModelChoice(GENERAL_MODEL, tuple(names), text, order=4, prune=(0, 0, 1))]
    if trained == [DIGITS]:
        models.append(LanguageModelChoice(DIGITS_MODEL, (DIGITS,), order=2))
    write_settings(
        store,
        ChainSettings(
            config=_CONFIG,
            seed=_SEED,
            train_on=tuple(trained),
            tune_on=tuple(trained),
            evaluate=tuple(measured),
            language_models=tuple(models),
        ),
    )
    largest = max(measured or trained, key=lambda name: float(store.corpus(name).manifest["hours"]))
    return Asked(names, largest, models[-1].name)
