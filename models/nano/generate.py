#!/usr/bin/env python3
"""Writes every word that lfm2-nano is trained on, from a seed.   usage: generate.py OUT.jsonl [--seed S]

A line is {"parts": [context, answer, context, answer, ...]}: the loss is mostly on the answers.
What is held out is held out by a hash of the things combined (two numbers, two neighbours of a list, two facts of one
conversation, a tool and its argument, ...), so that no question of the evaluation can occur in the training text.
"""
import argparse
import json
import random
from typing import NamedTuple

from text.conversation import WEIGHTS, Conversation, render
from text.writer import BOS, EOT


class Part(NamedTuple):
    """Shares of the kinds of documents; the rest are conversations of exchanges of all kinds."""
    documents: int
    story: float  # without a conversation around it
    drill: float
    recall: float
    fact: float  # told and asked for at once
    lengths: dict  # of the others: their weight by least and most length in characters; a token is about three
    weights: dict = WEIGHTS  # of the others: of the kinds of exchanges
    tools: float = 0.13  # of the others: those with tools
    any_tool: float = Conversation.any_tool
    doubt: float = 0  # conversations about what may not be there
    doubts: int = 2  # questions of each
    habits: bool = False  # of the heroes of stories


# The text grows harder.
MEDIUM = {(0, 0): 40, (100, 700): 52, (700, 1800): 6, (2600, 4300): 2}
LONG = {(0, 0): 38, (100, 700): 50, (700, 1800): 8, (2600, 5000): 4}
LATER = WEIGHTS | {"think": 10, "story_request": 4, "ask_story": 4}
LAST = LATER | {"ask_unknown": 9}
PARTS = [
    Part(55500, 0.02, 0.24, 0.36, 0.10, {(0, 0): 1}),
    Part(16000, 0.03, 0.16, 0.18, 0.08, MEDIUM),
    Part(14500, 0.03, 0.12, 0.14, 0.06, MEDIUM, LATER, 0.3),
    Part(11000, 0.03, 0.10, 0.08, 0.05, MEDIUM, LAST, 0.3, 0.4, 0.3),
    Part(62000, 0.03, 0.08, 0.08, 0.02, LONG, LAST, 0.3, 0.4, 0.3, 5, True),
]


def document(part, rng):
    talk, kind = Conversation(rng, habits=part.habits), rng.random()
    talk.any_tool = part.any_tool
    rows = (part.story, lambda: [BOS, talk.story() + EOT]), (part.drill, talk.drill), (part.recall, talk.recall)
    for share, write in rows:
        if kind < share:
            return write()
        kind -= share
    if kind < part.fact:
        talk.tell()
        talk.ask()
    elif kind < part.fact + part.doubt:
        talk.doubt(part.doubts)
    else:
        least, most = rng.choices(list(part.lengths), list(part.lengths.values()))[0]
        talk.mixed(rng.randint(least, most), part.weights, part.tools)
    return render(talk.msgs, talk.tools)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("out")
    p.add_argument("--seed", type=int, default=1)
    args = p.parse_args()
    with open(args.out, "w") as f:
        for i, part in enumerate(PARTS):
            rng = random.Random(args.seed * 100 + i)
            for _ in range(part.documents):
                f.write(json.dumps({"parts": document(part, rng)}) + "\n")


if __name__ == "__main__":
    main()
