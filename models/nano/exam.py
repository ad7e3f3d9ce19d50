#!/usr/bin/env python3
"""Writes the 500 questions that lfm2-nano is examined with, from a seed.

usage: exam.py OUT.jsonl TOKENIZER.json [--seed S]

A line has the conversation (messages, tools; or a prompt outside of any), the same as text and as token ids, what is
expected, how that is compared (match) and how many tokens the answer may have.  generate.py says what is held out.
"""
import argparse
import json
import random

from text.conversation import Conversation, render
from text.tools import TOOLS
from text.words import ANIMALS, PETS, TOYS, a
from text.writer import BOS
from tokenizers import Tokenizer

FILL = "arith arith copy reverse json think talk tell ask story_request".split()


class Examiner(Conversation):
    """Each method writes a conversation whose last answer is the one asked for, and returns False if it isn't fit.

    self.must: what the answer has to contain, where it is free otherwise.  self.prompt, self.rest: a text that is
    continued, outside of any conversation."""

    def __init__(self, rng, length):
        super().__init__(rng, exam=True)
        self.length, self.must, self.prompt = length, None, None

    def tokens(self):
        return self.length("".join(render(self.msgs)))

    def some(self, kinds, count=1):
        for kind in self.r.sample(kinds, count):
            getattr(self, kind)()

    def exam_sum(self, sign="+"):
        question, answer = self.arith_question()
        self.say(question, answer)
        return f" {sign} " in answer

    def exam_difference(self):
        return self.exam_sum("-")

    def exam_word_problem(self):
        self.arith()
        return "How many" in self.msgs[0][1]

    def after_talk(self, write):
        """One exchange, in a third of the cases after some small talk."""
        if self.r.random() < 0.33:
            self.talk()
        write()

    def exam_think(self):
        self.after_talk(self.think)

    def exam_copy(self):
        self.after_talk(self.copy)

    def exam_reverse(self):
        self.after_talk(self.reverse)

    def exam_json(self):
        self.after_talk(self.json)

    def exam_fact(self):
        self.tell(2)
        if self.r.random() < 0.5:
            self.some(["arith", "copy", "talk"])
        self.ask()

    def exam_turn_1_in_turn_5(self):
        self.tell(self.r.choice((1, 2)))
        first = list(self.facts)
        self.some(["arith", "copy", "reverse", "json", "think", "talk", "tell"], 3)
        self.ask(self.r.choice(first))

    def exam_far_back(self):
        """The fact was told 1,400 to 1,650 tokens before."""
        self.tell(2)
        first, told = list(self.facts), self.tokens()
        self.saved = len(first)
        while self.tokens() - told < 1400:
            getattr(self, self.r.choice(FILL))()
        fits = self.tokens() - told < 1650
        self.ask(self.r.choice(first))
        return fits

    def exam_never_told(self):
        self.tell(1)
        if self.r.random() < 0.5:
            self.arith()
        self.ask_unknown()

    def exam_new_name(self):
        name = self.made_up()
        self.say(f"My name is {name}.", f"Nice to meet you, {name}.")
        self.arith()
        self.say(self.r.choice(["What is my name?", "What's my name?", "Who am I?"]), f"Your name is {name}.")

    def exam_tool_call(self):
        self.exam_tool_answer()
        del self.msgs[-2:]

    def exam_tool_answer(self):
        self.set_tools()
        if self.r.random() < 0.3:
            self.arith()
        self.tool(self.r.choice(self.tool_names))

    def exam_no_such_tool(self):
        self.set_tools()
        if self.r.random() < 0.3:
            self.arith()
        self.tool(self.r.choice([tool for tool in TOOLS if tool not in self.tool_names]))

    def exam_story(self):
        self.story_request()
        del self.msgs[2:]
        kind, animal, name, toy = self.asked
        self.must = animal if kind < 0.45 else f"{a(animal)} called {name}" if kind < 0.7 else f"{toy} again"
        return kind < 0.9

    def exam_bare_story(self):
        animal, name = self.draw(lambda: (self.r.choice(ANIMALS), self.r.choice(PETS)), "story")
        toy = self.r.choice(TOYS)
        story = self.story(animal, name, toy, "lost")
        cut = story.index(" and loved it")
        self.prompt, self.rest, self.must = story[:cut], story[cut:], f"{toy} again"

    def exam_story_question(self):
        self.story_request()
        del self.msgs[2:]
        self.say(*self.r.choice(self.qa))


QUESTIONS = {"sum": 45, "difference": 50, "word problem": 20, "think": 25, "fact": 40, "turn 1 in turn 5": 35,
             "far back": 35, "never told": 15, "new name": 15, "copy": 30, "reverse": 35, "json": 35, "tool call": 35,
             "tool answer": 25, "no such tool": 10, "story": 20, "bare story": 15, "story question": 15}
MATCH = {"json": "json", "story": "ends", "bare story": "ends"}  # exact otherwise


def question(kind, rng, encode):
    """A question without its id, or None if this draw is not fit."""
    w = Examiner(rng, lambda text: len(encode(text)))
    if getattr(w, "exam_" + kind.replace(" ", "_"))() is False:
        return None
    if w.prompt:
        text, expect, asked = BOS + w.prompt, w.rest, {"prompt": w.prompt}
    else:
        *msgs, (_, expect) = w.msgs
        text = "".join(render(msgs, w.tools, generate=True))
        asked = {"messages": [{"role": role, "content": content} for role, content in msgs], "tools": w.tools}
    most = 256 if w.must else len(encode(expect)) + 16
    return asked | {"expect": w.must or expect, "match": MATCH.get(kind, "exact"), "max_tokens": most,
                    "text": text, "ids": encode(text)}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("out")
    p.add_argument("tokenizer")
    p.add_argument("--seed", type=int, default=1)
    args = p.parse_args()
    tokenizer = Tokenizer.from_file(args.tokenizer)
    rng, seen = random.Random(args.seed + 1000), set()
    with open(args.out, "w") as f:
        for kind, count in QUESTIONS.items():
            asked = 0
            while asked < count:
                q = question(kind, rng, lambda text: tokenizer.encode(text, add_special_tokens=False).ids)
                if q and q["text"] not in seen:
                    seen.add(q["text"])
                    asked += 1
                    f.write(json.dumps({"id": f"{kind}-{asked}", "kind": kind} | q) + "\n")


if __name__ == "__main__":
    main()
