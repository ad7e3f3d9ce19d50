"""Two replicas behind HAProxy with deploy/haproxy.cfg: one that is killed, or ended, in the middle of many conversations
takes with it nothing that it hadn't begun to say."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from serving import Server, ask, connect, events, post, text_of

HAPROXY = shutil.which("haproxy", path=os.environ["PATH"] + ":/usr/sbin")
pytestmark = pytest.mark.skipif(HAPROXY is None, reason="no HAProxy (Debian's haproxy)")

CONVERSATIONS = 50
QUESTIONS = [("What is 17 + 25?", "17 + 25 = 42."), ("My name is Ada.", None), ("What is my name?", "Your name is Ada.")]


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Balancer:
    def __init__(self, folder: Path, replicas: list[Server]) -> None:
        port, metrics = free_port(), free_port()
        self.url = f"http://127.0.0.1:{port}"
        text = (Path(os.environ["LFM_DEPLOY"]) / "haproxy.cfg").read_text()
        for name, replica in zip("ab", replicas):
            text, changes = re.subn(rf"server {name} \S+", f"server {name} {replica.url.removeprefix('http://')}", text)
            assert changes == 1
        text = text.replace("bind :8080", f"bind 127.0.0.1:{port}").replace(":8404", f":{metrics}")
        text = text.replace("/run/haproxy/admin.sock", str(folder / "admin.sock"))
        text = re.sub(r"^ *(log |option httplog|option dontlognull).*$", "", text, flags=re.MULTILINE)
        # Who answered, to see where conversations go.
        text = text.replace("backend lfm\n", "backend lfm\n    http-response set-header x-replica %s\n")
        (folder / "haproxy.cfg").write_text(text)
        self._process = subprocess.Popen([HAPROXY, "-db", "-f", str(folder / "haproxy.cfg")])
        until = time.monotonic() + 20
        while time.monotonic() < until:
            try:
                if ask(self.url, "/health").status == 200:
                    return
            except OSError:
                pass
            time.sleep(0.1)
        raise AssertionError("HAProxy doesn't answer")

    def __enter__(self) -> Balancer:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()


class Conversation:
    """Asks one question after the other; an answer that broke off is asked for again, as a client would."""

    def __init__(self, url: str, number: int) -> None:
        self.url, self.number = url, number
        self.replicas: list[str] = []
        self.cached: list[int] = []
        self.broken = 0          # answers that had begun
        self.lost: list[str] = []  # others

    def run(self) -> None:
        messages = [{"role": "system", "content": "Answer in one sentence."},
                    {"role": "user", "content": f"This is conversation {self.number}."}]
        messages.append({"role": "assistant", "content": self.answer(messages)})
        for question, answer in QUESTIONS:
            messages.append({"role": "user", "content": question})
            said = self.answer(messages)
            if answer is not None and said != answer:
                self.lost.append(f"{question} was answered with {said!r}")
            messages.append({"role": "assistant", "content": said})

    def answer(self, messages: list[dict[str, str]]) -> str:
        body = {"messages": messages, "temperature": 0, "max_tokens": 24}
        for _ in range(5):
            text = ""
            connection = connect(self.url)
            try:
                body["stream"] = len(messages) % 4 == 2
                response = post(connection, "/v1/chat/completions", body)
                if response.status != 200:
                    self.lost.append(f"{response.status}: {response.read()!r}")
                    continue
                self.replicas.append(response.getheader("x-replica"))
                if not body["stream"]:
                    answer = json.loads(response.read())
                    self.cached.append(answer["usage"]["prompt_tokens_details"]["cached_tokens"])
                    return answer["choices"][0]["message"]["content"]
                for event in events(response):
                    text += text_of(event)
                return text
            except (OSError, http.client.HTTPException) as error:
                if text:
                    self.broken += 1
                else:
                    self.lost.append(repr(error))
            finally:
                connection.close()
        return ""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_is_lost_that_had_not_begun(tmp_path: Path, how: signal.Signals) -> None:
    with Server() as a, Server() as b, Balancer(tmp_path, [a, b]) as balancer:
        conversations = [Conversation(balancer.url, number) for number in range(CONVERSATIONS)]
        threads = [threading.Thread(target=each.run) for each in conversations]
        for thread in threads:
            thread.start()
        while sum(len(each.replicas) for each in conversations) < CONVERSATIONS:
            assert any(thread.is_alive() for thread in threads), [each.lost for each in conversations]
            time.sleep(0.01)
        a.end(how)
        for thread in threads:
            thread.join()

        lost = [each for conversation in conversations for each in conversation.lost]
        assert not lost, lost
        broken = sum(each.broken for each in conversations)
        if how == signal.SIGTERM:
            assert broken == 0, "what runs comes to its end"
        assert broken <= 4, "no more than its slots"
        first = {each.replicas[0] for each in conversations}
        assert first == {"a", "b"}, "both had some"
        assert all(each.replicas[-1] == "b" for each in conversations)
        # Those of the other one stayed there, and were never read again.
        stayed = [each for each in conversations if set(each.replicas) == {"b"}]
        assert len(stayed) > CONVERSATIONS // 5
        assert all(count > 20 for each in stayed for count in each.cached[1:])


def test_a_replica_that_comes_back_is_asked_again(tmp_path: Path) -> None:
    with Server() as a, Server() as b, Balancer(tmp_path, [a, b]) as balancer:
        port = int(a.url.rsplit(":", 1)[1])
        a.end(signal.SIGKILL)

        def asked() -> set[str]:
            conversations = [Conversation(balancer.url, number) for number in range(20)]
            for each in conversations:
                each.run()
                assert not each.lost, each.lost
            return {name for each in conversations for name in each.replicas}

        assert asked() == {"b"}
        with Server(port=port):
            time.sleep(3)
            assert asked() == {"a", "b"}
