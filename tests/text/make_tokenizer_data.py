#!/usr/bin/env python3
"""Writes what the tokenizer's tests read: a small vocabulary, and what the reference says of texts.

usage: make_tokenizer_data.py vocabulary TOKENIZER_JSON > data/vocabulary.txt
       make_tokenizer_data.py sample GOLDEN_JSONL COUNT > data/cases.txt
       make_tokenizer_data.py random TOKENIZER_JSON COUNT SEED > cases.txt
       make_tokenizer_data.py exhaustive TOKENIZER_JSON > cases.txt

Reference: Hugging Face tokenizers 0.23.1. TOKENIZER_JSON is a byte-level BPE of 4,096 tokens in the form of LFM2's,
trained on texts of a Debian machine; GOLDEN_JSONL has an object a line with a text and the ids that the reference gives
it, hand-written texts first. `random` and `exhaustive` ask the reference (python3-tokenizers); the test program compares
itself with such a file when LFM_TOKENIZER_CASES names it.

A case is a line: the ids with spaces between, a tab, the text with \\, newline, carriage return and tab escaped.
"""
import itertools
import json
import random
import sys

HAND_WRITTEN = 40  # of the golden file, all of which a sample keeps
NORMAL, CONTROL, USER_DEFINED = 1, 3, 4
ALPHABET = (
    list("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") + list("  \t\n\r.,;:!?'\"-_()[]{}<>|/\\@#$%^&*+=~`")
    + ["'s", "'LL", "'Re", "  ", "\r\n", " the", "ing", "<|im_end|>", "<|im_", "|>", "return ", "\n\n", "    "]
    + list("äöüßéèñçøåæœ") + list("абвгд") + list("你好世界") + list("مرحبا") + list("हिन्दी") + list("🙂👩👧🏽🇩🇪")
    + list("\x00\x0b\x0c\x1f\x7f\x85\xa0\u1680\u180e\u2003\u200b\u200d\u2028\u2029\u202f\u205f\u3000\u0301\ufeff\u0660½ⅧǅªẞİſK\ufffd\U00010FFF\U0010FFFF")
)


def vocabulary(path):
    model = json.load(open(path, encoding="utf-8"))
    types = {token["id"]: CONTROL if token["special"] else USER_DEFINED for token in model["added_tokens"]}
    texts = {token["id"]: token["content"] for token in model["added_tokens"]}
    texts.update({id: text for text, id in model["model"]["vocab"].items() if id not in texts})
    print(f"tokens {len(texts)}")
    for id in range(len(texts)):
        print(types.get(id, NORMAL), texts[id])
    merges = model["model"]["merges"]
    print(f"merges {len(merges)}")
    for left, right in merges:
        print(left, right)


def print_case(ids, text):
    escaped = text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    print(" ".join(map(str, ids)), escaped, sep="\t")


def sample(path, count):
    cases = [json.loads(line) for line in open(path, encoding="utf-8")]
    assert all(case["decoded"] == case["text"] for case in cases)
    chosen = cases[:HAND_WRITTEN] + random.Random(1).sample(cases[HAND_WRITTEN:], min(count, len(cases)) - HAND_WRITTEN)
    for case in chosen:
        print_case(case["ids"], case["text"])


def ask(path, texts):
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(path)
    for text in texts:
        print_case(tokenizer.encode(text, add_special_tokens=False).ids, text)


def random_texts(count, seed):
    rng = random.Random(seed)
    code_points = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    for i in range(count):
        length = rng.choice((2, 4, 8, 16, 60, 200))
        # Every fourth text has code points from anywhere among the others.
        yield "".join(
            chr(rng.choice(code_points)) if i % 4 == 0 and rng.random() < 0.3 else rng.choice(ALPHABET)
            for _ in range(rng.randint(1, length)))


def exhaustive_texts():
    """Every code point below U+30000 in two surroundings, and all pairs and triples of characters that matter."""
    for c in range(0x30000):
        if not 0xD800 <= c < 0xE000:
            yield f"a{chr(c)}b"
            yield f" {chr(c)}{chr(c)} 1{chr(c)}\n'{chr(c)}"
    yield from map("".join, itertools.product(ALPHABET, repeat=2))
    short = ["a", "S", "1", " ", "\n", "\r", "\t", ".", "'", "s", "L", "l", "é", "\u00a0", "ſ", "你", "\u0301"]
    for n in (3, 4):
        yield from map("".join, itertools.product(short, repeat=n))


def main():
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    what, path, *rest = sys.argv[1:]
    if what == "vocabulary":
        vocabulary(path)
    elif what == "sample":
        sample(path, int(rest[0]))
    elif what == "random":
        ask(path, random_texts(int(rest[0]), int(rest[1])))
    elif what == "exhaustive":
        ask(path, exhaustive_texts())
    else:
        sys.exit(__doc__)


main()
