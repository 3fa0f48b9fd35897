"""`make demo`: archives spoken here, through the whole chain, to a word error rate with and without language
model.

Joins the parts: archives, settings, Airflow, the chain, the table. A second call finds what has not changed
and does only the rest.
"""

from __future__ import annotations

import os
from pathlib import Path

from demo import cast
from demo.archives import Archive, Progress, make_archives
from demo.chain import Chain, Source
from demo.chain_settings import ChainSettings, LanguageModelChoice, write_if_changed, write_settings
from demo.display import Display
from demo.layouts import donated
from demo.orchestrator import Airflow, start_airflow
from demo.results import Asked
from store.store import Store

QUIET_MINUTES = 7.0  # measured on two quiet cores, set-up not counted
LANGUAGE_MODEL = "default"
HEADLINE = "librispeech"
_CONFIG = Path(__file__).resolve().parent / "training.toml"


def run(root: Path, store: Store, seed: int, display: Display) -> tuple[Airflow, Asked]:
    """Everything from silence to measured error rates, below `root/var`."""
    display.console.print(expected_time(len(os.sched_getaffinity(0)), os.getloadavg()[0]), markup=False)
    display.stage("speech")
    archives = make_archives(root / "var" / "demo" / "archives", seed, _told(display))
    hours = sum(archive.hours for archive in archives)
    planted = sum(sum(archive.planted.values()) for archive in archives)
    display.say(f"{len(archives)} archives, {hours:.2f} h of speech, {planted} defects planted")
    sources = tuple(_source(archive) for archive in archives)
    prepare(store, seed, [source.name for source in sources])
    display.stage("airflow")
    airflow = start_airflow(root, store.root, [archives[0].path.parents[2]])
    display.say(str(airflow.status["url"]))
    Chain(store, airflow, display, sources).go()
    put_in_force(store, display)
    airflow.unpause(["promote"])  # about the next network a person is asked
    return airflow, Asked([source.name for source in sources], HEADLINE, LANGUAGE_MODEL, {"seed": seed})


def expected_time(cores: int, load: float) -> str:
    """How long the demo will take, in words: it keeps two cores busy, and shares them with what runs already."""
    minutes = QUIET_MINUTES * max(1.0, (load + 2.0) / cores)
    machine = f"{cores} core{'' if cores == 1 else 's'}, load {load:.1f}"
    return f"this takes about {minutes:.0f} minutes here ({machine}), more if the machine gets busier"


def put_in_force(store: Store, display: Display) -> None:
    """Package the network that was just measured and release it, unless it is in force already."""
    from training.release.package import release_for
    from training.release.registry import Registry
    from training.runs import run_id_for
    from training.settings import read_retrain

    display.stage("release")
    run = run_id_for(read_retrain(store).config, store)
    model = Registry(store).released()
    if model is None or model.manifest["run"] != run:
        display.say("packing and checking the network")
        model = release_for(run, store, "the network of the demo, measured on every test set")
    display.say(f"model {model.id}: python -m training transcribe FILE")


def prepare(store: Store, seed: int, names: list[str]) -> None:
    """Write what the chain reads: settings, training configuration, the language model's extra text."""
    text = Path("texts") / f"demo-{seed}.txt"
    write_if_changed(store.root / text, "\n".join(cast.extra_text(seed)) + "\n")
    corpora = tuple(names)
    model = LanguageModelChoice(LANGUAGE_MODEL, corpora, (text,))
    write_settings(
        store,
        ChainSettings(
            config=_CONFIG,
            seed=seed,
            train_on=corpora,
            tune_on=(HEADLINE,),
            evaluate=corpora,
            language_models=(model,),
        ),
    )


def _source(archive: Archive) -> Source:
    name = donated.NAME if archive.importer == "donated" else archive.importer
    return Source(name, archive.importer, (archive.path,))


def _told(display: Display) -> Progress:
    def progress(what: str, done: int, total: int) -> None:
        display.say(f"{what}, {done}/{total} utterances" if total else what)

    return progress
