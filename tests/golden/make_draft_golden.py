#!/usr/bin/env python3
"""Makes data/draft.golden of draft_test.cc: a small draft network beside the network of moe-f16.golden, and what
draft_reference.py says that it proposes.

Its tensors are pseudo-random like those of make_golden.py; the matrices F16, and what stands behind the head F32, large
enough to change what is proposed.
usage: make_draft_golden.py DATA_DIR EMPTY_DIR [LLAMA_DRAFT]     LLAMA_DRAFT: llama_draft.cpp of this folder, built
"""
import struct
import subprocess
import sys
from pathlib import Path

import gguf
import make_golden
import numpy as np
from draft_reference import Draft, Target

HIDDEN, FFN, HEADS, KV_HEADS, DIM, RANK, BLOCK, MASK = 256, 512, 8, 2, 32, 32, 9, 4
TARGET_LAYERS = [1, 3, 2]  # in no order: concatenated as they are written
LAYERS = 2
ANCHORS = 24  # of which the one is taken whose proposals are least near to any other


def golden_file(data, path):
    """Writes the network of a golden file; returns its prompts and their greedy tokens."""
    raw = data.read_bytes()
    seed, head, size, tensors, prompts, top, greedy = struct.unpack_from("<7I", raw, 8)
    assert raw[:8] == b"LFMGOLD1" and seed == make_golden.SEED
    at, model = 36, bytearray(size)
    model[:head] = raw[at:at + head]
    at += head
    for index in range(tensors):
        offset, kind, units, centre, scale = struct.unpack_from("<3I2f", raw, at)
        at += 20
        new = make_golden.random_tensor(index, gguf.GGMLQuantizationType(kind), units, centre, scale)
        model[offset:offset + len(new)] = new
    path.write_bytes(model)
    out = []
    for _ in range(prompts):
        count, = struct.unpack_from("<I", raw, at)
        ids = np.frombuffer(raw, "<i4", count, at + 4)
        out.append((ids, np.frombuffer(raw, "<i4", greedy, at + 4 + 4 * count)))
        at += 4 + 4 * count + 4 * greedy + 4 * count + 8 * count * top
    assert at == len(raw)
    return out


def draft_file(path, target):
    """A draft whose tensors are zeros."""
    w = gguf.GGUFWriter(str(path), "dflash")
    w.add_block_count(LAYERS)
    w.add_context_length(4096)
    w.add_embedding_length(HIDDEN)
    w.add_feed_forward_length(FFN)
    w.add_head_count(HEADS)
    w.add_head_count_kv(KV_HEADS)
    w.add_key_length(DIM)
    w.add_value_length(DIM)
    w.add_rope_dimension_count(DIM)
    w.add_rope_freq_base(10000.0)
    w.add_layer_norm_rms_eps(1e-5)
    w.add_block_size(BLOCK)
    w.add_target_layers(TARGET_LAYERS)
    w.add_sample_from_anchor(True)
    w.add_has_confidence_head(True)
    w.add_tokenizer_model("gpt2")
    w.add_tokenizer_pre("lfm2")
    w.add_token_list(target.fields["tokenizer.ggml.tokens"])
    w.add_token_types(target.fields["tokenizer.ggml.token_type"])
    w.add_token_merges(target.fields["tokenizer.ggml.merges"])
    w.add_mask_token_id(MASK)

    def tensor(name, *shape):
        matrix = len(shape) == 2 and not name.startswith(("markov", "conf"))
        w.add_tensor(name, np.zeros(shape, np.float16 if matrix else np.float32))

    vocabulary, wide = len(target.embedding), HEADS * DIM
    tensor("fc.weight", HIDDEN, len(TARGET_LAYERS) * HIDDEN)
    tensor("enc.output_norm.weight", HIDDEN)
    tensor("output_norm.weight", HIDDEN)
    for i in range(LAYERS):
        p = f"blk.{i}."
        tensor(p + "attn_norm.weight", HIDDEN)
        tensor(p + "attn_q.weight", wide, HIDDEN)
        tensor(p + "attn_k.weight", KV_HEADS * DIM, HIDDEN)
        tensor(p + "attn_v.weight", KV_HEADS * DIM, HIDDEN)
        tensor(p + "attn_output.weight", HIDDEN, wide)
        tensor(p + "attn_q_norm.weight", DIM)
        tensor(p + "attn_k_norm.weight", DIM)
        tensor(p + "ffn_norm.weight", HIDDEN)
        tensor(p + "ffn_gate.weight", FFN, HIDDEN)
        tensor(p + "ffn_up.weight", FFN, HIDDEN)
        tensor(p + "ffn_down.weight", HIDDEN, FFN)
    tensor("markov_w1.weight", vocabulary, RANK)
    tensor("markov_w2.weight", vocabulary, RANK)
    tensor("conf_proj.weight", 1, HIDDEN + RANK)
    tensor("conf_proj.bias", 1)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def spread(name):
    if name.startswith("markov"):
        return 0.0, 2.0**-15 if "w1" in name else 2.0**-17
    return (0.0, 2.0**-18) if name == "conf_proj.weight" else make_golden.plain_spread(name)


