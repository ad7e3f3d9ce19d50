#!/usr/bin/env python3
"""Trains lfm2-nano: transformers' own Lfm2MoeForCausalLM, with a forward pass of this file that is several times faster on a CPU.

usage: train.py TRAIN.jsonl TOKENIZER_DIR OUT_DIR [--workers N] [--steps N] [--decay-file FILE] [--resume]

Each worker is a process with one thread, its own batches and its own half of the optimizer; weights and gradients lie in
shared memory.  That is faster than threads inside the small products of this network, above all on a busy machine.

The learning rate is constant, then falls to zero over the last --decay-steps steps, which also train with weights rounded
to Q4_0.  The decay starts by itself in time for --steps, or when --decay-file comes to exist.  OUT_DIR always holds a checkpoint.
"""
import argparse, ctypes, json, os, random, subprocess, tempfile, time
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false")     # processes are the parallelism
from multiprocessing import get_context
from pathlib import Path
import torch
import torch.nn.functional as F
from transformers import AutoTokenizer, Lfm2MoeConfig, Lfm2MoeForCausalLM

CONTEXT_WEIGHT = 0.1       # of the loss on what the model reads, next to 1 on what it answers
LIB = None                 # fused.cpp, built at the start
BALANCE = 0.001            # step of the routing bias towards equal load (no auxiliary loss, as in DeepSeek-V3)


def config(vocab):
    return Lfm2MoeConfig(vocab_size=vocab, hidden_size=256, intermediate_size=384, num_hidden_layers=5, num_dense_layers=2,
                         layer_types=["conv", "conv", "full_attention", "conv", "full_attention"], num_attention_heads=4, num_key_value_heads=2,
                         num_experts=8, num_experts_per_tok=4, moe_intermediate_size=64, norm_topk_prob=True, use_expert_bias=True, routed_scaling_factor=1.0,
                         conv_L_cache=3, conv_bias=False, norm_eps=1e-5, max_position_embeddings=4096, rope_parameters={"rope_type": "default", "rope_theta": 1e6},
                         tie_word_embeddings=True, bos_token_id=1, eos_token_id=7, pad_token_id=0)


class RoundQ4(torch.autograd.Function):
    """The weights as llama-quantize's Q4_0 stores them; the gradient passes straight through."""
    @staticmethod
    def forward(ctx, w):
        b = w.reshape(-1, 32)
        top = b.gather(1, b.abs().argmax(1, keepdim=True))
        inv = torch.where(top == 0, 0.0, -8 / top)
        return (((b * inv + 8.5).floor().clamp(0, 15) - 8) * (top / -8).half().float()).reshape(w.shape)
    @staticmethod
    def backward(ctx, g): return g


def build():
    """fused.cpp as a library."""
    lib = Path(tempfile.mkdtemp()) / "fused.so"
    subprocess.run(["g++", "-O3", "-march=native", "-ffast-math", "-shared", "-fPIC", Path(__file__).parent / "fused.cpp", "-o", lib], check=True)
    return ctypes.CDLL(str(lib))

def call(name, *args): getattr(LIB, name)(*(ctypes.c_void_p(x.data_ptr()) if torch.is_tensor(x) else ctypes.c_int64(x) for x in args))

