"""The loop, measured: base network → campaign → 20 volunteers in Chromium → votes → corpus → retrained network.

Every stage writes its figures into `result`; the stages and what is wanted of them stand in docs/collect.md.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from demo import speech
from demo.collecting import network
from demo.collecting.chromium import driver
from demo.collecting.service import Caller, Service, running
from demo.collecting.takes import BAD_KINDS, Samples
from demo.collecting.volunteer import Script, Taken, Volunteer
from demo.speech import FloatSamples
from store.writing import write_json_atomic

CAMPAIGN = "harbour_voices"
TAKES, BAD_SHARE = 500, 0.10
VOTERS_IN_A_BROWSER = 2  # clips that each volunteer hears on the page itself
_REASONS = {"cut": "cut", "noise": "noise", "music": "not_a_person", "silence": "noise", "narrow": "noise"}
Told = Callable[[str], None]


@dataclass
class Loop:
    """One run of the loop in a folder of its own."""

    folder: Path
    seed: int = 1
    windows: int = 4
    takes: int = TAKES
    say: Told = print
    result: dict[str, Any] = field(default_factory=dict)

    @property
    def store(self) -> Path:
        return self.folder / "store"

    def go(self) -> dict[str, Any]:
        """All of it; answers the figures."""
        self.folder.mkdir(parents=True, exist_ok=True)
        beds = speech.load_noise_beds(speech.make_noise_beds(self.folder / "beds"))
        before = self._base(beds)
        service = Service(self.folder / "collect", self.store, model=self.store / "runs" / before["run"])
        with running(service):
            self._campaign(service)
            people = self._speak(service, beds)
            self._judge(service, people)
            self._publish(service)
        self._retrain(before)
        return self.result

    def _note(self, stage: str, figures: dict[str, Any]) -> None:
        """Figures of a stage, kept at once: a later stage may fail."""
        self.result[stage] = figures
        write_json_atomic(self.folder / "result.json", self.result)

    def _base(self, beds: dict[str, FloatSamples]) -> dict[str, Any]:
        self.say("the base corpus is spoken and imported, the first network trained")
        began_s = time.monotonic()
        base = network.speak_base(self.folder / "base", self.seed, beds)
        network.publish(self.store, "librispeech", base, network.BASE)
        held_out = network.speak_held_out(self.folder / "held_out", self.seed, beds)
        network.publish(self.store, "common_voice", held_out, network.HELD_OUT_CORPUS)
        run = network.train(self.store, [network.BASE], self.seed)
        evaluation = network.measure(self.store, run)
        self._note("base", {**_figures(evaluation), "seconds": _since(began_s)})
        self.say(f"  word error rate on the held-out voice: {self.result['base']['wer']:.1%}")
        return {"run": run, "evaluation": evaluation}

    def _campaign(self, service: Service) -> None:
        lines = [f"{line[:1].upper()}{line[1:]}." for line in network.texts(self.seed).campaign]
        file = self.folder / "sentences.txt"
        file.write_text("\n".join(lines) + "\n", "utf-8")
        service.command(
            "campaign", CAMPAIGN, "--title", "Harbour voices", "--open", "--text", str(file), "--source", "the demo",
            "--goal-hours", "0.5",
        )  # fmt: skip

    def _speak(self, service: Service, beds: dict[str, FloatSamples]) -> list[Volunteer]:
        scripts = self._scripts()
        self.say(f"{len(scripts)} volunteers read {sum(len(s.kinds) for s in scripts)} sentences in Chromium")
        began_s, folder = time.monotonic(), self.folder / "microphones"
        folder.mkdir(exist_ok=True)
        people = [Volunteer(script, folder, beds) for script in scripts]
        first, rest = people[0], people[1:]
        with driver() as url:
            first.visit(url, service.url, CAMPAIGN, [])
            earlier: list[Samples] = list(first.good)

            def visit(one: Volunteer) -> None:
                one.visit(url, service.url, CAMPAIGN, earlier)
                self.say(f"  {one.script.voice.speaker} ({one.script.voice.variant}) is done")

            with ThreadPoolExecutor(self.windows) as pool:
                list(pool.map(visit, rest))
        taken = [entry for one in people for entry in one.taken]
        lost = [said for one in people for said in one.lost]
        self._note("takes", {**stopped_shares(taken), "windows_lost": lost, "seconds": _since(began_s)})
        write_json_atomic(self.folder / "takes.json", [vars(entry) for entry in taken])
        return people

    def _scripts(self) -> list[Script]:
        """Who reads what kind when: a tenth bad, the kinds in equal shares, none of them in the first volunteer."""
        rng, voices = random.Random(f"kinds {self.seed}"), network.volunteers(self.seed)
        each = self.takes // len(voices)
        bad = [BAD_KINDS[number % len(BAD_KINDS)] for number in range(round(self.takes * BAD_SHARE))]
        kinds = bad + ["good"] * (each * (len(voices) - 1) - len(bad))
        rng.shuffle(kinds)
        shares = [["good"] * each, *(kinds[at : at + each] for at in range(0, len(kinds), each))]
        extra = network.texts(self.seed).campaign[self.takes :]
        return [
            Script(
                voice, share, f"{self.seed}/{voice.speaker}",
                [(rng.choice(extra), rng.choice([v for v in voices if v is not voice])) for _ in range(each)],
            )
            for voice, share in zip(voices, shares, strict=True)
        ]  # fmt: skip

    def _judge(self, service: Service, people: list[Volunteer]) -> None:
        """Everybody hears what is there and says honestly what they hear, until nothing waits."""
        self.say("they judge each other")
        kind_of = {
            entry.sentence: entry.kind for one in people for entry in one.taken if entry.outcome != "stopped"
        }
        listeners = [_listener(service, one) for one in people]
        votes: Counter[str] = Counter()
        heard = True
        while heard:
            heard = False
            for caller in listeners:
                for clip in caller.to_judge(5):
                    heard = True
                    kind = kind_of[clip["text"]]
                    caller.hear(clip["id"])
                    caller.patience_s = 120.0
                    caller.vote(
                        clip["id"], kind == "good", "" if kind == "good" else _REASONS.get(kind, "misread")
                    )
                    votes["yes" if kind == "good" else "no"] += 1
        self._last_vote_s = time.monotonic()
        self._note("votes", dict(votes))
        for caller in listeners:
            caller.close()

    def _publish(self, service: Service) -> None:
        self.say("it is published")
        answer = service.command("publish", CAMPAIGN, "--no-airflow", "--json")
        import json

        said = json.loads(answer)
        figures = {
            "seconds_after_the_last_vote": round(time.monotonic() - self._last_vote_s, 2),
            "clips": said["clips"],
            "utterances": said["refresh"]["utterances"],
            "hours": said["refresh"]["hours"],
            "rejected": said["refresh"]["rejected"],
        }
        self._note("published", figures)

    def _retrain(self, before: dict[str, Any]) -> None:
        self.say("the network is trained again, with the volunteers")
        began_s = time.monotonic()
        run = network.train(self.store, [network.BASE, CAMPAIGN], self.seed)
        evaluation = network.measure(self.store, run)
        compared = network.compare(self.store, evaluation["id"], before["evaluation"]["id"])
        self._note("retrained", {**_figures(evaluation), "seconds": _since(began_s)})
        self._note("compared", compared["decoders"]["greedy"])


def _listener(service: Service, one: Volunteer) -> Caller:
    caller = Caller(service.url, CAMPAIGN, patience_s=120.0)
    for name, value in one.cookies.items():
        caller.client.cookies.set(name, value, domain="127.0.0.1")
    caller.open(f"/c/{CAMPAIGN}/listen")
    return caller


def stopped_shares(taken: list[Taken]) -> dict[str, Any]:
    """What the checks did to good and to bad takes, by kind.

    A bad take that is asked about counts as stopped: nobody hears it, because an honest volunteer reads again. A good one
    that is asked about goes on with one click, and is told apart.
    """
    bad = [entry for entry in taken if entry.kind != "good"]
    good = [entry for entry in taken if entry.kind == "good"]
    by_kind: dict[str, dict[str, int]] = {}
    for entry in taken:
        counts = by_kind.setdefault(entry.kind, {"takes": 0, "stopped": 0, "asked": 0, "kept": 0})
        counts["takes"] += 1
        counts[entry.outcome] += 1

    def share(entries: list[Taken], outcomes: set[str]) -> float:
        return round(sum(entry.outcome in outcomes for entry in entries) / max(1, len(entries)), 4)

    waits = sorted(entry.seconds for entry in taken)
    return {
        "takes": len(taken),
        "bad": len(bad),
        "bad_stopped": share(bad, {"stopped", "asked"}),
        "good_stopped": share(good, {"stopped"}),
        "good_asked": share(good, {"asked"}),
        "by_kind": dict(sorted(by_kind.items())),
        "median_answer_s": waits[len(waits) // 2],
    }


def _figures(evaluation: dict[str, Any]) -> dict[str, Any]:
    return {
        "evaluation": evaluation["id"],
        "wer": evaluation["greedy"]["wer"],
        "cer": evaluation["greedy"]["cer"],
    }


def _since(began_s: float) -> float:
    return round(time.monotonic() - began_s, 1)


def lines_of(result: dict[str, Any]) -> Iterator[str]:
    """The figures for people, one a line."""
    takes, published, compared = result["takes"], result["published"], result["compared"]
    yield f"takes            {takes['takes']}, of them bad on purpose {takes['bad']}"
    yield f"bad stopped      {takes['bad_stopped']:.1%} before anybody heard them (wanted: at least 95 %)"
    yield f"good stopped     {takes['good_stopped']:.2%}, asked about {takes['good_asked']:.2%} (wanted: at most 1 %)"
    for kind, counts in takes["by_kind"].items():
        yield f"  {kind:15} {counts['takes']:4} takes, {counts['stopped']} stopped, {counts['asked']} asked about"
    late_s = published["seconds_after_the_last_vote"]
    yield f"published        {published['utterances']} utterances {late_s} s after the last vote"
    yield f"word error rate  {result['base']['wer']:.1%} → {result['retrained']['wer']:.1%} on a voice nobody had heard"
    tests = ", ".join(f"{name} {value:.2g}" for name, value in compared.items() if name.startswith("p_"))
    yield f"by chance        {tests}"
