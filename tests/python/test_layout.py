"""The structs of lfm/_c.py are those of the headers, as a C compiler lays them out."""

import ctypes
import os
import shutil
import subprocess

import pytest

from lfm import _c

COMPILER = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")


@pytest.mark.skipif(not (COMPILER and os.environ.get("LFM_INCLUDE")), reason="no C compiler, or no headers")
def test_structs_are_those_of_the_headers(tmp_path):
    lines, expected = [], []
    for name, struct in _c.STRUCTS.items():
        lines.append(f'printf("{name} %zu\\n", sizeof({name}));')
        expected.append(f"{name} {ctypes.sizeof(struct)}")
        for field, *_ in struct._fields_:
            member = f"(({name}*)0)->{field}"
            lines.append(f'printf("{name}.{field} %zu %zu\\n", offsetof({name}, {field}), sizeof({member}));')
            place = getattr(struct, field)
            expected.append(f"{name}.{field} {place.offset} {place.size}")
    source = tmp_path / "layout.c"
    body = "\n".join(lines)
    source.write_text(f"#include <lfm/c.h>\n#include <stdio.h>\nint main(void) {{\n{body}\nreturn 0;\n}}\n")
    program = tmp_path / "layout"
    subprocess.run([COMPILER, "-std=c99", "-I", os.environ["LFM_INCLUDE"], source, "-o", program], check=True)
    assert subprocess.run([program], capture_output=True, check=True, text=True).stdout.split("\n")[:-1] == expected
    header = (f"{os.environ['LFM_INCLUDE']}/lfm/c/common.h")
    with open(header, encoding="utf-8") as text:
        assert f"#define LFM_ABI_VERSION {_c.ABI_VERSION}\n" in text.read()
