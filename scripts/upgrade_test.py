#!/usr/bin/env python3
"""`make upgrade-test [FROM=v0.1.0]`: what an earlier version made opens with this one, and nothing of it is lost.

The earlier version is taken out of git into var/upgrade/old and makes, by its own commands: a corpus through its own
Airflow, a language model, a trained, measured and released network, a collecting campaign. This version then opens the
same store and the same homes: every row that was there is there with the same figures, every byte is as it was sealed, the
earlier run stands in the new Airflow, the same refresh finds nothing to do, and the released model is in force.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[1]
LIMIT_S = 300.0
CONFIG = "[model]\nn_hidden = 16\n[loop]\nsteps = 40\nbatch_size = 4\ndev_every_epochs = 5\n"
ARCHIVE = """
import sys
from pathlib import Path
from demo.layouts import librispeech, tones
librispeech.write(Path(sys.argv[1]), tones.utterances())
"""


def say(text: str) -> None:
    """Progress."""
    sys.stderr.write(f"==> {text}\n")
    sys.stderr.flush()


@dataclass(frozen=True)
class Version:
    """One tree of the code over the shared folders of the test."""

    tree: Path
    work: Path

    @property
    def environment(self) -> dict[str, str]:
        """Of its commands."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SPEECHMILL_")}
        return {
            **kept,
            "PYTHONPATH": str(self.tree),
            "SPEECHMILL_ROOT": str(self.tree),
            "SPEECHMILL_STORE": str(self.work / "store"),
            "SPEECHMILL_COLLECT": str(self.work / "collect"),
            "SPEECHMILL_SOURCES": str(self.work / "archives"),
            "AIRFLOW_HOME": str(self.work / "airflow"),
        }

    def run(self, *arguments: str) -> str:
        """Standard output of `python …` in this tree; ends the test where it fails."""
        done = subprocess.run(
            [self.tree / ".venv/bin/python", *arguments], cwd=self.tree, env=self.environment,
            capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        if done.returncode != 0:
            sys.exit(
                f"{' '.join(arguments)} of {self.tree} ended with {done.returncode}:\n{done.stderr[-3000:]}"
            )
        return done.stdout

    def ask(self, *arguments: str) -> dict[str, Any]:
        """The JSON object that `python -m … --json` prints."""
        answer: dict[str, Any] = json.loads(self.run("-m", *arguments, "--json").splitlines()[-1])
        return answer


class Airflow:
    """The REST interface of a version's Airflow, while it runs."""

    def __init__(self, version: Version) -> None:
        self.version = version
        status = version.ask("launcher", "start")
        self.client = httpx.Client(base_url=status["url"], timeout=60, trust_env=False)
        login = {"username": status["user"], "password": status["password"]}
        token = self.client.post("/auth/token", json=login).raise_for_status().json()["access_token"]
        self.client.headers["authorization"] = f"Bearer {token}"

    def refresh(self) -> str:
        """Refresh the archive; answers the run when it has succeeded."""
        self.client.patch("/api/v2/dags/corpus_refresh", json={"is_paused": False}).raise_for_status()
        source = str(self.version.work / "archives/LibriSpeech")
        body = {"logical_date": None, "conf": {"importer": "librispeech", "sources": [source]}}
        run = (
            self.client.post("/api/v2/dags/corpus_refresh/dagRuns", json=body)
            .raise_for_status()
            .json()["dag_run_id"]
        )
        end_s = time.monotonic() + LIMIT_S
        while time.monotonic() < end_s:
            state = self.states().get(run)
            if state == "success":
                return str(run)
            if state == "failed":
                break
            time.sleep(1)
        sys.exit(f"the refresh {run} of {self.version.tree} did not succeed")

    def states(self) -> dict[str, str]:
        """Every refresh: run → state."""
        runs = self.client.get("/api/v2/dags/corpus_refresh/dagRuns").raise_for_status().json()["dag_runs"]
        return {run["dag_run_id"]: run["state"] for run in runs}

    def stop(self) -> None:
        """End it."""
        self.client.close()
        self.version.run("-m", "launcher", "stop")


def standing(version: Version) -> dict[str, Any]:
    """All that the store and the campaigns say, by the names that both versions know."""
    tables = version.ask("store", "list")
    return {
        "corpora": [(row["name"], row["version"], row["utterances"]) for row in tables["corpora"]],
        "language models": [
            (row["name"], row["version"], row["perplexity"]) for row in tables["language_models"]
        ],
        "runs": [(row["run"], row["state"], row["dev_wer"]) for row in tables["runs"]],
        "evaluations": [(row["id"], row["greedy_wer"], row["lm_wer"]) for row in tables["evaluations"]],
        "models": [
            (one["model"], one["run"], one["state"]) for one in version.ask("training", "models")["models"]
        ],
        "campaigns": [
            (one["campaign"], one["unread_sentences"])
            for one in version.ask("collect", "campaign")["campaigns"]
        ],
    }


def take_out(reference: str, work: Path) -> Path:
    """The earlier version in a folder, ready to run: this environment where it pins the same, else its own."""
    tree = work / "old"
    tree.mkdir(parents=True)
    archive = subprocess.run(["git", "archive", reference], cwd=ROOT, capture_output=True, check=True).stdout
    subprocess.run(["tar", "x", "-C", tree], input=archive, check=True)
    same = all(
        (tree / name).read_bytes() == (ROOT / name).read_bytes()
        for name in ("requirements.lock", "scripts/setup.sh")
    )
    if same:
        say("it pins what this version pins: the environment is shared, the native library built anew")
        (tree / ".venv").symlink_to(ROOT / ".venv")
        (tree / "build").mkdir()
        for name in ("kenlm", "stamps"):
            (tree / "build" / name).symlink_to((ROOT / "build" / name).resolve())
    subprocess.run([tree / "scripts/setup.sh"], cwd=tree, check=True, stdout=sys.stderr)
    return tree


def make_everything(old: Version) -> str:
    """The earlier version at work; answers its refresh."""
    old.run("-c", ARCHIVE, str(old.work / "archives"))
    airflow = Airflow(old)
    run = airflow.refresh()
    airflow.stop()
    old.run("-m", "lm", "build", "--publish", "default", "--order", "2")
    (old.work / "training.toml").write_text(CONFIG)
    trained = old.ask("training", "run", "--config", str(old.work / "training.toml"))["run"]
    model = str(old.work / "store/language_models/default/current")
    old.ask(
        "training",
        "evaluate",
        "--model",
        trained,
        "--corpus",
        "librispeech",
        "--split",
        "test",
        "--lm",
        model,
    )
    old.ask("training", "release", trained, "--promote", "the first")
    sentences = old.work / "sentences.txt"
    sentences.write_text("The sailor sold ten boats.\nThe queen heard the captain.\n")
    old.ask("collect", "campaign", "harbour", "--open", "--text", str(sentences), "--source", "our own")
    return run


def compare(wanted: dict[str, Any], found: dict[str, Any]) -> None:
    """End the test where anything differs."""
    for name, before in wanted.items():
        if json.loads(json.dumps(before)) != json.loads(json.dumps(found[name])):
            sys.exit(f"{name} differ after the upgrade:\nbefore {before}\nafter  {found[name]}")
        say(f"  {name}: as before ({before})")


def main() -> int:
    """Make with the old, open with the new."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument(
        "--from", dest="reference", default="v0.1.0", help="a tag or commit of an earlier version"
    )
    reference = parser.parse_args().reference
    known = subprocess.run(
        ["git", "rev-parse", "-q", "--verify", f"{reference}^{{commit}}"], cwd=ROOT, check=False
    )
    if known.returncode != 0:
        sys.exit(
            f"git knows no {reference}: name the version to upgrade from, make upgrade-test FROM=<tag or commit>"
        )
    work = ROOT / "var/upgrade"
    shutil.rmtree(work, ignore_errors=True)
    say(f"{reference} makes a corpus, a language model, a released network and a campaign")
    old = Version(take_out(reference, work), work)
    new = Version(ROOT, work)
    run = make_everything(old)
    before = standing(old)
    say("this version opens them")
    compare(before, standing(new))
    new.run("-m", "store", "check", "--full")
    say("  every byte is as it was sealed")
    airflow = Airflow(new)
    try:
        if airflow.states() != {run: "success"}:
            sys.exit(f"Airflow's runs differ after the upgrade: {airflow.states()}, wanted {run}")
        say("  the run stands in Airflow")
        airflow.refresh()
        # Newer rules of text or rows seal another version; what is in it is not fewer.
        rows = {name: count for name, _, count in before["corpora"]}
        after = {name: count for name, _, count in standing(new)["corpora"]}
        if rows != after:
            sys.exit(f"a refresh after the upgrade gives other corpora:\nbefore {rows}\nafter  {after}")
        say("  a refresh gives as many utterances")
    finally:
        airflow.stop()
    shutil.rmtree(work)
    say("nothing is lost")
    return 0


if __name__ == "__main__":
    sys.exit(main())
