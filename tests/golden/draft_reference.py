"""A draft network (DSpark) and what it is told by an LFM2 mixture of experts, in numpy, as plainly as it can be said.

Written from the public description; the engine has nothing in common with it.   Reads GGUF files."""
import gguf
import numpy as np


def silu(x):
    return x / (1 + np.exp(-x))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


class Network:
    """The fields and dequantised tensors of a file."""

    def __init__(self, path, kind=np.float64):
        reader = gguf.GGUFReader(str(path))
        self.fields = {name: field.contents() for name, field in reader.fields.items()}
        self.w = {t.name: np.asarray(gguf.dequantize(t.data, t.tensor_type)).astype(kind) for t in reader.tensors}
        self.prefix = self.fields["general.architecture"] + "."
        self.eps, self.base = self["attention.layer_norm_rms_epsilon"], self["rope.freq_base"]
        self.heads, self.hidden = self["attention.head_count"], self["embedding_length"]

    def __getitem__(self, key):
        return self.fields[self.prefix + key]

    def norm(self, x, name):
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + self.eps) * self.w[name]

    def rotated(self, x, positions):
        """x: (tokens, heads, dim); the pairs are (i, i + dim / 2)."""
        half = x.shape[-1] // 2
        angle = np.asarray(positions)[:, None, None] * self.base ** (-np.arange(half) / half)
        a, b = x[..., :half], x[..., half:]
        return np.concatenate((a * np.cos(angle) - b * np.sin(angle), b * np.cos(angle) + a * np.sin(angle)), -1)

    def split(self, x, p, what, positions):
        """One of the projections of an attention layer, by heads; queries and keys normed and turned."""
        y = (x @ self.w[f"{p}attn_{what}.weight"].T).reshape(len(x), -1, self.dim)
        return y if what == "v" else self.rotated(self.norm(y, f"{p}attn_{what}_norm.weight"), positions)

    def attend(self, q, k, v, seen):
        """(queries, heads * dim); seen: (queries, keys)."""
        group, out = q.shape[1] // k.shape[1], []
        for head in range(q.shape[1]):
            score = q[:, head] @ k[:, head // group].T / np.sqrt(self.dim)
            score = np.exp(np.where(seen, score - score.max(-1, keepdims=True, where=seen, initial=-np.inf), -np.inf))
            out.append(score / score.sum(-1, keepdims=True) @ v[:, head // group])
        return np.concatenate(out, -1)

    def gated(self, x, p):
        gate, up, down = (self.w[f"{p}ffn_{name}.weight"] for name in ("gate", "up", "down"))
        return (silu(x @ gate.T) * (x @ up.T)) @ down.T


class Target(Network):
    def __init__(self, path, kind=np.float64):
        super().__init__(path, kind)
        self.dim = self.hidden // self.heads
        self.embedding = self.w["token_embd.weight"]
        self.head = self.w.get("output.weight", self.embedding)

    def convolution(self, x, p):
        b, c, x = np.split(x @ self.w[p + "shortconv.in_proj.weight"].T, 3, -1)
        taps, past = self.w[p + "shortconv.conv.weight"], self["shortconv.l_cache"] - 1
        padded = np.concatenate((np.zeros((past, x.shape[1]), x.dtype), b * x))
        mixed = sum(padded[j:j + len(x)] * taps[:, j] for j in range(past + 1))
        return (c * mixed) @ self.w[p + "shortconv.out_proj.weight"].T

    def attention(self, x, p):
        positions = np.arange(len(x))
        q, k, v = (self.split(x, p, what, positions) for what in "qkv")
        return self.attend(q, k, v, positions[None] <= positions[:, None]) @ self.w[p + "attn_output.weight"].T

    def mixture(self, x, p):
        score = sigmoid(x @ self.w[p + "ffn_gate_inp.weight"].T)
        best = np.argsort(-(score + self.w[p + "exp_probs_b.bias"]), -1, kind="stable")[:, :self["expert_used_count"]]
        out = np.zeros_like(x)
        for row, experts in enumerate(best):
            share = score[row, experts]
            for expert, s in zip(experts, share / (share.sum() + 1e-6)):
                gate, up, down = (self.w[f"{p}ffn_{name}_exps.weight"][expert] for name in ("gate", "up", "down"))
                out[row] += s * (silu(x[row] @ gate.T) * (x[row] @ up.T)) @ down.T
        return out

    def read(self, ids):
        """(what enters each layer, and what leaves the last; logits), a row a token."""
        x, entering = self.embedding[ids], []
        for i in range(self["block_count"]):
            p = f"blk.{i}."
            entering.append(x)
            mix = self.attention if p + "attn_q.weight" in self.w else self.convolution
            x = x + mix(self.norm(x, p + "attn_norm.weight"), p)
            feed = self.gated if p + "ffn_gate.weight" in self.w else self.mixture
            x = x + feed(self.norm(x, p + "ffn_norm.weight"), p)
        return entering + [x], self.norm(x, "token_embd_norm.weight") @ self.head.T


class Draft(Network):
    def __init__(self, path, target, kind=np.float64):
        super().__init__(path, kind)
        self.target, self.dim = target, self.fields.get("dflash.attention.key_length", self.hidden // self.heads)
        self.block_size, self.mask = self["block_size"], self.fields["tokenizer.ggml.mask_token_id"]

    def taps(self, entering):
        """What it is told of each token."""
        return np.concatenate([entering[i] for i in self["target_layers"]], -1)

    def context(self, taps):
        """(keys, values) of each layer, for tokens from the first on."""
        g = self.norm(taps @ self.w["fc.weight"].T, "enc.output_norm.weight")
        layers = [f"blk.{i}." for i in range(self["block_count"])]
        return [(self.split(g, p, "k", np.arange(len(g))), self.split(g, p, "v", None)) for p in layers]

    def block(self, context, anchor):
        """Last hidden states of the rows [anchor, mask, mask, ...] behind the context, which see it and each other."""
        x = self.target.embedding[[anchor] + [self.mask] * (self.block_size - 1)]
        positions = len(context[0][0]) + np.arange(len(x))
        for i, (ck, cv) in enumerate(context):
            p = f"blk.{i}."
            y = self.norm(x, p + "attn_norm.weight")
            q, k, v = (self.split(y, p, what, positions) for what in "qkv")
            k, v = np.concatenate((ck, k)), np.concatenate((cv, v))
            x = x + self.attend(q, k, v, np.ones((len(q), len(k)), bool)) @ self.w[p + "attn_output.weight"].T
            x = x + self.gated(self.norm(x, p + "ffn_norm.weight"), p)
        return self.norm(x, "output_norm.weight")

    def propose(self, y, anchor):
        """(base logits, logits, tokens, confidences), a row each: a row's logits are biased by the token before."""
        base, previous, rows, tokens, confidences = y @ self.target.head.T, anchor, [], [], []
        for hidden, logits in zip(y, base):
            e = self.w["markov_w1.weight"][previous]
            rows.append(logits + self.w["markov_w2.weight"] @ e)
            previous = int(rows[-1].argmax())
            tokens.append(previous)
            conf = self.w["conf_proj.weight"].reshape(-1) @ np.concatenate((hidden, e)) + self.w["conf_proj.bias"][0]
            confidences.append(sigmoid(conf))
        return base, np.array(rows), tokens, np.array(confidences)
