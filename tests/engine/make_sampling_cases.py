#!/usr/bin/env python3
"""Writes data/sampling_cases.txt: what the reference makes of logits before it draws a token.

usage: make_sampling_cases.py > data/sampling_cases.txt

Reference: the logits processors and warpers of Hugging Face transformers 5.12, in the order in which its generate()
applies them. Needs python3-torch and python3-transformers.

A case is five lines: temperature, top_k, top_p, min_p, repetition_penalty; biases as id:value; the context's ids; the
logits; the tokens that are left as id:probability.
"""
import random

import torch
from transformers import (MinPLogitsWarper, RepetitionPenaltyLogitsProcessor, SequenceBiasLogitsProcessor,
                          TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper)

TOKENS, CASES = 40, 80


def number(x):
    return f"{x:.9g}"


def probabilities(logits, biases, context, temperature, top_k, top_p, min_p, penalty):
    steps = []
    if biases:
        steps.append(SequenceBiasLogitsProcessor([[[id], value] for id, value in biases.items()]))
    if penalty != 1:
        steps.append(RepetitionPenaltyLogitsProcessor(penalty))
    if temperature != 1:
        steps.append(TemperatureLogitsWarper(temperature))
    if top_k:
        steps.append(TopKLogitsWarper(top_k))
    if top_p < 1:
        steps.append(TopPLogitsWarper(top_p))
    if min_p:
        steps.append(MinPLogitsWarper(min_p))
    scores, ids = torch.tensor([logits]), torch.tensor([context])
    for step in steps:
        scores = step(ids, scores)
    return scores.softmax(-1)[0].tolist()


def main():
    rng = random.Random(1)
    for _ in range(CASES):
        spread = rng.choice([0.5, 2.0, 5.0])
        logits = torch.tensor([rng.gauss(0, spread) for _ in range(TOKENS)]).tolist()
        biases = {rng.randrange(TOKENS): round(rng.gauss(0, 3), 2) for _ in range(rng.choice([0, 0, 1, 4]))}
        context = [rng.randrange(TOKENS) for _ in range(rng.choice([1, 5, 30]))]
        options = dict(temperature=rng.choice([0.1, 0.3, 1.0, 1.7]), top_k=rng.choice([0, 0, 1, 5, 20, 100]),
                       top_p=rng.choice([1.0, 1.0, 0.1, 0.5, 0.9, 0.99]), min_p=rng.choice([0, 0, 0.02, 0.15, 0.9]),
                       penalty=rng.choice([1.0, 1.05, 1.3, 0.8]))
        result = probabilities(logits, biases, context, **options)
        print(*map(number, options.values()))
        print(*(f"{id}:{number(value)}" for id, value in biases.items()))
        print(*context)
        print(*map(number, logits))
        print(*(f"{id}:{p:.6g}" for id, p in enumerate(result) if p > 0))


main()
