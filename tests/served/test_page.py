"""The page at / as a person sees it: in headless Chromium, by WebDriver's own HTTP."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import struct
import subprocess
import time
import urllib.error
import urllib.request
import zlib
from pathlib import Path
from typing import Any, Callable

import pytest

from serving import Server, becomes_idle

DRIVER = shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(DRIVER is None or shutil.which("chromium") is None,
                                reason="no Chromium (Debian's chromium and chromium-driver)")
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # as WebDriver calls it


class Browser:
    def __init__(self, folder: Path, *flags: str) -> None:
        self._driver = subprocess.Popen([DRIVER, "--port=0"], stdout=subprocess.PIPE, text=True)
        while True:
            line = self._driver.stdout.readline()
            assert line, "chromedriver ended"
            if port := re.search(r"on port (\d+)\.", line):
                break
        self._address = f"http://127.0.0.1:{port[1]}/session"
        arguments = ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=900,700",
                     f"--user-data-dir={folder}", *flags]
        options = {"goog:chromeOptions": {"args": arguments}, "goog:loggingPrefs": {"browser": "ALL"}}
        session = self._ask("", {"capabilities": {"alwaysMatch": options}})
        self._address += "/" + session["sessionId"]

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._ask("", method="DELETE")
        finally:
            self._driver.terminate()
            self._driver.wait()

    def _ask(self, path: str, body: Any = None, method: str | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._address + path, data, {"Content-Type": "application/json"},
                                         method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["value"]

    def go(self, url: str) -> None:
        self._ask("/url", {"url": url})

    def run(self, script: str) -> Any:
        return self._ask("/execute/sync", {"script": script, "args": []})

    def type(self, selector: str, text: str) -> None:
        element = self._ask("/element", {"using": "css selector", "value": selector})[ELEMENT]
        self._ask(f"/element/{element}/value", {"text": text})

    def click(self, selector: str) -> None:
        element = self._ask("/element", {"using": "css selector", "value": selector})[ELEMENT]
        self._ask(f"/element/{element}/click", {})

    def wait(self, holds: Callable[[], Any]) -> Any:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            if found := holds():
                return found
            time.sleep(0.05)
        raise AssertionError("it doesn't come: " + self.run("return document.body.innerText"))

    def answers(self) -> list[str]:
        return self.run("return [...document.querySelectorAll('.assistant > div:not(.figures)')].map(e => e.textContent)")

    def screenshot(self) -> bytes:
        return base64.b64decode(self._ask("/screenshot"))

    def complaints(self) -> list[str]:
        return [entry["message"] for entry in self._ask("/se/log", {"type": "browser"})]


def pixels(png: bytes) -> tuple[int, int, list[bytes]]:
    """Of a PNG with eight bits a channel: width, channels, and rows."""
    at, data, width, channels = 8, b"", 0, 0
    while at < len(png):
        size, kind = struct.unpack(">I4s", png[at:at + 8])
        body = png[at + 8:at + 8 + size]
        if kind == b"IHDR":
            width, channels = struct.unpack(">I", body[:4])[0], {2: 3, 6: 4}[body[9]]
        if kind == b"IDAT":
            data += body
        at += size + 12
    raw, stride = zlib.decompress(data), width * channels
    rows: list[bytes] = []
    above = bytes(stride)
    for begin in range(0, len(raw), stride + 1):
        how, row = raw[begin], bytearray(raw[begin + 1:begin + 1 + stride])
        for i in range(stride):
            left = row[i - channels] if i >= channels else 0
            corner = above[i - channels] if i >= channels else 0
            if how == 1:
                row[i] = (row[i] + left) & 255
            elif how == 2:
                row[i] = (row[i] + above[i]) & 255
            elif how == 3:
                row[i] = (row[i] + (left + above[i]) // 2) & 255
            elif how == 4:
                guess = left + above[i] - corner
                row[i] = (row[i] + min((left, above[i], corner), key=lambda one: abs(guess - one))) & 255
        above = bytes(row)
        rows.append(above)
    return width, channels, rows


def colours(png: bytes) -> dict[bytes, int]:
    _, channels, rows = pixels(png)
    counts: dict[bytes, int] = {}
    for row in rows:
        for i in range(0, len(row), channels):
            counts[row[i:i + 3]] = counts.get(row[i:i + 3], 0) + 1
    return counts


@pytest.fixture
def browser(tmp_path: Path):
    # Nothing but this machine can be reached: the page has to be whole without a network.
    with Browser(tmp_path, "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1") as browser:
        yield browser


def test_a_person_talks_with_it(browser: Browser) -> None:
    with Server() as server:
        browser.go(server.url)
        browser.wait(lambda: "nano" in browser.run("return document.getElementById('model').textContent"))
        empty = browser.screenshot()
        browser.type("#text", "What is 17 + 25?\n")
        browser.wait(lambda: browser.run("return document.querySelector('.figures')?.textContent"))
        assert browser.answers() == ["17 + 25 = 42."]
        assert "tokens" in browser.run("return document.querySelector('.figures').textContent")

        # It looks as meant: the question is in its own colour at the right, the answer in another, and nothing else.
        picture = browser.screenshot()
        if folder := os.environ.get("LFM_SCREENSHOTS"):
            (Path(folder) / "page.png").write_bytes(picture)
        mine, soft, paper = b"\xdb\xe8\xff", b"\xec\xec\xf0", b"\xfb\xfb\xfd"
        before, after = colours(empty), colours(picture)
        assert before.get(mine, 0) == 0
        assert after.get(mine, 0) > 2000
        assert after.get(soft, 0) > before.get(soft, 0) + 10000
        assert after[paper] > sum(after.values()) / 2

        browser.type("#text", "My name is Ada.\n")
        browser.wait(lambda: len(browser.answers()) == 2 and browser.run("return !running"))
        browser.type("#text", "What is my name?\n")
        browser.wait(lambda: browser.answers()[2:] == ["Your name is Ada."])
        browser.click("#fresh")
        assert browser.answers() == []
        assert browser.complaints() == []


def test_an_answer_is_stopped(browser: Browser) -> None:
    with Server() as server:
        browser.go(server.url)
        # One that would go on for long, by way of the page's own request.
        browser.run("""const ask = window.fetch;
            window.fetch = (path, options) => ask(path, options?.body
                ? {...options, body: JSON.stringify({...JSON.parse(options.body), ignore_eos: true})} : options);""")
        browser.type("#text", "Tell me a story.\n")
        browser.wait(lambda: browser.answers() and browser.answers()[0])
        browser.click("#send")
        assert becomes_idle(server.url)
        # A new chat doesn't know of one that was still being answered.
        browser.type("#text", "Tell me a story.\n")
        browser.wait(lambda: len(browser.answers()) == 2 and browser.answers()[1])
        browser.click("#fresh")
        browser.wait(lambda: browser.run("return !running"))
        assert browser.run("return messages.length") == 0


def test_a_key_is_asked_for(browser: Browser) -> None:
    with Server("--api-key", "secret") as server:
        browser.go(server.url + "/health")
        browser.run("sessionStorage.setItem('key', 'secret')")
        browser.go(server.url)
        browser.wait(lambda: "nano" in browser.run("return document.getElementById('model').textContent"))
        browser.type("#text", "What is 17 + 25?\n")
        browser.wait(lambda: browser.answers() == ["17 + 25 = 42."])


def test_what_a_model_says_is_text(browser: Browser) -> None:
    with Server() as server:
        browser.go(server.url)
        browser.type("#text", "<img src=x onerror=alert(1)><script>alert(2)</script>\n")
        browser.wait(lambda: browser.run("return document.querySelector('.figures')"))
        assert browser.run("return document.querySelectorAll('main img, main script').length") == 0
        assert "<img" in browser.run("return document.querySelector('.user').textContent")