def compare(program, work, cases):
    """How far llama.cpp, whose products with F16 are in F16, is from the reference."""
    (work / "cases.txt").write_text("".join(f"{anchor} {' '.join(map(str, ids))}\n" for ids, anchor, *_ in cases))
    files = (work / name for name in ("moe-f16.gguf", "draft.gguf", "cases.txt", "llama.f32"))
    subprocess.run([program, *files], check=True)
    theirs = np.fromfile(work / "llama.f32", np.float32).reshape(len(cases), -1).astype(np.float64)
    for (ids, _, rows, tokens, confidences), said in zip(cases, theirs):
        logits, sure = said[:rows.size].reshape(rows.shape), said[rows.size:]
        p, q = (x - np.logaddexp.reduce(x, -1)[:, None] for x in (rows, logits))
        print(f"{len(ids)} tokens: llama.cpp {'agrees' if (logits.argmax(-1) == tokens).all() else 'DIFFERS'}, "
              f"KL {(np.exp(p) * (p - q)).sum(-1).max():.2e} at most, confidences {abs(sure - confidences).max():.1e}")


def main(data, work, program=None):
    work.mkdir(parents=True, exist_ok=True)
    prompts = golden_file(data / "moe-f16.golden", work / "moe-f16.gguf")
    target = Target(work / "moe-f16.gguf")
    draft_file(work / "draft.gguf", target)
    make_golden.plain_spread, make_golden.spread = make_golden.spread, spread
    head, tensors = make_golden.with_random_weights(work / "draft.gguf")
    draft = Draft(work / "draft.gguf", target)
    sizes = (len(head), (work / "draft.gguf").stat().st_size, len(tensors), len(prompts), draft.block_size,
             len(target.embedding), len(TARGET_LAYERS) * HIDDEN, HIDDEN)
    out = [b"LFMDRAF1" + struct.pack("<9I", make_golden.SEED, *sizes), head]
    out += [struct.pack("<3I2f", *t) for t in tensors]
    cases = []
    for ids, greedy in prompts:
        entering, logits = target.read(ids)
        assert logits[-1].argmax() == greedy[0]
        taps = draft.taps(entering)
        context, tried = draft.context(taps), []
        for anchor in range(100, 100 + ANCHORS):
            y = draft.block(context, anchor)
            best = np.sort(draft.propose(y, anchor)[1], -1)
            tried.append(((best[:, -1] - best[:, -2]).min(), anchor, y))
        margin, anchor, y = max(tried, key=lambda t: t[0])
        base, rows, tokens, confidences = draft.propose(y, anchor)
        cases.append((ids, anchor, rows, tokens, confidences))
        moved = sum(int(b.argmax()) != t for b, t in zip(base, tokens))
        behind = max(int((b > b[t]).sum()) for b, t in zip(base, tokens))
        print(f"{len(ids)} tokens, then {anchor}: {tokens}, least margin {margin:.4f}, {moved} moved "
              f"by the token before from place {behind} at most, "
              f"confidences {confidences.min():.3f} to {confidences.max():.3f}")
        out.append(struct.pack("<2I", len(ids), anchor))
        out += [np.asarray(array).astype("<i4").tobytes() for array in (ids, tokens)]
        out += [array.astype("<f4").tobytes() for array in (confidences, taps[-1], y, base)]
    (data / "draft.golden").write_bytes(b"".join(out))
    print((data / "draft.golden").stat().st_size, "bytes")
    if program:
        compare(program, work, cases)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
