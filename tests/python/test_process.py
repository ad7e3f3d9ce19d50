"""What a process may expect: memory that comes back, and forks that are told."""

import os
import resource
import subprocess
import sys
import threading
import time
import weakref

import pytest

import lfm


def resident():
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()


def test_a_thousand_sessions_dont_grow(engine, chat):
    def some(count):
        for i in range(count):
            session = engine.session(context_tokens=256)
            session.append([7, 8, 9])
            session.generate(lambda piece: None, max_tokens=2, ignore_end=True)
            chat.render("Hello?")
            if i % 2:
                session.close()
    some(100)
    before = resident()
    some(1000)
    assert resident() - before < 8 << 20


def test_after_a_fork_the_child_is_told(engine, session, chat):
    session.sync([7, 8])
    child = os.fork()
    if child == 0:
        code = 1
        try:
            engine.tokenizer.encode("which needs no threads")
            problems = 0
            for what in (lambda: engine.session(), lambda: session.append([7]), lambda: session.fork(),
                         lambda: chat.answer(session, "Hello?")):
                try:
                    what()
                except lfm.StateError:
                    problems += 1
            code = 0 if problems == 4 else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    session.append([9])


def test_one_session_from_two_threads_is_told(session):
    begun, problems = threading.Event(), []

    def other():
        begun.wait()
        try:
            session.append([7])
        except lfm.StateError as error:
            problems.append(error)
        done.set()
    done = threading.Event()
    thread = threading.Thread(target=other)
    thread.start()
    session.append([7])
    session.generate(lambda piece: (begun.set(), done.wait(10)), max_tokens=1, ignore_end=True)
    thread.join()
    assert len(problems) == 1 and "another thread" in str(problems[0])


def test_ctrl_c_ends_a_call(model_path):
    program = f"""
import lfm, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever was inherited
engine = lfm.Engine({model_path!r}, threads=1)
session = engine.session()
session.append([7])
print("ready", flush=True)
try:
    while True:
        session.generate(max_tokens=1000, ignore_end=True)
        session.sync([7])
except KeyboardInterrupt:
    session.sync([7])
    sys.exit(7)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready\n"
        time.sleep(0.3)
        process.send_signal(2)
        assert process.wait(timeout=30) == 7


def test_a_library_that_isnt_there():
    run = subprocess.run([sys.executable, "-c", "import lfm"], env={**os.environ, "LFM_LIBRARY": "/nonexistent.so"},
                         capture_output=True, check=False, text=True)
    assert run.returncode == 1 and "LFM_LIBRARY" in run.stderr


def test_closing_an_engine_frees_it(model_path):
    engine = lfm.Engine(model_path, threads=1)
    handle = weakref.ref(engine._handle)
    tokenizer, session = engine.tokenizer, engine.session()
    engine.close()
    assert handle() is not None and tokenizer.decode(tokenizer.encode("a", bos=False)) == "a"
    del tokenizer
    assert handle() is None
    session.append([7])  # which keeps what it needs
    with pytest.raises(lfm.StateError):
        engine.tokenizer


@pytest.mark.parametrize("make", [lambda e: e.session(), lambda e: e.chat()])
def test_lifetimes(engine, make):
    with make(engine) as thing:
        assert not thing.closed
    thing.close()
    with pytest.raises(lfm.StateError, match="closed"):
        with thing:
            pass
