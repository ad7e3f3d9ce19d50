#!/usr/bin/env python3
"""Trains the byte-level BPE tokenizer on the training text.   usage: tokenizer.py TRAIN.jsonl OUT_DIR"""
import json
import re
import sys
from pathlib import Path

from text import words
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

EVERY = 8  # line is learnt from
VOCABULARY = 1536  # of the byte-pair encoding; the words below come on top
SPECIALS = ["<|pad|>", "<|startoftext|>", "<|endoftext|>", "<|fim_pre|>", "<|fim_mid|>", "<|fim_suf|>", "<|im_start|>",
            "<|im_end|>", "<|tool_list_start|>", "<|tool_list_end|>", "<|tool_call_start|>", "<|tool_call_end|>",
            "<|tool_response_start|>", "<|tool_response_end|>"]
THINK = ["<think>", "</think>"]  # added tokens, but text and not control, as in LFM2
SPLIT = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
         r"|\s+(?!\S)|\s+")


def pre_tokenizer(split):
    bytes_ = pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=False)
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(split), behavior="isolated", invert=False), bytes_])


def texts(path):
    marks = re.compile("|".join(map(re.escape, SPECIALS + THINK)))
    with open(path) as f:
        for i, line in enumerate(f):
            if i % EVERY == 0:
                yield from marks.split("".join(json.loads(line)["parts"]))


def add_words(vocabulary):
    """The text's own words also without a leading space, as they stand in lists, JSON and calls.

    They are found whole, since ignore_merges is on.  In two or three tokens each would have to be learnt by itself."""
    lists = (words.NAMES, words.PETS, words.CITIES, words.JOBS, words.WORDS, words.ROOMS, words.THINGS, words.ANIMALS,
             words.FOODS, words.COLORS)
    for word in sorted(set().union(*lists)):
        if word not in vocabulary and "\u0120" + word in vocabulary:
            vocabulary[word] = len(vocabulary)


def main(data, out):
    tok = Tokenizer(models.BPE(ignore_merges=True))
    # Learnt with single digits, so that no merge joins two: that makes arithmetic much easier.  Used with LFM2's split.
    tok.pre_tokenizer = pre_tokenizer(SPLIT.replace(r"\p{N}{1,3}", r"\p{N}"))
    specials = [AddedToken(s, special=True, normalized=False) for s in SPECIALS + THINK]
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=specials, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tok.train_from_iterator(texts(data), trainer)
    tok.pre_tokenizer, tok.decoder = pre_tokenizer(SPLIT), decoders.ByteLevel()
    tok.post_processor = processors.TemplateProcessing(single="<|startoftext|> $A",
                                                       special_tokens=[("<|startoftext|>", 1)])
    j = json.loads(tok.to_str())
    add_words(j["model"]["vocab"])
    for token in j["added_tokens"]:
        token["special"] = token["content"] not in THINK
    template = (Path(__file__).parent / "template.jinja").read_text()
    hf = PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_str(json.dumps(j)), chat_template=template,
                                 bos_token="<|startoftext|>", eos_token="<|im_end|>", pad_token="<|pad|>")
    assert [hf.convert_tokens_to_ids(s) for s in SPECIALS] == list(range(14))
    hf.save_pretrained(out)
    print(len(hf), "tokens")


if __name__ == "__main__":
    main(*sys.argv[1:])
