"""lfm2-nano: its shape, its first weights, and a forward pass that trains several times faster on a CPU."""
import torch
import torch.nn.functional as F
from fused import AddNorm, Conv, Glu, Rope, Weight
from transformers import Lfm2MoeConfig, Lfm2MoeForCausalLM


def config(vocabulary):
    return Lfm2MoeConfig(
        vocab_size=vocabulary, hidden_size=256, intermediate_size=384, num_hidden_layers=5, num_dense_layers=2,
        layer_types=["conv", "conv", "full_attention", "conv", "full_attention"],
        num_attention_heads=4, num_key_value_heads=2, rope_parameters={"rope_type": "default", "rope_theta": 1e6},
        num_experts=8, num_experts_per_tok=4, moe_intermediate_size=64, norm_topk_prob=True, use_expert_bias=True,
        routed_scaling_factor=1.0, conv_L_cache=3, conv_bias=False, norm_eps=1e-5, max_position_embeddings=4096,
        tie_word_embeddings=True, bos_token_id=1, eos_token_id=7, pad_token_id=0)


def new_model(tokenizer, seed):
    model = Lfm2MoeForCausalLM(config(len(tokenizer))).float()
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, w in model.named_parameters():
            fan_in = w.shape[-1] ** -0.5
            if "norm" in name:
                w.fill_(1)
            elif "embed" in name:
                w.normal_(0, 0.03, generator=g)
            elif "conv.conv" in name:
                w.copy_(torch.tensor([0.1, 0.3, 0.8]) + 0.1 * torch.randn(w.shape, generator=g))
            elif "out_proj" in name or "w2" in name or "down_proj" in name:
                w.normal_(0, 0.3 * fan_in, generator=g)
            elif name.endswith("gate.weight"):
                w.normal_(0, 0.05, generator=g)
            else:
                w.normal_(0, 0.8 * fan_in, generator=g)
        for f in routed(model):
            f.expert_bias.zero_()
        ids, e = tokenizer.get_vocab(), model.model.embed_tokens.weight
        for token, i in ids.items():  # a word without its space begins as the word with it
            if "\u0120" + token in ids:
                e[i] = e[ids["\u0120" + token]] + 0.3 * e[i]
    return model


def routed(model):
    """The feed-forward parts that have experts."""
    return [layer.feed_forward for layer in model.model.layers if hasattr(layer.feed_forward, "expert_bias")]


def rotation(lengths, dim, theta):
    """(cos, sin) of every token, whose position counts from the start of its document."""
    position = torch.cat([torch.arange(n) for n in lengths]).float()
    angle = position[:, None] * theta ** (-torch.arange(0, dim, 2).float() / dim)
    return angle.cos(), angle.sin()


def attention(y, s, turn, lengths, w, dim):
    q, k, v = ((y @ w(p.weight).t()).view(1, len(y), -1, dim) for p in (s.q_proj, s.k_proj, s.v_proj))
    group = q.shape[2] // k.shape[2]
    q = Rope.apply(q, s.q_layernorm.weight, *turn)
    k = Rope.apply(k, s.k_layernorm.weight, *turn).repeat_interleave(group, 2)
    v = v.float().repeat_interleave(group, 2)
    documents = zip(*(t.transpose(1, 2).split(lengths, 2) for t in (q, k, v)))
    out = [F.scaled_dot_product_attention(*qkv, is_causal=True).transpose(1, 2) for qkv in documents]
    return torch.cat(out, 1).reshape(len(y), -1).bfloat16() @ w(s.out_proj.weight).t()


def mixture(y, f, w, used, loads):
    """Every expert runs on every token, as one wide product, and counts where the router wants it."""
    score = F.linear(y.float(), f.gate.weight).sigmoid()
    top = (score.detach() + f.expert_bias).topk(used, -1).indices
    on = torch.zeros_like(score).scatter_(-1, top, 1.0)
    if loads is not None:
        loads.append(on.mean(0) / used)
    score = score * on
    score = score / (score.sum(-1, keepdim=True) + 1e-6)
    up, down = w(f.experts.gate_up_proj), w(f.experts.down_proj)
    return Glu.apply(y @ up.flatten(0, 1).t(), score) @ down.transpose(1, 2).flatten(0, 1)


def hidden(model, ids, lengths, loads=None, q4=False):
    """What model.model gives for documents of these lengths that lie one after the other in ids, one row a token.

    q4: with weights rounded to Q4_0.  loads (a list) receives every layer's share of tokens per expert."""
    def w(parameter):
        return Weight.apply(parameter, q4)

    m, cfg = model.model, model.config
    dim = cfg.hidden_size // cfg.num_attention_heads
    turn = rotation(lengths, dim, cfg.rope_parameters["rope_theta"])
    length_tensor, one = torch.tensor(lengths), torch.ones(len(ids), 1)
    x, y = m.embed_tokens(ids), None
    for layer in m.layers:
        x, y = AddNorm.apply(x, y, layer.operator_norm.weight)
        if hasattr(layer, "conv"):
            c = layer.conv
            y = Conv.apply(y @ w(c.in_proj.weight).t(), c.conv.weight, length_tensor) @ w(c.out_proj.weight).t()
        else:
            y = attention(y, layer.self_attn, turn, lengths, w, dim)
        x, y = AddNorm.apply(x, y, layer.ffn_norm.weight)
        f = layer.feed_forward
        if hasattr(f, "experts"):
            y = mixture(y, f, w, cfg.num_experts_per_tok, loads)
        else:
            y = Glu.apply(y @ torch.cat((w(f.w1.weight), w(f.w3.weight))).t(), one) @ w(f.w2.weight).t()
    return AddNorm.apply(x, y, m.embedding_norm.weight)[1]


@torch.no_grad()
def check(model, documents):
    """The fast forward pass must be the reference's, up to bfloat16."""
    expected = torch.cat([model(i[None]).logits[0] for i in documents])
    got = hidden(model, torch.cat(documents), [len(i) for i in documents]).float() @ model.model.embed_tokens.weight.t()
    gap = float((got - expected).norm() / expected.norm())
    print(f"differs from the reference by {gap:.4f}", flush=True)
    assert gap < 0.06
