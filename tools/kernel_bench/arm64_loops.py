#!/usr/bin/env python3
"""What models of ARM's CPUs say of inner loops: arm64_loops.py [--objdump X] [--mca X] [--cpu NAME,...] OBJECT [REGEX]

For each inner loop with products of int8, in functions whose names match: multiply-adds, instructions, accesses of the
stack, and by llvm-mca multiply-adds a cycle on each CPU. llvm-objdump and llvm-mca 19 read ARM's objects on any machine:
  scripts/arm64 && python3 tools/kernel_bench/arm64_loops.py --cpu neoverse-v2,neoverse-n1 \\
    build/arm64/kernels/CMakeFiles/lfm_kernels.dir/matmul/dotprod.cc.o 'take_each<.*, 4'
"""
import argparse
import re
import subprocess
import sys
from pathlib import Path

# Multiply-adds of an instruction; of widening ones those of bytes.
PRODUCTS = [(r"(us|s|u)?dot\b", 16), (r"(us|s|u)mmla\b", 32), (r"[su]ml[as]?l2?\b.*\.8h", 8), (r"[su]mull2?\b.*\.8h", 8)]


FORMATS = re.findall(r"^LFM_BLOCK_FORMAT\((\w+)", (Path(__file__).parents[2] / "kernels/matmul/formats.inc").read_text(), re.M)


def short_name(name):
    """Such as take_pairs<Q4_0, 3>."""
    name = name.split(">(")[0].split("(anonymous namespace)::")[-1]
    return re.sub(r"\(lfm::kernels::BlockFormat\)(\d+)(.*)", lambda match: f"{FORMATS[int(match[1])]}{match[2]}>", name)


def products(text):
    for pattern, count in PRODUCTS:
        if re.match(pattern, text):
            return count
    return 0


def functions(objdump, path):
    """Pairs of a name and its instructions: address, text, where it jumps to."""
    said = subprocess.run([objdump, "-d", "-C", "--no-show-raw-insn", path], check=True, capture_output=True, text=True)
    name, body = None, []
    for line in said.stdout.splitlines() + ["0 <end>:"]:
        if head := re.match(r"[0-9a-f]+ <(.*)>:$", line):
            if body:
                yield name, body
            name, body = head[1], []
        elif code := re.match(r"\s*([0-9a-f]+):\s+(.*)", line):
            text = code[2].replace("\t", " ")
            to = re.match(r"(?:b(?:\.\w+)?|cbn?z .*?,|tbn?z .*?,) ?0x([0-9a-f]+) <", text)
            body.append((int(code[1], 16), text, int(to[1], 16) if to else None))


def inner_loops(body):
    backs = [(to, at) for at, _, to in body if to is not None and to <= at]
    for begin, end in backs:
        if not any((b, e) != (begin, end) and begin <= b and e <= end for b, e in backs):
            yield [text for at, text, _ in body if begin <= at <= end]


def cycles(mca, cpu, loop):
    rounds = 300
    code = "\n".join(re.sub(r"0x[0-9a-f]+ <.*", "out", text) for text in loop)
    said = subprocess.run([mca, "-mtriple=aarch64", f"-mcpu={cpu}", "-mattr=+dotprod,+i8mm,+sve2", f"-iterations={rounds}"],
                          input=code, check=True, capture_output=True, text=True)
    return int(re.search(r"Total Cycles: +(\d+)", said.stdout)[1]) / rounds


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--objdump", default="llvm-objdump-19")
    parser.add_argument("--mca", default="llvm-mca-19")
    parser.add_argument("--cpu", default="")
    parser.add_argument("--least", type=int, default=128, help="multiply-adds of a loop that is told of")
    parser.add_argument("object")
    parser.add_argument("regex", nargs="?", default="")
    asked = parser.parse_args()
    cpus = [cpu for cpu in asked.cpu.split(",") if cpu]
    for name, body in functions(asked.objdump, asked.object):
        if not re.search(asked.regex, name):
            continue
        for loop in inner_loops(body):
            work = sum(products(text) for text in loop)
            if work < asked.least:
                continue
            stack = sum("[sp" in text for text in loop)
            rates = "".join(f"  {cpu} {work / cycles(asked.mca, cpu, loop):.1f}" for cpu in cpus)
            print(f"{short_name(name)}: {work} multiply-adds,"
                  f" {len(loop)} instructions, {stack} of the stack{rates}")


if __name__ == "__main__":
    sys.exit(main())
