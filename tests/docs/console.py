"""Runs what a page shows of the command line: console.py LFM PAGE.

A block ```json NAME is a file of that name, a block ```console what is typed behind "$ lfm" and what comes of it. Any
time may stand for another.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

lfm, page = sys.argv[1], pathlib.Path(sys.argv[2]).read_text(encoding="utf-8")


def without_times(text):
    return re.sub(r"\d+\.\d+ ms", "N ms", text)


checked = failed = 0
with tempfile.TemporaryDirectory() as folder:
    for kind, name, body in re.findall(r"^```(json|console)(?: (\S+))?\n(.*?)^```$", page, re.M | re.S):
        if kind == "json":
            if name:
                pathlib.Path(folder, name).write_text(body, encoding="utf-8")
            continue
        for command, wanted in re.findall(r"^\$ lfm (.*)\n((?:(?!\$ ).*\n)*)", body, re.M):
            ran = subprocess.run([lfm, *command.split()], cwd=folder, capture_output=True, text=True, check=False)
            checked += 1
            if without_times(ran.stdout) != without_times(wanted):
                failed += 1
                print(f"$ lfm {command}\n{ran.stdout}{ran.stderr}instead of\n{wanted}")
print(f"{checked} commands, {failed} failed")
sys.exit(0 if checked > 0 and failed == 0 else 1)
