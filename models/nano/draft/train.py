#!/usr/bin/env python3
"""Trains the draft of lfm2-nano on what nano answered.   usage: train.py NANO.gguf TEXT_DIR OUT.pt [--steps N]

TEXT_DIR is what answers.py wrote; some documents are kept for measuring.  Every step looks at blocks that begin
anywhere in an answer.  Each row of a block learns nano's probabilities of the token there, given the true token before.
The last --decay-steps steps, while the learning rate falls to zero, train with weights rounded to Q4_0.
"""
import argparse
import os
import sys
import time
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
import numpy as np
import torch
import torch.nn.functional as F
from draft import SHAPE, Draft
from target import Target

sys.path.append(str(Path(__file__).parent.parent))
from muon import Muon

KEPT = 200  # documents for measuring
LATER = 0.88  # weight of a row next to the one before
SURE = 0.1  # weight of the confidence's loss


class Text:
    def __init__(self, folder, shape):
        self.lengths = np.load(folder / "lengths.npy")
        self.ends = self.lengths.cumsum()
        n = int(self.ends[-1])
        self.ids = torch.from_numpy(np.load(folder / "ids.npy")[:n].astype(np.int64))
        said = np.load(folder / "said.npy")[:n]
        width = len(shape["target_layers"]) * shape["hidden"]
        self.taps = np.memmap(folder / "taps.f16", np.float16, "r")[:n * width].reshape(n, width)
        self.hidden = np.memmap(folder / "hidden.f16", np.float16, "r")[:n * shape["hidden"]].reshape(n, -1)
        # how many tokens of the same answer follow
        self.follow = np.zeros(n, np.int64)
        last = np.zeros(n, bool)
        last[self.ends - 1] = True
        for i in range(n - 2, -1, -1):
            if said[i] and not last[i] and said[i + 1] and self.ids[i] != 7:
                self.follow[i] = self.follow[i + 1] + 1
        self.anchors = [np.flatnonzero(self.follow[e - l:e]) for l, e in zip(self.lengths, self.ends)]

    def batch(self, documents, blocks, rng):
        """(taps, anchor positions, begins): `blocks` anchors of each document."""
        longest = max(self.lengths[d] for d in documents)
        taps = torch.zeros(len(documents), longest, self.taps.shape[1])
        at = torch.zeros(len(documents), blocks, dtype=torch.long)
        begin = torch.tensor([int(self.ends[d] - self.lengths[d]) for d in documents])
        for i, d in enumerate(documents):
            n = self.lengths[d]
            taps[i, :n] = torch.from_numpy(self.taps[begin[i]:begin[i] + n].astype(np.float32))
            at[i] = torch.from_numpy(rng.choice(self.anchors[d], blocks, replace=len(self.anchors[d]) < blocks))
        return taps, at, begin


