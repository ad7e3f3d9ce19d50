#!/usr/bin/env python3
"""Asks nano the questions of eval.jsonl and counts how much of its answers a draft proposes.

usage: measure.py NANO.gguf DRAFT.gguf EVAL.jsonl [--sample N] [--temperature T]      --sample takes every N-th question

A round proposes a block behind the newest token; what nano says too is taken, and nano's own next token with it.
"""
import argparse
import json
import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
import numpy as np
import torch
from draft import Draft
from target import Target

END = 7


@torch.no_grad()
def answer(nano, ids, most, temperature):
    """(the answer's tokens, taps of all tokens before its last)"""
    state, said, taps = nano.start(1, len(ids) + most), [], []
    new = ids
    while True:
        told, hidden = nano.forward(torch.tensor([new]), state)
        taps.append(told)
        logits = hidden[0, -1] @ nano.head.t()
        token = int(torch.multinomial((logits / temperature).softmax(-1), 1) if temperature else logits.argmax())
        said.append(token)
        if token == END or len(said) == most:
            return said, torch.cat(taps, 1)
        new = [token]


@torch.no_grad()
def rounds(draft, ids, said, taps):
    """[(proposals taken, confidences, whether they were right)] of the rounds that make the answer."""
    context, out, at = list(draft.context(taps, torch.arange(taps.shape[1]))), [], 0
    while at < len(said) - 1:
        n = len(ids) + at
        before = [(k[:, :, :n], v[:, :, :n]) for k, v in context]
        y = draft.block(before, torch.tensor([[said[at]]]), torch.tensor([[n]]))
        proposed, sure = draft.propose(y[0], said[at])
        wanted = said[at + 1:at + 1 + len(proposed)]
        right = np.cumprod([a == b for a, b in zip(proposed, wanted)])
        out.append((int(right.sum()), sure[:len(right)], right))
        at += int(right.sum()) + 1
    return out


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("nano")
    p.add_argument("draft")
    p.add_argument("eval")
    p.add_argument("--sample", type=int, default=1)
    p.add_argument("--temperature", type=float, default=0)
    args = p.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    draft, layers = Draft.load(args.draft)
    nano = Target(args.nano, layers)
    draft.embedding = nano.head
    sums, sure, right = {}, [], []
    with open(args.eval) as f:
        exam = [json.loads(line) for line in f][:: args.sample]
    for e in exam:
        said, taps = answer(nano, e["ids"], e["max_tokens"], args.temperature)
        made = rounds(draft, e["ids"], said, taps)
        for kind in (e["kind"], "all"):
            row = sums.setdefault(kind, [0, 0, 0, 0])
            row[0] += 1
            row[1] += len(said)
            row[2] += len(made)
            row[3] += sum(taken for taken, _, _ in made)
        for _, s, r in made:
            sure.append(np.cumprod(s))
            right.append(r)
    sums["all"] = sums.pop("all")
    print("kind: questions, tokens of an answer, rounds of an answer, proposals taken a round, tokens a pass of nano")
    for kind, (n, tokens, made, taken) in sums.items():
        print(f"{kind:18} {n:4} {tokens / n:6.1f} {made / n:6.2f} {taken / made:5.2f} {tokens / (n + made):5.2f}")
    sure, right = np.concatenate(sure), np.concatenate(right)
    print("confidence (that all to a place are taken): places, mean, taken")
    for low, high in ((0, 0.1), (0.1, 0.3), (0.3, 0.5), (0.5, 0.7), (0.7, 0.9), (0.9, 1.01)):
        of = (sure >= low) & (sure < high)
        if of.any():
            print(f"{low:.1f} to {min(high, 1):.1f} {of.sum():6} {sure[of].mean():.3f} {right[of].mean():.3f}")


if __name__ == "__main__":
    main()
