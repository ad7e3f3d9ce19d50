#!/usr/bin/env python3
"""Makes the data of golden_test.cc: small LFM2 networks, and what the reference says of them.

Reference: Hugging Face transformers (models lfm2, lfm2_moe) in float32 on the CPU, with the weights that the GGUF file
holds, dequantised by gguf-py. The files' metadata and tensor tables are those of llama.cpp's own converter and
llama-quantize, so every mix of types is the real one. Their weights are pseudo-random blocks (random_block below, and
the same in golden_data.cc), so that a file needs no more room here than its head.
llama.txt says how far llama.cpp's own logits lie from the reference: the bar for the error of quantised activations.

Needs transformers, torch, gguf, tokenizers, llama-quantize, and llama_logits.cpp of this folder built.
usage: make_golden.py --out DATA_DIR --work EMPTY_DIR --convert convert_hf_to_gguf.py --convert-path ITS_MODULES
                      --llama-logits PROGRAM
"""
import argparse
import copy
import os
import random
import struct
import subprocess
import sys
from pathlib import Path

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as T
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (Lfm2Config, Lfm2ForCausalLM, Lfm2MoeConfig, Lfm2MoeForCausalLM, PreTrainedTokenizerFast)

TOP = 32
GREEDY = 16
SEED = 20
PROMPTS = (1, 2, 17, 100, 300)
SPECIALS = ["<|pad|>", "<|startoftext|>", "<|endoftext|>", "<|fim_pre|>", "<|fim_mid|>", "<|fim_suf|>", "<|im_start|>",
            "<|im_end|>"]
SPLIT = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
         r"|\s+(?!\S)|\s+")
SENTENCE = "This program is free software: you can redistribute it and/or modify it under the terms of a licence. "

COMMON = dict(bos_token_id=1, eos_token_id=7, pad_token_id=0, conv_L_cache=3, conv_bias=False, norm_eps=1e-5,
              max_position_embeddings=4096)
CONV, ATTENTION = "conv", "full_attention"


def moe():
    return Lfm2MoeForCausalLM(Lfm2MoeConfig(
        **COMMON, vocab_size=601, hidden_size=256, intermediate_size=512, num_attention_heads=4, num_key_value_heads=2,
        moe_intermediate_size=256, num_experts=6, num_experts_per_tok=4, num_dense_layers=1, num_hidden_layers=4,
        layer_types=[CONV, CONV, ATTENTION, CONV], rope_parameters={"rope_type": "default", "rope_theta": 1e6}))


def odd():
    """Sizes that no LFM2 checkpoint has."""
    return Lfm2MoeForCausalLM(Lfm2MoeConfig(
        **COMMON, vocab_size=777, hidden_size=256, intermediate_size=768, num_attention_heads=8, num_key_value_heads=2,
        moe_intermediate_size=512, num_experts=12, num_experts_per_tok=3, num_dense_layers=1, num_hidden_layers=4,
        layer_types=[ATTENTION, CONV, ATTENTION, CONV], rope_parameters={"rope_type": "default", "rope_theta": 5e6}))


def dense():
    return Lfm2ForCausalLM(Lfm2Config(
        **COMMON, vocab_size=601, hidden_size=256, intermediate_size=512, num_attention_heads=4, num_key_value_heads=2,
        num_hidden_layers=4, block_auto_adjust_ff_dim=False, block_multiple_of=256, block_ffn_dim_multiplier=1.0,
        layer_types=[CONV, ATTENTION, CONV, ATTENTION], rope_parameters={"rope_type": "default", "rope_theta": 1e6}))


NETWORKS = {"moe": (moe, ["F16", "Q4_0", "Q4_K_M", "Q5_K_M", "Q6_K", "Q8_0"]),
            "odd": (odd, ["Q4_0", "Q4_1"]),
            "dense": (dense, ["Q4_0", "Q5_0", "BF16"])}