def batches(text, documents, rows, rng):
    """Documents of about the same length together, again and again."""
    while True:
        order = sorted(documents, key=lambda d: text.lengths[d] * rng.uniform(0.9, 1.1))
        groups, i = [], 0
        while i < len(order):
            blocks = int(np.clip(np.mean([len(text.anchors[d]) for d in order[i:i + 16]]) / 4, 1, 40))
            count = max(1, min(rows // (SHAPE["block"] * blocks), 16000 // int(text.lengths[order[i]])))
            groups.append((order[i:i + count], blocks))
            i += count
        rng.shuffle(groups)
        yield from groups


def run(draft, text, taps, at, begin):
    """(losses of tokens, of confidences; right, there), the last two (blocks, block)."""
    s, block = draft.s, draft.s["block"]
    index = begin[:, None] + at
    with torch.autocast("cpu", torch.bfloat16):
        context = draft.context(taps, torch.arange(taps.shape[1]))
        y = draft.block(context, text.ids[index], at).flatten(0, 1)
        rows = index.flatten()[:, None] + torch.arange(block)  # of the token before each row's
        there = torch.arange(block) < torch.from_numpy(text.follow[index.flatten().numpy()])[:, None]
        rows = rows.clamp(max=len(text.ids) - 2)
        kept = there.flatten()
        rows, y = rows.flatten()[kept], y[kept]
        e = draft.w("markov_w1.weight")[text.ids[rows]]
        logits = (y @ draft.embedding.t() + e @ draft.w("markov_w2.weight").t()).float()
        with torch.no_grad():
            wanted = (torch.from_numpy(text.hidden[rows.numpy()].astype(np.float32)) @ draft.embedding.t()).float()
            wanted = wanted.softmax(-1)
    label = text.ids[rows + 1]
    log = logits.log_softmax(-1)
    each = -(0.5 * (wanted * log).sum(-1) + 0.5 * log.gather(1, label[:, None])[:, 0])
    weight = (LATER ** torch.arange(block).float()).expand_as(there)[there]
    right = logits.argmax(-1) == label
    c = torch.cat((y, e), -1).float().detach() @ draft.p["conf_proj_weight"][0] + draft.p["conf_proj_bias"]
    sure = F.binary_cross_entropy_with_logits(c, right.float())
    matrix = torch.zeros(there.shape, dtype=torch.bool)
    matrix[there] = right
    return (each * weight).sum() / weight.sum(), sure, matrix, there


def accepted(right, there):
    """Mean number of a block's tokens up to the first that is wrong, of blocks whose text goes on as long."""
    whole = there.all(1)
    return float(right[whole].long().cumprod(1).sum(1).float().mean()), int(whole.sum())


@torch.no_grad()
def measure(draft, text, documents):
    rng = np.random.default_rng(5)
    sums, count = 0.0, 0
    for d in documents:
        if len(text.anchors[d]):
            _, _, right, there = run(draft, text, *text.batch([d], min(16, len(text.anchors[d])), rng))
            mean, n = accepted(right, there)
            if n:
                sums, count = sums + mean * n, count + n
    return sums / count


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("nano")
    p.add_argument("text", type=Path)
    p.add_argument("out", type=Path)
    p.add_argument("--steps", type=int, default=2400)
    p.add_argument("--decay-steps", type=int, default=900)
    p.add_argument("--rows", type=int, default=3600, help="of a step")
    p.add_argument("--lr", type=float, default=0.015, help="of Muon")
    p.add_argument("--adam-lr", type=float, default=0.003)
    p.add_argument("--seed", type=int, default=3)
    p.add_argument("--resume", action="store_true")
    args = p.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    nano = Target(args.nano, SHAPE["target_layers"])
    draft, text = Draft(SHAPE, nano.head), Text(args.text, SHAPE)
    documents = [d for d in range(len(text.lengths)) if len(text.anchors[d])]
    kept = documents[::len(documents) // KEPT]
    documents = [d for d in documents if d not in set(kept)]
    big = [w for n, w in draft.p.items() if w.dim() == 2 and len(w) > 1 and "markov" not in n]
    rest = [w for w in draft.p.values() if not any(w is b for b in big)]
    muon, adam = Muon(big), torch.optim.AdamW(rest, betas=(0.9, 0.98), weight_decay=0.0)
    step = 0
    if args.resume:
        state = torch.load(args.out)
        draft.load_state_dict(state["draft"])
        adam.load_state_dict(state["adam"])
        muon.momentum, step = state["muon"], state["step"]
        rng = np.random.default_rng(args.seed + step)
    print(f"{sum(w.numel() for w in draft.p.values())} parameters, {len(documents)} documents, {len(text.ids)} tokens, "
          f"{sum(map(len, text.anchors))} anchors", flush=True)
    source, begun, losses = batches(text, documents, args.rows, rng), time.time(), []
    while step < args.steps:
        draft.rounded = step >= args.steps - args.decay_steps
        loss, sure, right, there = run(draft, text, *text.batch(*next(source), rng))
        (loss + SURE * sure).backward()
        torch.nn.utils.clip_grad_norm_(draft.p.values(), 1.0)
        scale = min(1, (step + 1) / 60) * min(1, (args.steps - step) / args.decay_steps)
        muon.step(args.lr * scale, 0.01)
        for group in adam.param_groups:
            group["lr"] = args.adam_lr * scale
        adam.step()
        draft.zero_grad(set_to_none=True)
        step += 1
        taken = accepted(right, there)[0] if there.all(1).any() else np.nan
        losses.append((float(loss.detach()), float(sure.detach()), taken))
        if step % 20 == 0:
            mean = np.nanmean(np.array(losses), 0)
            print(f"step {step} loss {mean[0]:.4f} confidence {mean[1]:.4f} accepted {mean[2]:.2f} "
                  f"{(time.time() - begun) / len(losses):.2f} s a step, {time.strftime('%H:%M:%S')}", flush=True)
            losses, begun = [], time.time()
        if step % 100 == 0 or step == args.steps:
            state = {"draft": draft.state_dict(), "adam": adam.state_dict(), "muon": muon.momentum, "step": step}
            torch.save(state, args.out)
        if step % 200 == 0 or step == args.steps:
            print(f"held out: {measure(draft, text, kept):.2f} of {SHAPE['block']} accepted", flush=True)
            begun = time.time()


if __name__ == "__main__":
    main()
