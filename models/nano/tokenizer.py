#!/usr/bin/env python3
"""Trains the byte-level BPE tokenizer on the first lines of the training text.   usage: tokenizer.py TRAIN.jsonl OUT_DIR"""
import json, re, sys
from itertools import islice
from pathlib import Path
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast
import generate

VOCAB = 1536               # of the byte-pair encoding; the words below come on top
SPECIALS = ["<|pad|>", "<|startoftext|>", "<|endoftext|>", "<|fim_pre|>", "<|fim_mid|>", "<|fim_suf|>", "<|im_start|>", "<|im_end|>",
            "<|tool_list_start|>", "<|tool_list_end|>", "<|tool_call_start|>", "<|tool_call_end|>", "<|tool_response_start|>", "<|tool_response_end|>"]
THINK = ["<think>", "</think>"]     # added tokens, but text and not control, as in LFM2
SPLIT = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"

def pre(split):
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(split), behavior="isolated", invert=False),
                                    pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=False)])

def text(path):
    marks = re.compile("|".join(map(re.escape, SPECIALS + THINK)))
    with open(path) as f:
        for line in islice(f, 20000): yield from marks.split("".join(json.loads(line)["parts"]))

def add_words(j):
    """The generator's own words also without a leading space, as they stand in lists, JSON and calls: found whole, since ignore_merges is on.

    Spelt in two or three tokens they would have to be learnt one by one."""
    vocab = j["model"]["vocab"]
    for w in sorted({*generate.NAMES, *generate.PETS, *generate.CITIES, *generate.JOBS, *generate.WORDS, *generate.ROOMS, *generate.THINGS, *generate.ANIMALS, *generate.FOODS, *generate.COLORS}):
        if w not in vocab and "\u0120" + w in vocab: vocab[w] = len(vocab)

def main(data, out):
    tok = Tokenizer(models.BPE(ignore_merges=True))
    # Learnt with single digits, so that no merge joins two of them: arithmetic is much easier then.  Used with LFM2's split.
    tok.pre_tokenizer = pre(SPLIT.replace(r"\p{N}{1,3}", r"\p{N}"))
    tok.train_from_iterator(text(data), trainers.BpeTrainer(vocab_size=VOCAB, special_tokens=[AddedToken(s, special=True, normalized=False) for s in SPECIALS + THINK],
                            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    tok.pre_tokenizer, tok.decoder = pre(SPLIT), decoders.ByteLevel()
    tok.post_processor = processors.TemplateProcessing(single="<|startoftext|> $A", special_tokens=[("<|startoftext|>", 1)])
    j = json.loads(tok.to_str()); add_words(j)
    for t in j["added_tokens"]: t["special"] = t["content"] not in THINK
    hf = PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_str(json.dumps(j)), bos_token="<|startoftext|>", eos_token="<|im_end|>", pad_token="<|pad|>",
                                 chat_template=(Path(__file__).parent / "template.jinja").read_text())
    assert [hf.convert_tokens_to_ids(s) for s in SPECIALS] == list(range(14))
    hf.save_pretrained(out)
    n = [len(hf.encode("".join(json.loads(l)["parts"]), add_special_tokens=False)) for l in islice(open(data), 2000)]
    print(len(hf), "tokens; tokens of a line: mean", sum(n) / len(n), "most", max(n))

if __name__ == "__main__": main(*sys.argv[1:])
