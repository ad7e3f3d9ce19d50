"""The package's types agree with each other, as mypy reads them."""

import subprocess
import sys
from pathlib import Path

import pytest

import lfm

pytest.importorskip("mypy")


def test_types(tmp_path):
    run = subprocess.run([sys.executable, "-m", "mypy", "--strict", "--enable-incomplete-feature=Unpack", "--cache-dir",
                          tmp_path, Path(lfm.__file__).parent], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout
