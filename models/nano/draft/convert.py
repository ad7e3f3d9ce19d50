#!/usr/bin/env python3
"""Trained draft -> GGUF, as llama.cpp's converter writes a DSpark's.

usage: convert.py DRAFT.pt NANO.gguf OUT.gguf [--type F16|Q8_0|Q4_0]
The tokenizer is nano's.  Norms and the confidence head stay F32.
"""
import argparse

import gguf
import torch
from gguf import GGMLQuantizationType as Type
from draft import SHAPE, Draft

TOKENIZER = {"tokens": "add_token_list", "token_type": "add_token_types", "merges": "add_token_merges",
             "bos_token_id": "add_bos_token_id", "eos_token_id": "add_eos_token_id",
             "padding_token_id": "add_pad_token_id", "add_bos_token": "add_add_bos_token"}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("draft")
    p.add_argument("nano")
    p.add_argument("out")
    p.add_argument("--type", default="Q4_0", choices=("F16", "Q8_0", "Q4_0"))
    args = p.parse_args()
    kind, s = Type[args.type], SHAPE
    nano = {name: field.contents() for name, field in gguf.GGUFReader(args.nano).fields.items()}
    w = gguf.GGUFWriter(args.out, "dflash")
    w.add_type("model")
    w.add_name("LFM2 Nano draft")
    w.add_license("apache-2.0")
    w.add_block_count(s["layers"])
    w.add_context_length(nano["lfm2moe.context_length"])
    w.add_embedding_length(s["hidden"])
    w.add_feed_forward_length(s["ffn"])
    w.add_head_count(s["heads"])
    w.add_head_count_kv(s["kv_heads"])
    w.add_key_length(s["dim"])
    w.add_value_length(s["dim"])
    w.add_rope_dimension_count(s["dim"])
    w.add_rope_freq_base(s["base"])
    w.add_layer_norm_rms_eps(s["eps"])
    w.add_block_size(s["block"])
    w.add_target_layers(s["target_layers"])
    w.add_sample_from_anchor(True)
    w.add_has_confidence_head(True)
    w.add_file_type(getattr(gguf.LlamaFileType, f"MOSTLY_{args.type}"))
    w.add_quantization_version(2)
    w.add_tokenizer_model(nano["tokenizer.ggml.model"])
    w.add_tokenizer_pre(nano["tokenizer.ggml.pre"])
    for key, add in TOKENIZER.items():
        getattr(w, add)(nano["tokenizer.ggml." + key])
    w.add_mask_token_id(s["mask"])
    draft = Draft(s, torch.zeros(nano["lfm2moe.vocab_size"], s["hidden"]))
    draft.load_state_dict(torch.load(args.draft)["draft"])
    for key, value in draft.p.items():
        name, value = draft.names[key], value.detach().numpy()
        if value.ndim == 2 and len(value) > 1:
            w.add_tensor(name, gguf.quantize(value, kind), raw_dtype=kind)
        else:
            w.add_tensor(name, value)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


if __name__ == "__main__":
    main()
