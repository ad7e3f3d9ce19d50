"""Ten minutes of what a server has to bear (LFM_LOAD_SECONDS: another time): eight clients with short and long requests, a
third of which go away in the middle. No error, the same answers as alone, and no memory that is lost."""

from __future__ import annotations

import http.client
import json
import os
import random
import threading
import time

from serving import Server, ask, becomes_idle, connect, events, post, text_of

SECONDS = float(os.environ.get("LFM_LOAD_SECONDS", "600"))
CLIENTS = 8
LONG = "Once upon a time there was a horse called Rusty. " * 150
WORDS = "red blue green apple river stone".split()
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {
    "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}
SCHEMA = {"type": "object", "properties": {"name": {"type": "string", "maxLength": 12}, "age": {"type": "integer"}},
          "required": ["name", "age"], "additionalProperties": False}


def kinds() -> list[dict]:
    """Requests whose answers are known once they were asked alone."""
    def chat(content: str, **more: object) -> dict:
        return {"messages": [{"role": "user", "content": content}], "seed": 7, "max_tokens": 60, **more}

    return [chat("What is 17 + 25?", temperature=0), chat("Tell me a story.", temperature=1.5, max_tokens=200),
            chat(LONG, max_tokens=20), chat("What is the weather in Rome?", tools=[TOOL], tool_choice="required"),
            chat("Ada is 36. Give me JSON.", response_format={
                "type": "json_schema", "json_schema": {"name": "person", "schema": SCHEMA}}),
            chat("Tell me a story.", n=3, temperature=1)]


def said(answer: dict) -> list[object]:
    """Without ids, which are other ones each time."""
    out = []
    for choice in answer["choices"]:
        message = choice["message"]
        calls = [(call["function"]["name"], call["function"]["arguments"]) for call in message.get("tool_calls", [])]
        out.append((message["content"], calls, choice["finish_reason"]))
    return out


class Client(threading.Thread):
    def __init__(self, url: str, seed: int, requests: list[dict], alone: list[list[object]], until: float) -> None:
        super().__init__()
        self._url, self._random, self._until = url, random.Random(seed), until
        self._requests, self._alone = requests, alone
        self.wrong: list[str] = []
        self.answers = self.aborted = 0

    def run(self) -> None:
        while time.monotonic() < self._until and not self.wrong:
            try:
                self._one()
            except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
                self.wrong.append(repr(error))

    def _one(self) -> None:
        which = self._random.randrange(len(self._requests) + 1)
        if which == len(self._requests):
            return self._conversation()
        connection = connect(self._url)
        try:
            if self._random.random() < 1 / 3:
                return self._abort(connection, self._requests[which])
            response = post(connection, "/v1/chat/completions", self._requests[which])
            body = response.read()
            if response.status != 200:
                self.wrong.append(f"{response.status}: {body[:200]!r}")
            elif said(json.loads(body)) != self._alone[which]:
                self.wrong.append(f"{body!r} instead of {self._alone[which]}")
            self.answers += 1
        finally:
            connection.close()

    def _abort(self, connection: http.client.HTTPConnection, request: dict) -> None:
        """At any moment: in the queue, in the prompt, in the text."""
        stream = self._random.random() < 0.5
        connection.request("POST", "/v1/chat/completions", json.dumps({**request, "stream": stream, "max_tokens": 2000}),
                           {"Content-Type": "application/json"})
        connection.sock.settimeout(self._random.random() * 0.3)
        try:
            connection.sock.recv(4096)
        except TimeoutError:
            pass
        self.aborted += 1

    def _conversation(self) -> None:
        """Of its own, which no one else has had: three turns, streamed."""
        messages: list[dict] = []
        for _ in range(3):
            messages.append({"role": "user", "content": " ".join(self._random.choices(WORDS, k=30))})
            connection = connect(self._url)
            try:
                response = post(connection, "/v1/chat/completions",
                                {"messages": messages, "stream": True, "max_tokens": 30})
                if response.status != 200:
                    return self.wrong.append(f"{response.status}: {response.read()[:200]!r}")
                messages.append({"role": "assistant", "content": "".join(map(text_of, events(response)))})
                self.answers += 1
            finally:
                connection.close()


def test_mixed_load() -> None:
    # Little room for conversations, so that it is full soon and all that grows behind it is lost.
    with Server("--cache-ram", "32", "-np", "4", threads=2) as server:
        requests = kinds()
        alone = [said(ask(server.url, "/v1/chat/completions", request).json) for request in requests]
        begin = time.monotonic()
        clients = [Client(server.url, seed, requests, alone, begin + SECONDS) for seed in range(CLIENTS)]
        for client in clients:
            client.start()
        memory: list[int] = []
        while any(client.is_alive() for client in clients):
            time.sleep(min(SECONDS / 60, 5))
            memory.append(server.memory())
        for client in clients:
            client.join()
        wrong = [each for client in clients for each in client.wrong]
        assert not wrong, wrong[:3]
        assert becomes_idle(server.url)
        answers, aborted = sum(c.answers for c in clients), sum(c.aborted for c in clients)
        early, late = max(memory[len(memory) // 6:len(memory) // 3]), max(memory[-len(memory) // 6:])
        print(f"{answers} answers and {aborted} that were broken off in {SECONDS:.0f} s; memory of its own "
              f"{memory[0] >> 20} MiB at first, at most {early >> 20} MiB in the second sixth, {late >> 20} in the last")
        assert answers > SECONDS / 2 and aborted > SECONDS / 10
        assert late < early * 1.05 + (8 << 20)
        assert server.metric("cache_bytes") <= 32 << 20
