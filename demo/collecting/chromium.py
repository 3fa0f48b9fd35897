"""A headless Chromium with a file for a microphone, driven through chromedriver's own HTTP interface.

    with driver() as url, Window(url, "http://127.0.0.1:8090", Look(microphone=wav)) as window:
        window.visit("/c/harbour")

Chromium opens the file anew whenever a page opens the microphone, so that the next take can be put in its place.
"""

from __future__ import annotations

import base64
import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from native.errors import SpeechmillError

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
_PRESS_S = 5.0  # an element may still be on its way
LIMIT_S = 90.0


class BrowserError(SpeechmillError):
    """The browser does not start, or a page does not do what was waited for; says what it shows."""


@dataclass(frozen=True)
class Look:
    """How a window is: size in pixels, dark or light, the language it asks for, the WAV file that is its microphone."""

    width: int = 1100
    height: int = 900
    dark: bool = False
    language: str = "en"
    microphone: Path | None = None


@contextlib.contextmanager
def driver() -> Iterator[str]:
    """A chromedriver on a free port of the loopback interface; yields its URL.

    Raises:
        BrowserError: it is not installed, or does not start.
    """
    program = shutil.which("chromedriver")
    if program is None:
        raise BrowserError(
            "chromedriver is missing: `make test-all` installs it (apt-get install chromium-driver)"
        )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([program, f"--port={port}"], stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            with contextlib.suppress(httpx.TransportError):
                httpx.get(f"{url}/status", trust_env=False)
                break
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait()


class Window:
    """One browser with cookies of its own."""

    def __init__(self, driver_url: str, base_url: str, look: Look | None = None) -> None:
        self._client = httpx.Client(base_url=driver_url, trust_env=False, timeout=120)
        self._base_url = base_url
        look = look or Look()
        options: dict[str, Any] = {
            "args": _arguments(look),
            "prefs": {"intl.accept_languages": look.language},
        }
        binary = shutil.which("chromium") or shutil.which("google-chrome")
        if binary:
            options["binary"] = binary
        options["mobileEmulation"] = {
            "deviceMetrics": {"width": look.width, "height": look.height, "pixelRatio": 1}
        }
        wanted = {
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL"},
        }
        answer = self._client.post("/session", json={"capabilities": {"alwaysMatch": wanted}}).json()["value"]
        if "sessionId" not in answer:
            raise BrowserError(f"the browser does not start: {answer.get('message')}")
        self._session = f"/session/{answer['sessionId']}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.delete(self._session)
        self._client.close()

    def call(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """One call of the WebDriver interface.

        Raises:
            BrowserError: it cannot be done; says why.
        """
        url = self._session + path
        answer = self._client.get(url) if body is None else self._client.post(url, json=body)
        value = answer.json()["value"]
        if answer.is_error:
            raise BrowserError(f"the browser cannot do {path}: {value.get('message')}")
        return value

    def visit(self, path: str) -> None:
        """Open a page of the service."""
        self.call("/url", {"url": self._base_url + path})

    def run(self, script: str, *arguments: Any) -> Any:
        """The value of a script in the page; its arguments are `arguments`."""
        return self.call("/execute/sync", {"script": script, "args": list(arguments)})

    def press(self, selector: str) -> None:
        """Click the first element that fits, as a person does: it must be there to be seen."""
        end_s = time.monotonic() + _PRESS_S
        while True:
            try:
                found = self.call("/element", {"using": "css selector", "value": selector})
                self.call(f"/element/{found[ELEMENT]}/click", {})
                return
            except BrowserError as error:
                if time.monotonic() > end_s:
                    raise BrowserError(f"{selector} cannot be pressed: {error}") from error
                time.sleep(0.1)

    def type_into(self, selector: str, text: str) -> None:
        """Type into the first element that fits."""
        found = self.call("/element", {"using": "css selector", "value": selector})
        self.call(f"/element/{found[ELEMENT]}/value", {"text": text})

    def text_of(self, selector: str) -> str:
        """What the first element that fits shows; "" where there is none."""
        return str(self.run("return document.querySelector(arguments[0])?.innerText ?? ''", selector))

    def is_shown(self, selector: str) -> bool:
        """Whether the first element that fits can be seen."""
        script = "const e = document.querySelector(arguments[0]); return !!e && e.getClientRects().length > 0"
        return bool(self.run(script, selector))

    def wait(self, what: str, until: Callable[[], Any], limit_s: float = LIMIT_S) -> Any:
        """Wait until `until` answers something true; answers that.

        Raises:
            BrowserError: it did not in time.
        """
        end_s = time.monotonic() + limit_s
        while not (found := until()):
            if time.monotonic() > end_s:
                shown = str(self.run("return document.body.innerText"))[:400]
                raise BrowserError(f"waited {limit_s:.0f} s for {what}; {self.call('/url')} shows: {shown}")
            time.sleep(0.05)
        return found

    def complaints(self) -> list[str]:
        """What the browser's console said since it was asked last: errors of scripts, refused resources."""
        entries = self._client.post(f"{self._session}/se/log", json={"type": "browser"}).json()["value"]
        return [str(one["message"]) for one in entries if one["level"] in ("SEVERE", "WARNING")]

    def save(self, path: Path, whole: bool = False) -> None:
        """The window, or the whole page, as a PNG file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        if whole:
            command = {"cmd": "Page.captureScreenshot", "params": {"captureBeyondViewport": True}}
            picture = self.call("/goog/cdp/execute", command)["data"]
        else:
            picture = self.call("/screenshot")
        path.write_bytes(base64.b64decode(picture))


def _arguments(look: Look) -> list[str]:
    found = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--mute-audio"]
    found += [f"--window-size={look.width},{look.height}", f"--lang={look.language}"]
    found += ["--autoplay-policy=no-user-gesture-required", "--disable-dev-shm-usage"]
    if look.dark:
        found += ["--force-dark-mode", "--blink-settings=preferredColorScheme=0"]
    if look.microphone is not None:
        found += ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
        found += [f"--use-file-for-fake-audio-capture={look.microphone}%noloop"]
    return found