class Norm(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, w):
        x = x.contiguous(); ctx.save_for_backward(x, w); y = torch.empty_like(x)
        call("rms_forward", x, w, y, x.numel() // x.shape[-1], x.shape[-1]); return y
    @staticmethod
    def backward(ctx, g):
        x, w = ctx.saved_tensors; g = g.contiguous(); gx, gw = torch.empty_like(x), torch.zeros_like(w)
        call("rms_backward", x, w, g, gx, gw, x.numel() // x.shape[-1], x.shape[-1]); return gx, gw

class Rope(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, w, cos, sin):
        ctx.save_for_backward(x, w, cos, sin); y = torch.empty_like(x)
        call("rope_forward", x, w, cos, sin, y, *x.shape); return y
    @staticmethod
    def backward(ctx, g):
        x, w, cos, sin = ctx.saved_tensors; g = g.contiguous(); gx, gw = torch.empty_like(x), torch.zeros_like(w)
        call("rope_backward", x, w, cos, sin, g, gx, gw, *x.shape); return gx, gw, None, None

class Conv(torch.autograd.Function):
    @staticmethod
    def forward(ctx, z, k):
        k = k[:, 0].t().contiguous(); ctx.save_for_backward(z, k); B, T, D = z.shape; y = z.new_empty(B, T, D // 3)
        call("conv_forward", z, k, y, B, T, D // 3); return y
    @staticmethod
    def backward(ctx, g):
        z, k = ctx.saved_tensors; g = g.contiguous(); B, T, D = z.shape; gz, gk = torch.empty_like(z), torch.zeros_like(k)
        call("conv_backward", z, k, g, gz, gk, B, T, D // 3); return gz, gk.t()[:, None]

class Glu(torch.autograd.Function):
    @staticmethod
    def forward(ctx, z, p):
        p = p.contiguous(); ctx.save_for_backward(z, p); n, e = p.numel() // p.shape[-1], p.shape[-1]; w = z.shape[-1] // e // 2; y = z.new_empty(*z.shape[:-1], e * w)
        call("glu_forward", z, p, y, n, e, w); return y
    @staticmethod
    def backward(ctx, g):
        z, p = ctx.saved_tensors; g = g.contiguous(); n, e = p.numel() // p.shape[-1], p.shape[-1]; gz, gp = torch.empty_like(z), torch.empty_like(p)
        call("glu_backward", z, p, g, gz, gp, n, e, z.shape[-1] // e // 2); return gz, gp

class Entropy(torch.autograd.Function):
    """Weighted sum of the losses, and the loss of every row (for the log); the logits are overwritten by their gradient."""
    @staticmethod
    def forward(ctx, z, target, weight):
        loss = torch.empty_like(weight); call("entropy", z, target, weight, loss, *z.shape)
        ctx.save_for_backward(z); ctx.mark_non_differentiable(loss); return (loss * weight).sum(), loss
    @staticmethod
    def backward(ctx, g, _): return ctx.saved_tensors[0] * g if g != 1 else ctx.saved_tensors[0], None, None

def hidden(model, ids, loads=None, q4=False):
    """model.model(ids), but every expert runs on every token: on a CPU one wide product is faster than eight narrow ones.

    ids are padded at the right, which a causal network needs no mask for.  loads (a list) receives every layer's share of tokens per expert."""
    m, cfg = model.model, model.config
    w4 = RoundQ4.apply if q4 else lambda w: w
    B, T = ids.shape
    x = m.embed_tokens(ids)
    hd = cfg.hidden_size // cfg.num_attention_heads
    ang = torch.arange(T).float()[:, None] * cfg.rope_parameters["rope_theta"] ** (-torch.arange(0, hd, 2).float() / hd)
    cos, sin, one = ang.cos(), ang.sin(), torch.ones(B, T, 1)
    for layer in m.layers:
        y = Norm.apply(x, layer.operator_norm.weight)
        if hasattr(layer, "conv"):
            c = layer.conv
            y = F.linear(Conv.apply(F.linear(y, w4(c.in_proj.weight)), c.conv.weight), w4(c.out_proj.weight))
        else:
            s = layer.self_attn
            q, k, v = (F.linear(y, w4(p.weight)).view(B, T, -1, hd) for p in (s.q_proj, s.k_proj, s.v_proj))
            n = q.shape[2] // k.shape[2]
            q, k, v = Rope.apply(q, s.q_layernorm.weight, cos, sin), Rope.apply(k, s.k_layernorm.weight, cos, sin).repeat_interleave(n, 2), v.repeat_interleave(n, 2)
            y = F.scaled_dot_product_attention(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), is_causal=True)
            y = F.linear(y.transpose(1, 2).reshape(B, T, -1), w4(s.out_proj.weight))
        x = x + y
        y, f = Norm.apply(x, layer.ffn_norm.weight), layer.feed_forward
        if hasattr(f, "w1"):
            y = F.linear(Glu.apply(F.linear(y, torch.cat((w4(f.w1.weight), w4(f.w3.weight)))), one), w4(f.w2.weight))
        else:
            p = F.linear(y, f.gate.weight).sigmoid()
            top = (p.detach() + f.expert_bias).topk(cfg.num_experts_per_tok, -1).indices
            on = torch.zeros_like(p).scatter_(-1, top, 1.0)
            if loads is not None: loads.append(on[ids != 0].mean(0) / cfg.num_experts_per_tok)
            p = p * on
            p = p / (p.sum(-1, keepdim=True) + 1e-6)
            up, down = w4(f.experts.gate_up_proj), w4(f.experts.down_proj)
            y = F.linear(Glu.apply(F.linear(y, up.flatten(0, 1)), p), down.transpose(0, 1).reshape(down.shape[1], -1))
        x = x + y
    return Norm.apply(x, m.embedding_norm.weight)


class Muon:
    """Momentum whose step is made orthogonal by Newton and Schulz's iteration; learns from fewer tokens than Adam."""
    def __init__(self, params): self.params, self.mom = params, [torch.zeros_like(p) for p in params]
    @torch.no_grad()
    def step(self, lr, decay):
        groups = {}
        for p, m in zip(self.params, self.mom):
            m.lerp_(p.grad, 0.05)
            u = p.grad.lerp(m, 0.95)
            # stacked matrices are orthogonalised one by one: an expert's gate and up, the three parts of a conv's input
            shape = (-1, 256, 256) if p.shape == (768, 256) else (-1, p.shape[-2] // 2, p.shape[-1]) if p.dim() == 3 and p.shape[1] < p.shape[2] else (-1, *p.shape[-2:])
            u = u.reshape(shape)
            wide = u.shape[1] > u.shape[2]
            groups.setdefault((min(u.shape[1:]), max(u.shape[1:])), []).append((p, u, wide))
        for g in groups.values():
            x = torch.cat([u.mT if wide else u for _, u, wide in g])
            x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
            for _ in range(5):
                s = x @ x.mT
                x = 3.4445 * x + (-4.7750 * s + 2.0315 * s @ s) @ x
            i = 0
            for p, u, wide in g:
                d = x[i:i + len(u)]; i += len(u)
                d = d.mT if wide else d
                p.mul_(1 - lr * decay).add_(d.reshape(p.shape), alpha=-lr * max(1, d.shape[1] / d.shape[2]) ** 0.5)


def load(path, tok):
    """Token ids and their weights in the loss (as bytes: 0 context, 1 answer)."""
    docs, flat = [], []
    with open(path) as f:
        for line in f: flat.append(json.loads(line)["parts"])
    for i in range(0, len(flat), 1000):
        enc = iter(tok._tokenizer.encode_batch([p for parts in flat[i:i + 1000] for p in parts], add_special_tokens=False))
        for parts in flat[i:i + 1000]:
            ids, ans = [], []
            for j, _ in enumerate(parts):
                e = next(enc).ids; ids += e; ans += [j % 2] * len(e)
            docs.append((torch.tensor(ids, dtype=torch.int16), torch.tensor(ans, dtype=torch.int8)))
    return docs

def batches(docs, tokens, rng, longest):
    """For ever: batches of documents of about the same length."""
    while True:
        order = list(range(len(docs))); rng.shuffle(order)
        for i in range(0, len(order), 1500):
            pool = sorted(order[i:i + 1500], key=lambda j: len(docs[j][0])); out = [[]]
            for j in pool:
                n = len(docs[j][0])
                if n > longest: continue
                if out[-1] and n * (len(out[-1]) + 1) > tokens: out.append([])
                out[-1].append(j)
            rng.shuffle(out)
            for b in out:
                T = max(len(docs[j][0]) for j in b)
                ids, ans = torch.zeros(len(b), T, dtype=torch.long), torch.full((len(b), T), -1)
                for r, j in enumerate(b): n = len(docs[j][0]); ids[r, :n] = docs[j][0]; ans[r, :n] = docs[j][1]
                yield ids, ans


def new_model(tok, seed):
    vocab = len(tok); model = Lfm2MoeForCausalLM(config(vocab)).float()
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for n, w in model.named_parameters():
            if "norm" in n: w.fill_(1)
            elif "embed" in n: w.normal_(0, 0.03, generator=g)
            elif "conv.conv" in n: w.copy_(torch.tensor([0.1, 0.3, 0.8]) + 0.1 * torch.randn(w.shape, generator=g))
            elif "out_proj" in n or "w2" in n or "down_proj" in n: w.normal_(0, 0.3 * w.shape[-1] ** -0.5, generator=g)
            elif n.endswith("gate.weight"): w.normal_(0, 0.05, generator=g)
            else: w.normal_(0, 0.8 * w.shape[-1] ** -0.5, generator=g)
        for f in experts(model): f.expert_bias.zero_()
        e, ids = model.model.embed_tokens.weight, tok.get_vocab()       # a word without its space begins as the word with it
        for t, i in ids.items():
            if "\u0120" + t in ids: e[i] = e[ids["\u0120" + t]] + 0.3 * e[i]
        # the fast forward pass must be the reference's
        t = torch.randint(16, vocab, (2, 40), generator=g); gap = (model(t).logits - F.linear(hidden(model, t), model.model.embed_tokens.weight)).abs().max()
        assert gap < 1e-3, gap
    return model

def experts(model): return [l.feed_forward for l in model.model.layers if hasattr(l.feed_forward, "expert_bias")]

def work(rank, a, model, grads, loads, stats, barrier, docs, tok, start):
    torch.set_num_threads(1); os.nice(a.nice)
    out = Path(a.out)
    named = list(model.named_parameters()); flat = grads[rank]; spans, i = [], 0
    for _, w in named: spans.append(slice(i, i + w.numel())); i += w.numel()
    # big matrices, dealt out so that every worker has as many of each shape
    big = [(w, s) for (n, w), s in zip(named, spans) if w.dim() >= 2 and not any(k in n for k in ("embed", "conv.conv", "gate.weight"))]
    mine = sorted(big, key=lambda b: (b[0].numel(), b[0].shape))[rank::a.workers]
    rest = [(w, s) for (_, w), s in zip(named, spans) if not any(w is m for m, _ in big)] if rank == 0 else []
    muon = Muon([w for w, _ in mine]); adam = torch.optim.AdamW([w for w, _ in rest], betas=(0.9, 0.95), weight_decay=0.0) if rest else None
    if start:
        s = torch.load(out / f"state{rank}.pt", weights_only=True); muon.mom = s["muon"]
        if adam and s["adam"]: adam.load_state_dict(s["adam"])
    step, decay_from, moe = start, a.steps - a.decay_steps, experts(model)
    stream = batches(docs[rank::a.workers], a.batch, random.Random(a.seed + 100 * rank + start), 2048)

    def save():
        torch.save({"muon": muon.mom} | ({"adam": adam.state_dict()} if adam else {}), out / f"state{rank}.pt")
        if rank == 0:
            model.save_pretrained(out / "hf.new"); tok.save_pretrained(out / "hf.new"); (out / "hf.new/step").write_text(str(step))
            os.system(f"rm -rf {out}/hf.old; mv {out}/hf {out}/hf.old 2>/dev/null; mv {out}/hf.new {out}/hf")

    t0 = saved = time.time(); share = None; sums = torch.zeros(3)
    while True:
        if rank == 0: stats[-1, 0] = float(bool(a.decay_file and os.path.exists(a.decay_file))); stats[-1, 1] = float(time.time() - saved > a.save_every)
        barrier.wait()
        if stats[-1, 0] and step < decay_from: decay_from = step; print("decay starts", flush=True)
        if stats[-1, 1] or step >= decay_from + a.decay_steps: save(); saved = time.time()
        if step >= decay_from + a.decay_steps: break
        scale = min(1, (step + 1) / a.warm) * (1 if step < decay_from else 1 - (step - decay_from) / a.decay_steps)
        ids, ans = next(stream); now = []
        h = hidden(model, ids[:, :-1], now, q4=step >= decay_from)
        ans = ans[:, 1:].flatten(); said, keep = ans == 1, ans >= 0
        w = torch.where(said, 1.0, CONTEXT_WEIGHT) * keep
        loss, ce = Entropy.apply(F.linear(h.flatten(0, 1), model.model.embed_tokens.weight), ids[:, 1:].flatten(), w / w.sum())
        loss.backward()
        for (_, p), s in zip(named, spans): flat[s] = p.grad.view(-1)
        loads[rank] = torch.stack(now); stats[rank] = torch.tensor([float(ce[said].sum()), float(said.sum()), float(keep.sum())])
        barrier.wait()
        total = grads.mean(0); total *= min(1, 1 / float(total.norm()))
        for p, s in mine + rest: p.grad = total[s].view(p.shape)
        muon.step(a.lr * scale, 0.01)
        if adam:
            for grp in adam.param_groups: grp["lr"] = a.adam_lr * scale
            adam.step()
        if rank == 0:
            now = loads.mean(0); share = now.clone() if share is None else share.lerp(now, 0.02); sums += stats[:a.workers].sum(0)
            for f, l in zip(moe, now): f.expert_bias += BALANCE * scale * torch.sign(l.mean() - l)
        for _, p in named: p.grad = None
        step += 1
        if rank == 0 and step % 25 == 0:
            print(f"step {step} loss {sums[0] / sums[1]:.4f} lr {scale:.3f} tokens/s {sums[2] / (time.time() - t0):.0f} least load {share.min():.4f} clock {time.strftime('%H:%M:%S')}", flush=True)
            sums.zero_(); t0 = time.time()

def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("data"); p.add_argument("tokenizer"); p.add_argument("out"); p.add_argument("--steps", type=int, default=6000); p.add_argument("--decay-steps", type=int, default=900)
    p.add_argument("--decay-file"); p.add_argument("--resume", action="store_true"); p.add_argument("--batch", type=int, default=2048, help="tokens per worker"); p.add_argument("--lr", type=float, default=0.015)
    p.add_argument("--adam-lr", type=float, default=0.003); p.add_argument("--seed", type=int, default=7); p.add_argument("--workers", type=int, default=2)
    p.add_argument("--warm", type=int, default=100); p.add_argument("--nice", type=int, default=0, help="how much to give way while training"); p.add_argument("--save-every", type=float, default=240, help="seconds")
    a = p.parse_args()
    global LIB
    LIB = build()
    torch.set_num_threads(1)
    out = Path(a.out); out.mkdir(parents=True, exist_ok=True)
    tok = AutoTokenizer.from_pretrained(a.tokenizer)
    model, start = new_model(tok, a.seed), 0
    if a.resume:
        model.load_state_dict(Lfm2MoeForCausalLM.from_pretrained(out / "hf").state_dict()); start = int((out / "hf/step").read_text())
    docs = load(a.data, tok)
    n = sum(w.numel() for w in model.parameters())
    print(f"{n} parameters, {len(docs)} documents, {sum(len(d[0]) for d in docs)} tokens", flush=True)
    model.share_memory(); k = len(experts(model))
    grads, loads, stats = (torch.zeros(s).share_memory_() for s in ((a.workers, n), (a.workers, k, model.config.num_experts), (a.workers + 1, 3)))
    mp = get_context("fork"); barrier = mp.Barrier(a.workers)
    ps = [mp.Process(target=work, args=(r, a, model, grads, loads, stats, barrier, docs, tok, start)) for r in range(a.workers)]
    for q in ps: q.start()
    (out / "pids").write_text(" ".join(str(q.pid) for q in ps))
    for q in ps: q.join()

if __name__ == "__main__": main()
