#!/usr/bin/env python3
"""Trains lfm2-nano, transformers' own Lfm2MoeForCausalLM, on one thread of a CPU with AVX512-BF16.

usage: train.py TRAIN.jsonl TOKENIZER_DIR OUT_DIR [--steps N] [--decay-steps N] [--resume]

The text is read in its order: the generator writes the easy things first.  The learning rate is constant, then falls to
zero over the last --decay-steps of all --steps, which also train with weights rounded to Q4_0.  OUT_DIR/hf always holds
a checkpoint.
"""
import argparse
import json
import os
import shutil
import time

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false")
from pathlib import Path

import torch
import torch.nn.functional as F
from fused import Entropy, Weight
from muon import Muon
from network import check, hidden, new_model, routed
from transformers import AutoTokenizer, Lfm2MoeForCausalLM

CONTEXT_WEIGHT = 0.1  # of the loss on what the model reads, next to 1 on what it answers
CONTEXT_SHARE = 0.25  # of it that is looked at
BALANCE = 0.001  # step of the routing bias towards equal load (no auxiliary loss, as in DeepSeek-V3)
LONGEST = 2048  # tokens of a document


class Text:
    """The training text, read in its order, and again from the start when it ends."""

    def __init__(self, path, tokenizer, start):
        self.path, self.encode, self.lines = path, tokenizer._tokenizer.encode_batch, start  # read so far
        self.file = open(path)
        for _ in range(start):
            self.file.readline()

    def document(self):
        """Its token ids, and which of them belong to answers (1) and to contexts (0)."""
        line = self.file.readline()
        if not line:
            self.file.seek(0)
            line = self.file.readline()
        self.lines += 1
        ids, said = [], []
        for i, part in enumerate(self.encode(json.loads(line)["parts"], add_special_tokens=False)):
            ids += part.ids
            said += [i % 2] * len(part.ids)
        return torch.tensor(ids), torch.tensor(said)

    def batch(self, tokens):
        """Documents of about so many tokens in all."""
        batch = []
        while sum(len(ids) for ids, _ in batch) < tokens:
            d = self.document()
            if len(d[0]) <= LONGEST:
                batch.append(d)
        return batch


class Run:
    """A training run: the model, its optimizers and how far it has come."""

    def __init__(self, args, tokenizer):
        self.args, self.tokenizer, self.hf = args, tokenizer, args.out / "hf"
        self.decay_from = args.steps - args.decay_steps
        self.step = lines = 0
        self.model = new_model(tokenizer, args.seed)
        if args.resume:
            self.model.load_state_dict(Lfm2MoeForCausalLM.from_pretrained(self.hf).state_dict())
        adams = ("embed", "conv.conv", "gate.weight")
        big = [w for n, w in self.model.named_parameters() if w.dim() >= 2 and not any(a in n for a in adams)]
        rest = [w for w in self.model.parameters() if not any(w is b for b in big)]
        self.muon = Muon(big)
        self.adam = torch.optim.AdamW(rest, betas=(0.9, 0.95), weight_decay=0.0, fused=True)
        if args.resume:
            state = torch.load(self.hf / "state.pt", weights_only=True)
            self.step, lines, self.muon.momentum = state["step"], state["lines"], state["muon"]
            self.adam.load_state_dict(state["adam"])
        self.text = Text(args.data, tokenizer, lines)

    def save(self):
        new, old = self.args.out / "hf.new", self.args.out / "hf.old"
        self.model.save_pretrained(new)
        self.tokenizer.save_pretrained(new)
        optimizers = {"muon": self.muon.momentum, "adam": self.adam.state_dict()}
        torch.save({"step": self.step, "lines": self.text.lines} | optimizers, new / "state.pt")
        shutil.rmtree(old, ignore_errors=True)
        if self.hf.exists():
            self.hf.rename(old)
        new.rename(self.hf)

    def scale(self):
        """Of the learning rate."""
        decayed = max(0, self.step - self.decay_from) / self.args.decay_steps
        return min(1, (self.step + 1) / self.args.warm) * (1 - decayed)

    def loss(self, batch):
        """(loss, shares of tokens per layer and expert, [sum of the answers' losses, their tokens, tokens])"""
        ids, lengths, loads = torch.cat([d[0] for d in batch]), [len(d[0]) for d in batch], []
        said = torch.cat([F.pad(d[1][1:], (0, 1), value=-1) for d in batch])  # whether the next token is; -1: none is
        h = hidden(self.model, ids, lengths, loads, q4=self.step >= self.decay_from)
        rows = torch.where((said == 1) | ((said == 0) & (torch.rand(said.shape) < CONTEXT_SHARE)))[0]
        answer = said[rows] == 1
        weight = torch.where(answer, 1.0, CONTEXT_WEIGHT / CONTEXT_SHARE)
        logits = h[rows] @ Weight.apply(self.model.model.embed_tokens.weight, False).t()
        loss, each = Entropy.apply(logits, ids[rows + 1], weight / weight.sum())
        counts = torch.tensor([float(each[answer].sum()), float(answer.sum()), float((said >= 0).sum())])
        return loss, torch.stack(loads), counts

    def train(self):
        scale = self.scale()
        loss, loads, counts = self.loss(self.text.batch(self.args.batch))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.muon.step(self.args.lr * scale, 0.01)
        for group in self.adam.param_groups:
            group["lr"] = self.args.adam_lr * scale
        self.adam.step()
        self.model.zero_grad(set_to_none=True)
        with torch.no_grad():
            for f, load in zip(routed(self.model), loads):
                f.expert_bias += BALANCE * scale * torch.sign(load.mean() - load)
        self.step += 1
        return loads, counts


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("data")
    p.add_argument("tokenizer")
    p.add_argument("out", type=Path)
    p.add_argument("--steps", type=int, default=8000)
    p.add_argument("--decay-steps", type=int, default=2000)
    p.add_argument("--resume", action="store_true")
    p.add_argument("--batch", type=int, default=2560, help="tokens")
    p.add_argument("--lr", type=float, default=0.015, help="of Muon")
    p.add_argument("--adam-lr", type=float, default=0.003)
    p.add_argument("--seed", type=int, default=7)
    p.add_argument("--warm", type=int, default=100, help="steps until the learning rate is full")
    p.add_argument("--save-every", type=float, default=120, help="seconds")
    return p.parse_args()


def main():
    args = arguments()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    args.out.mkdir(parents=True, exist_ok=True)
    tokenizer = AutoTokenizer.from_pretrained(args.tokenizer)
    run = Run(args, tokenizer)
    check(run.model, [ids for ids, _ in Text(args.data, tokenizer, 0).batch(1000)])
    print(f"{sum(w.numel() for w in run.model.parameters())} parameters", flush=True)
    begun = saved = time.time()
    sums, share = torch.zeros(3), None
    while run.step < args.steps:
        loads, counts = run.train()
        share = loads if share is None else share.lerp(loads, 0.02)
        sums += counts
        if run.step % 25 == 0:
            rate = sums[2] / (time.time() - begun)
            print(f"step {run.step} loss {sums[0] / sums[1]:.4f} lr {run.scale():.3f} tokens/s {rate:.0f} "
                  f"least load {share.min():.4f} clock {time.strftime('%H:%M:%S')}", flush=True)
            sums.zero_()
            begun = time.time()
        if time.time() - saved > args.save_every:
            run.save()
            saved = time.time()
    run.save()


if __name__ == "__main__":
    main()
