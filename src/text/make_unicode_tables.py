#!/usr/bin/env python3
"""Writes unicode_tables.inc: the classes \\p{L}, \\p{N} and \\s of Unicode 16.0.0, as runs.

usage: make_unicode_tables.py > unicode_tables.inc     (needs a Python whose unicodedata is 16.0.0, such as 3.14)

Reference: Hugging Face tokenizers 0.23.1 (Oniguruma) classes every code point the same way, which was checked for all
1,112,064 of them. An entry is first << 2 | class, with the numbers of CharClass in unicode.h.
"""
import sys
import unicodedata

VERSION = "16.0.0"
OTHER, LETTER, NUMBER, SPACE = range(4)
# White_Space of PropList.txt, which unicodedata does not offer.
WHITE_SPACE = {*range(0x09, 0x0E), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000}


def char_class(code_point):
    if code_point in WHITE_SPACE:
        return SPACE
    return {"L": LETTER, "N": NUMBER}.get(unicodedata.category(chr(code_point))[0], OTHER)


def main():
    if unicodedata.unidata_version != VERSION:
        sys.exit(f"this Python has Unicode {unicodedata.unidata_version}, not {VERSION}")
    runs, last = [], None
    for code_point in range(0x110000):
        current = char_class(code_point)
        if current != last:
            runs.append(f"0x{code_point << 2 | current:X}")
        last = current
    print(f"// Made by make_unicode_tables.py from Unicode {VERSION}: {len(runs)} runs.")
    line = ""
    for run in runs:
        if len(line) + len(run) + 2 > 119:
            print(line.rstrip())
            line = ""
        line += run + ", "
    print(line.rstrip())


main()
