"""An invented volunteer in a real browser: joins, reads sentences into the microphone, hears and judges a few.

The microphone is a WAV file that is replaced before each take. What comes of a take is read off the page, as a person
would read it.
"""

from __future__ import annotations

import contextlib
import io
import re
import time
from dataclasses import dataclass, field
from pathlib import Path

import soundfile

from demo.collecting.chromium import BrowserError, Look, Window
from demo.collecting.takes import BAD_KINDS, Samples, Wanted, take
from demo.speech import RATE_HZ, FloatSamples
from demo.voices import Voice
from store.writing import temporary_beside

_BEFORE_S, _AFTER_S = 0.15, 0.35  # a person waits a little after pressing, and before stopping
_WINDOWS = 3  # how many browsers may be lost before it is a fault


@dataclass
class Taken:
    """One take: what was spoken, of which kind it is, what the page said, how long it took to say so."""

    voice: str
    sentence: str
    kind: str
    outcome: str  # kept | asked | stopped
    said: str
    seconds: float


@dataclass
class Script:
    """What a volunteer is going to do: the kinds of its takes in order, and the seed of everything drawn."""

    voice: Voice
    kinds: list[str]
    seed: str
    others: list[tuple[str, Voice]] = field(default_factory=list)  # other sentences and voices


class Volunteer:
    """One volunteer with a window of its own."""

    def __init__(self, script: Script, folder: Path, beds: dict[str, FloatSamples]) -> None:
        self.script, self.beds = script, beds
        self.microphone = folder / f"{script.voice.speaker}.wav"
        self.taken: list[Taken] = []
        self.lost: list[str] = []  # why a window was closed and another one opened
        self.good: list[Samples] = []
        self.cookies: dict[str, str] = {}
        self._put(take(Wanted("", script.voice, "silence", "first"), beds))

    def _put(self, samples: Samples) -> None:
        out = io.BytesIO()
        soundfile.write(out, samples, RATE_HZ, format="WAV", subtype="PCM_16")
        partial = temporary_beside(self.microphone)
        partial.write_bytes(out.getvalue())
        partial.replace(self.microphone)

    def visit(self, driver_url: str, url: str, campaign: str, earlier: list[Samples]) -> None:
        """Join and read everything of the script; `earlier` are clips of others, for the kind `copy`.

        Raises:
            BrowserError: a page did not do what it should.
        """
        for _ in range(_WINDOWS):
            try:
                self._go_on(driver_url, url, campaign, earlier)
            except BrowserError as error:
                self.lost.append(str(error))
                continue  # as a person closes a window that does not go on: a new one has the same voice
            return
        raise BrowserError(f"{self.script.voice.speaker} lost {_WINDOWS} windows, the last: {self.lost[-1]}")

    def _go_on(self, driver_url: str, url: str, campaign: str, earlier: list[Samples]) -> None:
        look = Look(400, 800, microphone=self.microphone)
        with Window(driver_url, url, look) as window:
            window.visit(f"/c/{campaign}")
            if self.cookies:
                for name, value in self.cookies.items():
                    window.call("/cookie", {"cookie": {"name": name, "value": value, "httpOnly": True}})
                window.visit(f"/c/{campaign}/speak")
            else:
                window.press("[name=agree]")
                window.press("form[action$=join] button")
            window.wait("a page to speak on", lambda: window.is_shown("#record") or window.is_shown("#more"))
            self.cookies = {one["name"]: one["value"] for one in window.call("/cookie")}
            while len(self.taken) < len(self.script.kinds):
                self._one(window, len(self.taken), self.script.kinds[len(self.taken)], earlier)
            wrong = [line for line in window.complaints() if "favicon" not in line]
            if wrong:
                raise BrowserError(f"the console of {self.script.voice.speaker} says: {wrong[0]}")

    def _one(self, window: Window, number: int, kind: str, earlier: list[Samples]) -> None:
        window.wait(
            "a sentence or the end of five", lambda: window.is_shown("#record") or window.is_shown("#more")
        )
        if window.is_shown("#more"):
            window.press("#more")
            window.wait("the next five", lambda: window.is_shown("#record"))
        count, sentence = window.text_of("#count"), window.text_of("#sentence")
        samples = self._samples(sentence, number, kind, earlier)
        self._record(window, samples, kind)
        began_s = time.monotonic()
        window.press("#send")
        waits = "return document.getElementById('hint').className"
        window.wait(
            "what the checks say",
            lambda: (
                window.is_shown("#more")
                or window.is_shown("#doubted")
                or (window.is_shown("#record") and window.text_of("#count") != count)
                or (window.is_shown("#record") and "bad" in str(window.run(waits)))
            ),
        )
        self._note(window, sentence, kind, time.monotonic() - began_s)
        if kind == "good" and self.taken[-1].outcome == "kept":
            self.good.append(samples)

    def _samples(self, sentence: str, number: int, kind: str, earlier: list[Samples]) -> Samples:
        words = re.sub(r"[^a-z' ]", "", sentence.lower())
        text, voice = self.script.others[number % len(self.script.others)]
        copied = earlier[number % len(earlier)] if earlier else None
        wanted = Wanted(words, self.script.voice, kind, f"{self.script.seed}/{number}", text, voice, copied)
        return take(wanted, self.beds)

    def _record(self, window: Window, samples: Samples, kind: str) -> None:
        """Press, let the file play, press again; a cut take is stopped in the middle of a word."""
        self._put(samples)
        pressed = "return document.getElementById('record').getAttribute('aria-pressed')"
        window.press("#record")
        window.wait("the recording to run", lambda: window.run(pressed) == "true")
        after_s = -0.05 if kind == "cut" else 0.0 if kind == "empty" else _AFTER_S
        time.sleep(max(0.05, len(samples) / RATE_HZ + after_s))
        window.press("#record")
        window.wait("the recording to end", lambda: window.is_shown("#send"))

    def _note(self, window: Window, sentence: str, kind: str, seconds: float) -> None:
        said, bad = window.text_of("#hint"), window.run("return document.getElementById('hint').className")
        outcome = "kept"
        if window.is_shown("#doubted"):
            outcome = "asked"
            window.press("#again" if kind in BAD_KINDS else "#sure")
            window.wait("the next sentence", lambda: not window.is_shown("#doubted"))
        elif "bad" in str(bad) and window.is_shown("#record"):
            outcome = "stopped"
        self.taken.append(Taken(self.script.voice.speaker, sentence, kind, outcome, said, round(seconds, 3)))
        if (outcome == "stopped" or (outcome == "asked" and kind in BAD_KINDS)) and window.is_shown("#skip"):
            count = window.text_of("#count")
            with contextlib.suppress(BrowserError):  # the page may have gone on meanwhile
                window.press("#skip")
            window.wait(
                "the sentence after the skipped one",
                lambda: window.is_shown("#more") or window.text_of("#count") != count,
            )
