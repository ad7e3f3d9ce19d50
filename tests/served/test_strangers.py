"""Clients that mean no good, or none at all: many that don't speak, and Debian's slowhttptest."""

from __future__ import annotations

import json
import re
import resource
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

from serving import Server, ask

CONNECTIONS = 1000
HALF = {"nothing": b"", "half a head": b"GET /health HTTP/1.1\r\nHost: loc",
        "half a body": b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                       b"Content-Length: 100\r\n\r\n{"}


def silent(url: str, count: int, says: bytes = b"") -> list[socket.socket]:
    host, port = url.removeprefix("http://").split(":")
    out = []
    for _ in range(count):
        out.append(socket.create_connection((host, int(port))))
        out[-1].sendall(says)
    return out


def slowest_health(url: str, times: int = 20) -> float:
    slowest = 0.0
    for _ in range(times):
        begin = time.monotonic()
        assert ask(url, "/health").status == 200
        slowest = max(slowest, time.monotonic() - begin)
    return slowest


@pytest.mark.parametrize("limit", ["2048", "256"])
def test_a_thousand_that_do_not_speak(limit: str) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 4096), most))
    with Server("--max-connections", limit, "--max-body", "1024", "--max-bodies", "10485760") as server:
        memory = server.memory()
        for name, bytes in HALF.items():
            stalled = silent(server.url, CONNECTIONS, bytes)
            slowest = slowest_health(server.url)
            more = server.memory() - memory
            print(f"{limit} connections at most, {name}: /health took at most {slowest * 1000:.1f} ms, "
                  f"{more / 1024:.0f} KiB more")
            for one in stalled:
                one.close()
            assert slowest < 0.5, "a machine that is busy takes longer than the 50 ms that are aimed at"


def test_what_connections_and_a_queue_cost() -> None:
    with Server("-np", "4", "--queue", "32") as server:
        request = {"messages": [{"role": "user", "content": "Once upon a time there was a horse called Rusty. " * 160}],
                   "stream": True, "ignore_eos": True, "max_tokens": 2000}
        body = json.dumps(request).encode()
        whole = (b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                 b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        ask(server.url, "/v1/chat/completions", {**request, "stream": False, "max_tokens": 8})
        begin = server.memory()
        idle = silent(server.url, 256 - 36 - 1)
        assert ask(server.url, "/health").status == 200
        connected = server.memory()
        asking = silent(server.url, 36, whole)
        until = time.monotonic() + 60
        while server.metric("requests_deferred") < 32:
            assert time.monotonic() < until
        queued = server.memory()
        print(f"{len(idle)} connections that wait: {(connected - begin) / 1024:.0f} KiB; 4 requests that run and 32 that "
              f"are queued, of {len(body)} bytes each: {(queued - connected) / 1024:.0f} KiB")
        assert connected - begin < 4 << 20
        assert queued - connected < 64 << 20
        for one in idle + asking:
            one.close()


@pytest.mark.skipif(shutil.which("slowhttptest") is None, reason="no slowhttptest (Debian's)")
@pytest.mark.parametrize("how", [["-H"], ["-B"], ["-R"], ["-X", "-u", "/props"]])
def test_slowhttptest(how: list[str], tmp_path: Path) -> None:
    """-H headers, -B bodies, -R ranges, -X slow readers: 500 connections for half a minute."""
    with Server() as server:
        path = how.pop() if how[:1] == ["-X"] else "/v1/chat/completions"
        flags = [flag for flag in how if flag != "-u"]
        if flags == ["-X"]:
            flags += ["-w", "10", "-y", "20", "-n", "5", "-z", "32", "-k", "3"]
        run = subprocess.run(["slowhttptest", *flags, "-c", "500", "-r", "200", "-i", "2", "-l", "30", "-p", "2",
                              "-t", "POST" if flags == ["-B"] else "GET", "-u", server.url + path],
                             capture_output=True, text=True, timeout=120)
        said = re.sub(r"\x1b\[[0-9;]*m", "", run.stdout)
        seconds = [line for line in said.splitlines() if "service available" in line]
        assert seconds, said + run.stderr
        assert all(line.split()[-1] == "YES" for line in seconds), said
        assert slowest_health(server.url) < 0.5