def make_tokenizer(vocabulary):
    tok = Tokenizer(models.BPE(ignore_merges=True))
    tok.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(SPLIT), behavior="isolated", invert=False),
        pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=False)])
    tok.decoder = decoders.ByteLevel()
    text = [f.read_text(encoding="utf-8", errors="ignore") for f in sorted(Path("/usr/share/common-licenses").glob("*"))]
    tok.train_from_iterator(text, trainers.BpeTrainer(
        vocab_size=vocabulary, special_tokens=[AddedToken(s, special=True, normalized=False) for s in SPECIALS],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    tok.post_processor = processors.TemplateProcessing(
        single="<|startoftext|> $A", special_tokens=[("<|startoftext|>", 1)])
    hf = PreTrainedTokenizerFast(tokenizer_object=tok, bos_token="<|startoftext|>", eos_token="<|im_end|>",
                                 pad_token="<|pad|>")
    assert len(hf) == vocabulary, len(hf)
    return hf


# ---- weights: a function of the tensor's index and type. golden_data.cc has the same.

def noise(tensor, count):
    """`count` bytes: SplitMix64 of the tensor's index and the number of the 8-byte word."""
    with np.errstate(over="ignore"):
        x = np.arange(1, (count + 7) // 8 + 1, dtype=np.uint64) + np.uint64((SEED << 56) + (tensor << 40))
        x *= np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x ^= x >> np.uint64(31)
    return np.frombuffer(x.astype("<u8").tobytes(), np.uint8)[:count].copy()


def put_half(blocks, at, mantissa, exponent, sign):
    """Half floats at byte `at` of every block: the mantissa's low 10 bits, +-2^(exponent - 15) * 1.x."""
    bits = (mantissa & 0x3FF) | (exponent << 10) | (sign << 15)
    blocks[:, at] = bits & 0xFF
    blocks[:, at + 1] = bits >> 8


# Bytes of a block; exponent of its scale; whether its scale may be negative; and, where it has a minimum, how many
# powers of two that is above the scale. All weights then have a deviation of about 1/16.
BLOCKS = {T.Q4_0: (18, 8, True, None), T.Q4_1: (20, 8, False, 3), T.Q5_0: (22, 7, True, None),
          T.Q5_1: (24, 7, False, 4), T.Q8_0: (34, 4, False, None), T.Q4_K: (144, 3, False, 3),
          T.Q5_K: (176, 2, False, 4), T.Q6_K: (210, 2, False, None)}


def random_tensor(index, kind, units, centre, scale):
    """The bytes of a tensor of `units` blocks (of elements, for the float types)."""
    if kind == T.F32:
        steps = noise(index, 2 * units).view("<u2").astype(np.int32) - 32768
        return (np.float32(centre) + np.float32(scale) * steps.astype(np.float32)).astype("<f4").tobytes()
    if kind == T.F16:
        raw = noise(index, 2 * units).view("<u2").astype(np.uint32)
        return ((raw & 0x83FF) | (11 - ((raw >> 10) & 3)) << 10).astype("<u2").tobytes()
    if kind == T.BF16:
        raw = noise(index, 2 * units).view("<u2").astype(np.uint32)
        return ((raw & 0x807F) | (123 - ((raw >> 7) & 3)) << 7).astype("<u2").tobytes()
    size, exponent, signed, minimum = BLOCKS[kind]
    b = noise(index, size * units).reshape(units, size)
    at = size - 2 if kind == T.Q6_K else 0
    raw = b[:, at].astype(np.uint32) | b[:, at + 1].astype(np.uint32) << 8
    put_half(b, at, raw, exponent, (raw >> 15) if signed else 0)
    if minimum is not None:  # K-quants subtract it, the others add it
        put_half(b, 2, raw, exponent + minimum, 0 if kind in (T.Q4_K, T.Q5_K) else 1)
    if kind in (T.Q4_K, T.Q5_K):  # every sub-block's minimum like its scale, or it would have a mean far from zero
        b[:, 8:12] = b[:, 4:8]
        b[:, 12:16] = (b[:, 12:16] & 15) * 17
    if kind == T.Q6_K:
        b[:, 192:208] = (b[:, 192:208].view(np.int8) >> 2).view(np.uint8)
    return b.tobytes()


def spread(name):
    """Centre and scale of an F32 tensor's values, scale in steps of 2^-15."""
    if name.endswith("norm.weight"):
        return 1.0, 2.0**-17
    if name.endswith("conv.weight"):
        return 0.0, 2.0**-15
    return 0.0, 2.0**-17 if name.endswith("bias") else 2.0**-18


def with_random_weights(path):
    """Replaces the data of the file; returns its head and the list of its tensors."""
    reader = gguf.GGUFReader(str(path))
    data = bytearray(path.read_bytes())
    start = min(t.data_offset for t in reader.tensors)
    tensors = []
    for index, t in enumerate(reader.tensors):
        units = t.n_bytes // BLOCKS[t.tensor_type][0] if t.tensor_type in BLOCKS else int(t.n_elements)
        entry = (t.data_offset, int(t.tensor_type), units, *spread(t.name))
        new = random_tensor(index, t.tensor_type, *entry[2:])
        assert len(new) == t.n_bytes, t.name
        data[t.data_offset:t.data_offset + len(new)] = new
        tensors.append(entry)
    path.write_bytes(data)
    return bytes(data[:start]), tensors


# ---- the reference

NAMES = {"operator_norm.weight": "attn_norm.weight", "ffn_norm.weight": "ffn_norm.weight",
         "conv.conv.weight": "shortconv.conv.weight", "conv.in_proj.weight": "shortconv.in_proj.weight",
         "conv.out_proj.weight": "shortconv.out_proj.weight", "self_attn.q_proj.weight": "attn_q.weight",
         "self_attn.k_proj.weight": "attn_k.weight", "self_attn.v_proj.weight": "attn_v.weight",
         "self_attn.out_proj.weight": "attn_output.weight", "self_attn.q_layernorm.weight": "attn_q_norm.weight",
         "self_attn.k_layernorm.weight": "attn_k_norm.weight", "feed_forward.w1.weight": "ffn_gate.weight",
         "feed_forward.w2.weight": "ffn_down.weight", "feed_forward.w3.weight": "ffn_up.weight",
         "feed_forward.gate.weight": "ffn_gate_inp.weight", "feed_forward.expert_bias": "exp_probs_b.bias",
         "feed_forward.experts.down_proj": "ffn_down_exps.weight"}


def dequantised(model, path):
    """The network with the weights that the file holds."""
    tensors = {t.name: torch.from_numpy(np.array(gguf.dequantize(t.data, t.tensor_type))).float()
               for t in gguf.GGUFReader(str(path)).tensors}
    new = {}
    for key, value in model.state_dict().items():
        name = key.replace("model.", "", 1)
        if name in ("embed_tokens.weight", "lm_head.weight"):
            source = tensors["token_embd.weight"]
        elif name == "embedding_norm.weight":
            source = tensors["token_embd_norm.weight"]
        else:
            _, layer, rest = name.split(".", 2)
            prefix = f"blk.{layer}."
            if rest == "feed_forward.experts.gate_up_proj":
                source = torch.cat([tensors[prefix + "ffn_gate_exps.weight"], tensors[prefix + "ffn_up_exps.weight"]], 1)
            else:
                source = tensors[prefix + NAMES[rest]]
        new[key] = source.reshape(value.shape)
    model = copy.deepcopy(model)
    model.load_state_dict(new)
    return model.float().eval()


def answers(model, prompts):
    out = []
    with torch.no_grad():
        for ids in prompts:
            logits = model(torch.tensor([ids]), use_cache=False).logits[0].float()
            top = logits.topk(TOP, -1)
            text = model.generate(torch.tensor([ids]), max_new_tokens=GREEDY, do_sample=False, use_cache=True,
                                  eos_token_id=None, pad_token_id=0)[0, len(ids):]
            assert len(text) == GREEDY
            out.append((ids, text.numpy(), torch.logsumexp(logits, -1).numpy(), top.indices.numpy(), top.values.numpy()))
    return out


def kl_positions(top_ids, top_logits, lse, logits):
    """KL(reference || other) at every position, over the reference's likeliest tokens and one bucket for the rest."""
    other = logits.astype(np.float64)
    q = np.take_along_axis(other, top_ids.astype(np.int64), -1) - np.logaddexp.reduce(other, -1)[:, None]
    p = top_logits.astype(np.float64) - lse.astype(np.float64)[:, None]
    p_rest = np.clip(1 - np.exp(p).sum(-1), 1e-12, 1)
    q_rest = np.clip(1 - np.exp(q).sum(-1), 1e-12, 1)
    return (np.exp(p) * (p - q)).sum(-1) + p_rest * np.log(p_rest / q_rest)


def llama_error(program, path, reference, work):
    (work / "ids.txt").write_text("".join(" ".join(map(str, r[0])) + "\n" for r in reference))
    subprocess.run([program, str(path), str(work / "ids.txt"), str(work / "logits")], check=True)
    logits = np.fromfile(work / "logits", np.float32).reshape(sum(len(r[0]) for r in reference), -1)
    kl, at = [], 0
    for ids, _, lse, top_ids, top_logits in reference:
        kl.append(kl_positions(top_ids, top_logits, lse, logits[at:at + len(ids)]))
        at += len(ids)
    return np.concatenate(kl)


def write(path, head, tensors, reference):
    with open(path, "wb") as f:
        f.write(b"LFMGOLD1" + struct.pack("<7I", SEED, len(head), os.path.getsize(path.with_suffix(".gguf")),
                                          len(tensors), len(reference), TOP, GREEDY))
        f.write(head)
        for t in tensors:
            f.write(struct.pack("<3I2f", *t))
        for ids, text, lse, top_ids, top_logits in reference:
            f.write(struct.pack("<I", len(ids)))
            for array, kind in ((ids, "<i4"), (text, "<i4"), (lse, "<f4"), (top_ids, "<i4"), (top_logits, "<f4")):
                f.write(np.asarray(array).astype(kind).tobytes())


CONVERT = r"""
import os, sys
os.environ["NO_LOCAL_GGUF"] = "1"
script, modules = sys.argv[1:3]
sys.argv = ["convert", *sys.argv[3:]]
sys.path.insert(1, modules)
import conversion.base
conversion.base.TextModel.get_vocab_base_pre = lambda self, tokenizer: "lfm2"  # a vocabulary that it has never seen
exec(open(script).read().replace("if __name__ == '__main__':", "if True:"))
"""


def main():
    parser = argparse.ArgumentParser()
    for name in ("out", "work"):
        parser.add_argument("--" + name, type=Path, required=True)
    for name in ("convert", "convert-path", "llama-logits"):
        parser.add_argument("--" + name, required=True)
    options = parser.parse_args()
    out, work = options.out, options.work
    work.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(SEED)
    torch.set_num_threads(2)
    rows = ["# How far llama.cpp's logits lie from the reference: file, KL's mean and median over\n",
            "# all positions, and the mean's standard error (a router that flips near a tie moves the mean)\n"]
    for network, (make, kinds) in NETWORKS.items():
        model = make().float().eval()
        vocabulary = model.config.vocab_size
        tokenizer = make_tokenizer(vocabulary)
        rng = random.Random(SEED)
        prompts = [tokenizer.encode(SENTENCE * 20)[:n] if n in (2, 17, 100) else
                   [1] + [rng.randrange(8, vocabulary) for _ in range(n - 1)] for n in PROMPTS]
        folder, f32 = work / f"{network}-hf", work / f"{network}-f32.gguf"
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        subprocess.run([sys.executable, "-c", CONVERT, options.convert, options.convert_path, str(folder), "--outtype",
                        "f32", "--outfile", str(f32)], check=True, stdout=subprocess.DEVNULL)
        for kind in kinds:
            name = f"{network}-{kind.lower()}"
            path = work / f"{name}.gguf"
            subprocess.run(["llama-quantize", str(f32), str(path), kind], check=True, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
            head, tensors = with_random_weights(path)
            reference = answers(dequantised(model, path), prompts)
            write(work / f"{name}.golden", head, tensors, reference)
            kl = llama_error(options.llama_logits, path, reference, work)
            rows.append(f"{name} {kl.mean():.9f} {np.median(kl):.9f} {kl.std() / len(kl) ** 0.5:.9f}\n")
            print(rows[-1].strip(), "median top-1 margin",
                  np.median(np.concatenate([r[4][:, 0] - r[4][:, 1] for r in reference])), flush=True)
            (out / f"{name}.golden").write_bytes((work / f"{name}.golden").read_bytes())
    (out / "llama.txt").write_text("".join(rows))


if __name__ == "__main__":
    main()
