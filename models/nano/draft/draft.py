"""The draft of lfm2-nano: a network that proposes a block of tokens from what nano's layers say of the text."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from target import norm, read, rotate

SHAPE = dict(layers=2, hidden=256, heads=4, kv_heads=2, dim=64, ffn=256, rank=32, block=9, mask=0, base=10000.0,
             eps=1e-5, target_layers=[1, 3, 4])

FIELDS = {"layers": "block_count", "hidden": "embedding_length", "heads": "attention.head_count",
          "kv_heads": "attention.head_count_kv", "dim": "attention.key_length", "ffn": "feed_forward_length",
          "block": "block_size", "base": "rope.freq_base", "eps": "attention.layer_norm_rms_epsilon",
          "target_layers": "target_layers"}


def q4(w):
    """Rounded as llama-quantize stores Q4_0."""
    b = w.reshape(-1, 32)
    most = b.gather(1, b.abs().argmax(1, keepdim=True))
    d = (most / -8)
    inverse = torch.where(d == 0, 0, 1 / d)
    return (((b * inverse + 8.5).trunc().clamp(0, 15) - 8) * d.half().float()).view_as(w)


class Draft(nn.Module):
    """names: of the parameters in a GGUF file, whose dots are _ here."""

    def __init__(self, shape, embedding, seed=1):
        super().__init__()
        self.s, self.rounded = shape, False
        self.embedding = embedding  # nano's, and its head
        h, d, g = shape["hidden"], shape["dim"], torch.Generator().manual_seed(seed)
        self.p, self.names = nn.ParameterDict(), {}

        def add(name, value):
            self.names[name.replace(".", "_")] = name
            self.p[name.replace(".", "_")] = nn.Parameter(value)

        def matrix(name, rows, columns, scale=1.0):
            add(name, torch.randn(rows, columns, generator=g) * scale * columns ** -0.5)

        def gain(name, n, value=1.0):
            add(name, torch.full((n,), value))

        matrix("fc.weight", h, len(shape["target_layers"]) * h)
        gain("enc.output_norm.weight", h)
        gain("output_norm.weight", h, 0.3)
        for i in range(shape["layers"]):
            b = f"blk.{i}."
            for n in ("attn_norm", "ffn_norm"):
                gain(b + n + ".weight", h)
            for n in ("attn_q_norm", "attn_k_norm"):
                gain(b + n + ".weight", d)
            matrix(b + "attn_q.weight", shape["heads"] * d, h)
            for n in ("attn_k", "attn_v"):
                matrix(b + n + ".weight", shape["kv_heads"] * d, h)
            matrix(b + "attn_output.weight", h, shape["heads"] * d, 0.3)
            for n in ("ffn_gate", "ffn_up"):
                matrix(b + n + ".weight", shape["ffn"], h)
            matrix(b + "ffn_down.weight", h, shape["ffn"], 0.3)
        matrix("markov_w1.weight", len(embedding), shape["rank"])
        matrix("markov_w2.weight", len(embedding), shape["rank"], 0.1)
        matrix("conf_proj.weight", 1, h + shape["rank"], 0.1)
        gain("conf_proj.bias", 1, 0.0)

    @staticmethod
    def load(path):
        """(the draft of a GGUF file, without an embedding; its target_layers)"""
        f, tensors = read(path)
        shape = {key: f["dflash." + name] for key, name in FIELDS.items()} | {"mask": f["tokenizer.ggml.mask_token_id"]}
        shape["rank"] = tensors["markov_w1.weight"].shape[1]
        draft = Draft(shape, tensors["markov_w1.weight"])
        for name, value in tensors.items():
            draft.p[name.replace(".", "_")].data = value
        draft.embedding = None
        return draft, shape["target_layers"]

    def w(self, name):
        p = self.p[name.replace(".", "_")]
        if self.rounded and p.dim() == 2 and len(p) > 1:
            return p + (q4(p) - p).detach()  # the gradient passes straight through
        return p

    def heads(self, x, name, b):
        """(batch, heads, tokens, dim) of one of a layer's projections."""
        y = (x @ self.w(f"{b}{name}.weight").t()).unflatten(-1, (-1, self.s["dim"])).transpose(1, 2)
        return y if name == "attn_v" else norm(y, self.w(f"{b}{name}_norm.weight"), self.s["eps"])

    def context(self, taps, position):
        """Keys and values, a layer each, of tokens that nano has read: taps (batch, tokens, taps * hidden)."""
        g = norm(taps @ self.w("fc.weight").t(), self.w("enc.output_norm.weight"), self.s["eps"])
        for i in range(self.s["layers"]):
            b = f"blk.{i}."
            yield rotate(self.heads(g, "attn_k", b), position, self.s["base"]), self.heads(g, "attn_v", b)

    def attention(self, x, context, position, past, b):
        """What the rows of blocks see of the context that is theirs (past) and of all rows of their own block."""
        s = self.s
        group, one = s["heads"] // s["kv_heads"], s["block"]
        q = rotate(self.heads(x, "attn_q", b), position, s["base"]) * s["dim"] ** -0.5
        k, v = rotate(self.heads(x, "attn_k", b), position, s["base"]), self.heads(x, "attn_v", b)
        ck, cv = (t[:, :, None] for t in context)
        q = q.unflatten(1, (-1, group))  # (batch, kv heads, group, rows, dim)
        far = (q @ ck.mT).float().masked_fill(~past[:, None, None], -torch.inf)
        k, v = (t.unflatten(2, (-1, one))[:, :, None] for t in (k, v))  # by blocks
        near = (q.unflatten(3, (-1, one)) @ k.mT).flatten(3, 4).float()
        far, near = torch.cat((far, near), -1).softmax(-1).to(v.dtype).split((far.shape[-1], one), -1)
        o = far @ cv + (near.unflatten(3, (-1, one)) @ v).flatten(3, 4)
        return o.flatten(1, 2).transpose(1, 2).flatten(2) @ self.w(b + "attn_output.weight").t()

    def block(self, context, anchors, position):
        """Last hidden states (batch, blocks * block, hidden) of the blocks that begin with the anchors (batch, blocks).

        position: the anchors' own; a block sees the tokens of the context that stand before its anchor."""
        s, batch = self.s, len(anchors)
        ids = anchors.new_full((*anchors.shape, s["block"]), s["mask"])
        ids[:, :, 0] = anchors
        x = self.embedding[ids.flatten(1)]
        rows = (position[:, :, None] + torch.arange(s["block"])).flatten(1)[:, None]
        for i, kv in enumerate(context):
            b = f"blk.{i}."
            past = torch.arange(kv[0].shape[2]) < position.repeat_interleave(s["block"], 1)[:, :, None]
            x = x + self.attention(norm(x, self.w(b + "attn_norm.weight"), s["eps"]), kv, rows, past, b)
            y = norm(x, self.w(b + "ffn_norm.weight"), s["eps"])
            a = F.silu(y @ self.w(b + "ffn_gate.weight").t()) * (y @ self.w(b + "ffn_up.weight").t())
            x = x + a @ self.w(b + "ffn_down.weight").t()
        return norm(x, self.w("output_norm.weight"), s["eps"])

    def propose(self, y, anchor):
        """(tokens, confidences) of one block's hidden states, (block, hidden)."""
        base, previous, ids, sure = y @ self.embedding.t(), anchor, [], []
        for row, h in zip(base, y):
            e = self.w("markov_w1.weight")[previous]
            previous = int((row + self.w("markov_w2.weight") @ e).argmax())
            ids.append(previous)
            z = self.w("conf_proj.weight")[0] @ torch.cat((h, e)) + self.w("conf_proj.bias")
            sure.append(float(z.sigmoid()))
        return ids, sure
