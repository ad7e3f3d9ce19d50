"""lfm2-nano as its GGUF file holds it, in float32: tokens, what the draft sees of them, and what comes next."""
import gguf
import numpy as np
import torch
import torch.nn.functional as F


def read(path):
    """(fields, tensors) of a GGUF file, the tensors dequantised."""
    reader = gguf.GGUFReader(str(path))
    fields = {name: field.contents() for name, field in reader.fields.items()}
    tensors = {t.name: torch.from_numpy(gguf.dequantize(t.data, t.tensor_type).copy()).float() for t in reader.tensors}
    return fields, tensors


def norm(x, w, eps):
    x = x.float()
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + eps) * w


def rotate(x, position, base):
    """x: (batch, heads, tokens, dim); pairs are (i, i + dim / 2)."""
    half = x.shape[-1] // 2
    angle = position[..., None].float() * base ** (-torch.arange(half).float() / half)
    cos, sin = angle.cos(), angle.sin()
    a, b = x[..., :half], x[..., half:]
    return torch.cat((a * cos - b * sin, b * cos + a * sin), -1)


class Target:
    def __init__(self, path, target_layers):
        self.fields, self.w = read(path)
        self.taps = target_layers  # layers that the taps enter, as a draft's file counts them
        f = self.fields
        self.layers, self.hidden = f["lfm2moe.block_count"], f["lfm2moe.embedding_length"]
        self.heads, self.kv_heads = f["lfm2moe.attention.head_count"], max(f["lfm2moe.attention.head_count_kv"])
        self.base, self.eps = f["lfm2moe.rope.freq_base"], f["lfm2moe.attention.layer_norm_rms_epsilon"]
        self.used, self.dim = f["lfm2moe.expert_used_count"], self.hidden // self.heads
        self.head = self.w["token_embd.weight"]

    def start(self, batch, longest):
        """The state of sequences that have read nothing."""
        state = {"read": 0}
        for i in range(self.layers):
            if f"blk.{i}.attn_q.weight" in self.w:
                state[i] = torch.zeros(2, batch, self.kv_heads, longest, self.dim)
            else:
                state[i] = torch.zeros(batch, 2, self.hidden)
        return state

    def convolution(self, y, p, state, i):
        b, c, x = (y @ self.w[p + "shortconv.in_proj.weight"].t()).chunk(3, -1)
        padded, n = torch.cat((state[i], b * x), 1), y.shape[1]
        state[i] = padded[:, -2:]
        taps = self.w[p + "shortconv.conv.weight"]
        mixed = sum(padded[:, j:j + n] * taps[:, j] for j in range(3))
        return (c * mixed) @ self.w[p + "shortconv.out_proj.weight"].t()

    def attention(self, y, p, state, i):
        batch, n, _ = y.shape
        q, k, v = ((y @ self.w[p + f"attn_{x}.weight"].t()).view(batch, n, -1, self.dim).transpose(1, 2) for x in "qkv")
        begin, position = state["read"], torch.arange(n) + state["read"]
        q = rotate(norm(q, self.w[p + "attn_q_norm.weight"], self.eps), position, self.base)
        k = rotate(norm(k, self.w[p + "attn_k_norm.weight"], self.eps), position, self.base)
        state[i][:, :, :, begin:begin + n] = torch.stack((k, v))
        k, v = state[i][:, :, :, :begin + n]
        group = self.heads // self.kv_heads  # heads that share keys look as further tokens would
        seen = (torch.arange(begin + n) <= position[:, None]).repeat(group, 1)
        o = F.scaled_dot_product_attention(q.unflatten(1, (-1, group)).flatten(2, 3), k, v, attn_mask=seen)
        o = o.unflatten(2, (group, n)).flatten(1, 2)
        return o.transpose(1, 2).reshape(batch, n, -1) @ self.w[p + "attn_output.weight"].t()

    def feed_forward(self, y, p):
        w = self.w
        if p + "ffn_gate.weight" in w:
            a = F.silu(y @ w[p + "ffn_gate.weight"].t()) * (y @ w[p + "ffn_up.weight"].t())
            return a @ w[p + "ffn_down.weight"].t()
        score = (y @ w[p + "ffn_gate_inp.weight"].t()).sigmoid()
        top = (score + w[p + "exp_probs_b.bias"]).topk(self.used, -1).indices
        score = score * torch.zeros_like(score).scatter_(-1, top, 1.0)
        score = score / (score.sum(-1, keepdim=True) + 1e-6)
        gate, up, down = (w[p + f"ffn_{x}_exps.weight"] for x in ("gate", "up", "down"))
        a = F.silu(y @ gate.flatten(0, 1).t()) * (y @ up.flatten(0, 1).t())
        a = (a.unflatten(-1, score.shape[-1:] + (-1,)) * score[..., None]).flatten(-2)
        return a @ down.transpose(1, 2).flatten(0, 1)

    @torch.no_grad()
    def forward(self, ids, state):
        """Reads more tokens, (batch, tokens): (taps (batch, tokens, taps * hidden), last hidden states)."""
        x, taps = self.w["token_embd.weight"][ids], {}
        for i in range(self.layers):
            p = f"blk.{i}."
            taps[i] = x
            mix = self.attention if p + "attn_q.weight" in self.w else self.convolution
            x = x + mix(norm(x, self.w[p + "attn_norm.weight"], self.eps), p, state, i)
            x = x + self.feed_forward(norm(x, self.w[p + "ffn_norm.weight"], self.eps), p)
        state["read"] += ids.shape[1]
        return torch.cat([taps[i] for i in self.taps], -1), norm(x, self.w["token_embd_norm.weight"], self.eps)
