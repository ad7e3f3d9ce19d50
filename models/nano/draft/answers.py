#!/usr/bin/env python3
"""Nano answers the questions that it was trained with: the text that its draft learns from.

usage: answers.py NANO.gguf OUT_DIR [--documents N] [--seed S]

Every document of generate.py's last kind keeps its questions, and nano gives the answers itself, the likeliest token or
(four of ten documents) one drawn by its probability.  OUT_DIR gets ids.npy (all documents' tokens, one after the
other), said.npy (1 where nano said it), lengths.npy, taps.f16 and hidden.f16 (what nano's layers said of every token).
It may be stopped: train.py takes what is there.
"""
import argparse
import os
import random
import sys
import time
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
import numpy as np
import torch
from draft import SHAPE
from target import Target
from tokenizers import AddedToken, Tokenizer, models

sys.path.append(str(Path(__file__).parent.parent))
import generate
from tokenizer import SPLIT, pre_tokenizer

END, LONGEST, SIDE_BY_SIDE = 7, 1800, 256
KIND = generate.Part(0, 0.06, 0.05, 0.05, 0.03, {(0, 0): 40, (100, 700): 52, (700, 1800): 6, (2600, 5000): 2},
                     generate.LAST | {"story_request": 14, "ask_story": 8}, 0.2, 0.4, 0.05, 3, True)


def tokenizer(fields):
    """Text to token ids, as a GGUF file's vocabulary says."""
    tokens, kinds = fields["tokenizer.ggml.tokens"], fields["tokenizer.ggml.token_type"]
    merges = [tuple(m.split(" ")) for m in fields["tokenizer.ggml.merges"]]
    tok = Tokenizer(models.BPE({t: i for i, t in enumerate(tokens)}, merges, ignore_merges=True))
    tok.pre_tokenizer = pre_tokenizer(SPLIT)
    tok.add_special_tokens([AddedToken(t, special=True, normalized=False) for t, k in zip(tokens, kinds) if k != 1])
    return lambda text: tok.encode(text, add_special_tokens=False).ids


class Document:
    """Questions whose answers nano gives while it reads."""

    def __init__(self, parts, greedy):
        self.parts, self.greedy = parts, greedy  # token ids: [context, answer, context, answer, ...]
        self.ids, self.said, self.left, self.part = [], [], list(parts[0]), 0

    def next(self, likeliest, drawn):
        """The next token, where nano says these.   None where the document ends."""
        if not self.left and self.part % 2 == 0:
            self.part += 1
            self.room = len(self.parts[self.part]) + 60
        if self.part % 2:
            token = likeliest if self.greedy else drawn
            self.room -= 1
            if token == END or not self.room:
                self.part += 1
                if self.part < len(self.parts):
                    self.left = list(self.parts[self.part])
                elif token == END:
                    self.ids.append(token)
                    self.said.append(1)
                    return None
            if not self.room:
                return None  # it doesn't end: what comes after would make no sense
            said = 1
        else:
            token, said = self.left.pop(0), 0
        self.ids.append(token)
        self.said.append(said)
        return token if len(self.ids) < LONGEST else None


def answer(target, documents):
    """Yields (document, taps, hidden) as they end."""
    state = target.start(len(documents), LONGEST)
    alive, picks = list(documents), [(None, None)] * len(documents)
    kept = {id(d): ([], []) for d in documents}
    while alive:
        tokens = [d.next(*pick) for d, pick in zip(alive, picks)]
        going = [i for i, t in enumerate(tokens) if t is not None]
        for d, t in zip(alive, tokens):
            if t is None:
                taps, hidden = kept.pop(id(d))
                yield d, taps, hidden
        if not going:
            return
        if len(going) < len(alive):
            alive = [alive[i] for i in going]
            for k, v in state.items():
                if k != "read":
                    state[k] = v[:, going] if v.dim() == 5 else v[going]
        taps, hidden = target.forward(torch.tensor([[tokens[i]] for i in going]), state)
        logits = hidden[:, 0] @ target.head.t()
        drawn = torch.multinomial(logits.softmax(-1), 1)[:, 0]
        picks = list(zip(logits.argmax(-1).tolist(), drawn.tolist()))
        taps, hidden = taps[:, 0].half().numpy(), hidden[:, 0].half().numpy()
        for d, t, h in zip(alive, taps, hidden):
            kept[id(d)][0].append(t)
            kept[id(d)][1].append(h)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("nano")
    p.add_argument("out", type=Path)
    p.add_argument("--documents", type=int, default=6000)
    p.add_argument("--seed", type=int, default=11)
    args = p.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    args.out.mkdir(parents=True, exist_ok=True)
    target = Target(args.nano, SHAPE["target_layers"])
    encode, rng, texts = tokenizer(target.fields), random.Random(args.seed), []
    for _ in range(args.documents):
        parts = [encode(part) for part in generate.document(KIND, rng)]
        texts.append(Document(parts, rng.random() < 0.6))
    texts.sort(key=lambda d: sum(map(len, d.parts)))
    groups = [texts[i:i + SIDE_BY_SIDE] for i in range(0, len(texts), SIDE_BY_SIDE)]
    rng.shuffle(groups)
    ids, said, lengths, begun, tokens = [], [], [], time.time(), 0
    with open(args.out / "taps.f16", "wb") as taps_file, open(args.out / "hidden.f16", "wb") as hidden_file:
        for n, group in enumerate(groups):
            for d, taps, hidden in answer(target, group):
                read = len(taps)  # the last token may not have been read
                ids.append(np.array(d.ids[:read + 1], np.int16))
                said.append(np.array(d.said[:read + 1], np.int8))
                lengths.append(len(ids[-1]))
                for rows, file in ((taps, taps_file), (hidden, hidden_file)):
                    np.stack(rows + [np.zeros_like(rows[0])] * (lengths[-1] - read)).tofile(file)
                tokens += read
            rate = tokens / (time.time() - begun)
            print(f"{n + 1} of {len(groups)} groups, {tokens} tokens, {rate:.0f} a second", flush=True)
            taps_file.flush()
            hidden_file.flush()
            np.save(args.out / "ids.npy", np.concatenate(ids))
            np.save(args.out / "said.npy", np.concatenate(said))
            np.save(args.out / "lengths.npy", np.array(lengths))


if __name__ == "__main__":
    main()
