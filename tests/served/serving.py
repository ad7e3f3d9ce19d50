"""lfm serve as a process, and what asks it: HTTP by the standard library alone."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import threading
import time
import urllib.parse
from typing import Any, Iterator

PROGRAM = os.environ["LFM"]
MODEL = os.environ["LFM_TEST_MODEL"]


class Server:
    """Ends with its block."""

    def __init__(self, *flags: str, model: str = MODEL, port: int = 0, threads: int = 1) -> None:
        self._process = subprocess.Popen(
            [PROGRAM, "serve", "-m", model, "--port", str(port), "--pack-cache", "off", "-t", str(threads), "--metrics",
             *flags], stderr=subprocess.PIPE, text=True)
        said = ""
        while "is ready" not in said:
            line = self._process.stderr.readline()
            assert line, f"lfm serve ended: {said}"
            said += line
        self.url = re.search(r"http://[0-9.]+:[0-9]+", said)[0]
        self.said = [said]
        threading.Thread(target=lambda: self.said.extend(self._process.stderr), daemon=True).start()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.end(signal.SIGKILL)

    @property
    def pid(self) -> int:
        return self._process.pid

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        self._process.send_signal(how)
        return self._process.wait()

    def memory(self) -> int:
        """Bytes of its own, files that are mapped left out."""
        with open(f"/proc/{self.pid}/status") as status:
            return int(re.search(r"RssAnon:\s*(\d+) kB", status.read())[1]) * 1024

    def metric(self, name: str) -> float:
        return metric(self.url, name)


class Answer:
    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def connect(url: str, timeout: float = 120) -> http.client.HTTPConnection:
    parts = urllib.parse.urlsplit(url)
    return http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)


def post(connection: http.client.HTTPConnection, path: str, body: Any) -> http.client.HTTPResponse:
    connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
    return connection.getresponse()


def ask(url: str, path: str, body: Any = None) -> Answer:
    connection = connect(url)
    try:
        if body is None:
            connection.request("GET", path)
            response = connection.getresponse()
        else:
            response = post(connection, path, body)
        return Answer(response.status, dict(response.getheaders()), response.read())
    finally:
        connection.close()


def events(response: http.client.HTTPResponse) -> Iterator[Any]:
    """Of a stream, until its [DONE]; one that ends before is an error."""
    for line in response:
        if not line.startswith(b"data: "):
            continue
        if line.strip() == b"data: [DONE]":
            return
        event = json.loads(line[6:])
        if "error" in event:
            raise OSError(event["error"]["message"])
        yield event
    raise OSError("the stream ended without [DONE]")


def text_of(event: Any) -> str:
    return "".join(choice["delta"].get("content") or "" for choice in event["choices"])


def metric(url: str, name: str) -> float:
    text = ask(url, "/metrics").body.decode()
    return float(re.search(rf"^lfm_{name} (\S+)$", text, re.MULTILINE)[1])


def becomes_idle(url: str, patience: float = 30) -> bool:
    until = time.monotonic() + patience
    while time.monotonic() < until:
        if metric(url, "requests_processing") == 0 and metric(url, "requests_deferred") == 0:
            return True
        time.sleep(0.05)
    return False
