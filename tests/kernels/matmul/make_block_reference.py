#!/usr/bin/env python3
"""Writes block_reference.bin: random rows in each GGUF block format and the weights that they stand for.

The reference is gguf.quants.dequantize of llama.cpp's Python package gguf. Bytes are random but for the fp16 scales,
which are finite, of both signs, and zero or subnormal now and then.

    per format:  uint32 number of the type, uint32 rows, uint32 k | the rows as in a file | float32 weights (rows, k)
"""
import sys

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType as Type
from gguf.quants import dequantize

ROWS = 5
# The type, and where its blocks have fp16 numbers.
FORMATS = [
    (Type.Q4_0, [0]), (Type.Q4_1, [0, 2]), (Type.Q5_0, [0]), (Type.Q5_1, [0, 2]),
    (Type.Q8_0, [0]), (Type.Q4_K, [0, 2]), (Type.Q5_K, [0, 2]), (Type.Q6_K, [208]),
    (Type.IQ4_NL, [0]), (Type.Q3_K, [108]), (Type.IQ4_XS, [0]),
    (Type.MXFP4, []), (Type.Q2_K, [80, 82]),
]


def random_halves(rng, n):
    halves = rng.normal(size=n).astype(np.float16)
    halves[rng.random(n) < 0.05] = np.float16(0)
    halves[rng.random(n) < 0.05] = np.float16(3e-7)
    return halves


def main(path):
    rng = np.random.default_rng(20250101)
    with open(path, "wb") as out:
        for kind, scales in FORMATS:
            columns, size = GGML_QUANT_SIZES[kind]
            k = 256 if columns == 256 else 288  # an odd multiple of 32 where the format allows it
            blocks = rng.integers(0, 256, (ROWS * k // columns, size), dtype=np.uint8)
            for offset in scales:
                blocks[:, offset:offset + 2] = random_halves(rng, len(blocks)).view(np.uint8).reshape(-1, 2)
            if kind == Type.MXFP4:
                blocks[:, 0] = rng.integers(0, 255, len(blocks))  # an exponent; 255 is no number
            rows = blocks.reshape(ROWS, -1)
            out.write(np.array([kind, ROWS, k], "<u4").tobytes())
            out.write(rows.tobytes())
            out.write(dequantize(rows, kind).astype("<f4").tobytes())


main(sys.argv[1] if len(sys.argv) > 1 else "block_reference.bin")
