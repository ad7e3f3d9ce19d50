#!/usr/bin/env python3
"""Writes data/calls.jsonl: a thousand lists of calls, spelt by Python itself (repr, json), and what they mean.

Each line: "text", what a model would say between its call tokens; "calls", name and arguments (JSON text) of each call.
Python also reads every Pythonic one back (ast), so that the data can't be wrong about Python.    usage: make_calls.py"""
import ast, json, keyword, random
from pathlib import Path

rnd = random.Random(20261125)
WORDS = ["Paris", "it's", 'say "hi"', "both ' and \"", "back\\slash", "C:\\new\\table", "line\nbreak", "tab\there", "", " ", "Köln", "你好", "🙂 ok", "a, b", "f(x)",
         "[1]", "{'k': 2}", "</think>", "<|im_end|>", "\u2028", "\x7f\x00", "True", "None", "007", "trailing\\", "'", '"', "'''", '"""', "#", "a=b", "\r\n", "x" * 60]
NAMES = ["get_weather", "now", "Calendar.create_event", "a", "_x1", "math.stats.mean", "größe", "search"]
KEYS = ["city", "n", "class", "from", "import", "lambda", "None_", "is", "q", "date_time", "x1", "name", "arguments", "ключ"]

def number():
    return rnd.choice([0, 1, -1, 3, 42, -273, 10 ** 30, -(2 ** 63), 2 ** 64, 0.5, -1.25, 1e100, 1e-7, 3.0, 123456.789, 5e-324, 1.7976931348623157e308])

def value(depth=0):
    kind = rnd.randrange(10 if depth < 3 else 7)
    if kind < 3: return rnd.choice(WORDS)
    if kind < 5: return number()
    if kind == 5: return rnd.choice([True, False, None])
    if kind == 6: return "".join(rnd.choice(WORDS)[:6] for _ in range(3))
    if kind == 7: return [value(depth + 1) for _ in range(rnd.randrange(4))]
    if kind == 8: return {rnd.choice(WORDS): value(depth + 1) for _ in range(rnd.randrange(4))}
    return tuple(value(depth + 1) for _ in range(rnd.choice([0, 1, 2, 3])))

def space(): return rnd.choice(["", "", "", " ", "\n", "  "])

def spell(v):
    """A value as Python writes it, or with JSON's words and quotes: models mix them."""
    if isinstance(v, str) and rnd.random() < 0.3 and "\x7f" not in v: return json.dumps(v, ensure_ascii=rnd.random() < 0.5)
    if isinstance(v, str) and rnd.random() < 0.1 and "\\" not in v and "'''" not in v and not v.endswith("'") and "\r" not in v: return "'''" + v.replace("\x00", "\\x00") + "'''"
    if isinstance(v, (bool, type(None))) and rnd.random() < 0.5: return json.dumps(v)
    if isinstance(v, list): return "[" + space() + ", ".join(map(spell, v)) + (", " if v and rnd.random() < 0.1 else "") + "]"
    if isinstance(v, tuple): return "(" + ", ".join(map(spell, v)) + ("," if len(v) == 1 else "") + ")"
    if isinstance(v, dict): return "{" + ("," + space()).join(spell(k) + ":" + space() + spell(x) for k, x in v.items()) + "}"
    return repr(v)

def python_means(text):
    words = {"true": True, "false": False, "null": None}
    def of(node):
        if isinstance(node, ast.Name): return words[node.id]
        if isinstance(node, (ast.List, ast.Tuple)): return [of(e) for e in node.elts]
        if isinstance(node, ast.Dict): return {of(k): of(v) for k, v in zip(node.keys, node.values)}
        return ast.literal_eval(node)
    # Reserved words are no keywords of calls in Python: they are spelt differently for it.
    return of(ast.parse(text, mode="eval").body)

def python_call(name, arguments):
    parts = []
    for k, v in arguments.items():
        text = spell(v)
        got = python_means(text)
        want = json.loads(json.dumps(v))
        # JSON pairs of surrogates are one character; Python reads two.
        if "\\ud8" not in text: assert got == want, (text, got, want)
        parts.append(k + space() + "=" + space() + text)
    return name + "(" + space() + ("," + space()).join(parts) + space() + ")"

def json_call(name, arguments):
    kind = rnd.randrange(4)
    if kind == 0: return json.dumps({"name": name, "arguments": arguments}, ensure_ascii=False)
    if kind == 1: return json.dumps({"name": name, "parameters": arguments, "id": "x1"}, indent=1)
    if kind == 2: return json.dumps({"type": "function", "function": {"name": name, "arguments": arguments}})
    return json.dumps({"arguments": json.dumps(arguments), "name": name})

assert all(keyword.iskeyword(k) for k in ["class", "from", "import", "lambda", "is"])
with open(Path(__file__).parent / "data/calls.jsonl", "w") as out:
    total = 0
    while total < 1000:
        calls, texts, in_json = [], [], rnd.random() < 0.3
        for _ in range(min(rnd.choice([1, 1, 1, 2, 3]), 1000 - total)):
            name = rnd.choice(NAMES)
            arguments = {k: value() for k in rnd.sample(KEYS, rnd.randrange(4))}
            texts.append((json_call if in_json else python_call)(name, arguments))
            calls.append({"name": name, "arguments": json.dumps(arguments, ensure_ascii=False)})
        total += len(calls)
        out.write(json.dumps({"text": "[" + space() + ("," + space()).join(texts) + space() + "]", "calls": calls}, ensure_ascii=False) + "\n")
