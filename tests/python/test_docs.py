"""The snippets of docs/python.md, one after the other, print what stands below them; the examples run."""

import contextlib
import doctest
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

MODEL = os.environ.get("LFM_TEST_MODEL", "")


def snippets():
    page = (Path(os.environ["LFM_DOCS"]) / "python.md").read_text(encoding="utf-8")
    return re.findall(r"```python\n(.*?)```\n(?:\n```text\n(.*?)```\n)?", page, re.DOTALL)


def test_the_page(tmp_path, monkeypatch):
    pytest.importorskip("numpy")
    (tmp_path / "LFM2-8B-A1B-Q4_0.gguf").symlink_to(MODEL)
    monkeypatch.chdir(tmp_path)
    names = {}
    found = snippets()
    assert len(found) >= 8
    for code, expected in found:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(code, "docs/python.md", "exec"), names)  # pylint: disable=exec-used
        assert out.getvalue() == expected, code


def test_the_session_in_the_readme(monkeypatch):
    pytest.importorskip("numpy")
    monkeypatch.chdir(Path(os.environ["LFM_DOCS"]).parent)
    page = Path("README.md").read_text(encoding="utf-8")
    session = re.search(r"```python\n(>>>.*?)```", page, re.DOTALL).group(1)
    test = doctest.DocTestParser().get_doctest(session, {}, "README.md", "README.md", 0)
    assert len(test.examples) >= 6
    assert doctest.DocTestRunner().run(test).failed == 0


def example(name, *arguments, text=""):
    run = subprocess.run([sys.executable, Path(os.environ["LFM_EXAMPLES"]) / name, *arguments], input=text, text=True,
                         capture_output=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_extract(tmp_path):
    schema = tmp_path / "schema.json"
    schema.write_text(json.dumps({"type": "object", "properties": {"sky": {"enum": ["sunny", "rainy"]}},
                                  "required": ["sky"], "additionalProperties": False}))
    lines = example("extract.py", MODEL, schema, text="It is sunny in Rome.\nIt rains.\n").splitlines()
    assert len(lines) == 2 and all(json.loads(line)["sky"] in ("sunny", "rainy") for line in lines)


def test_speed():
    assert len(re.findall(r"t/s$", example("speed.py", MODEL, "128"), re.MULTILINE)) == 3
