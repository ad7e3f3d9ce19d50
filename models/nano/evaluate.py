#!/usr/bin/env python3
"""Asks the questions of eval.jsonl, always taking the likeliest token, and prints a table by kind.

usage: evaluate.py reference EVAL HF_DIR          transformers' own class, float32, one question at a time
       evaluate.py llama EVAL MODEL.gguf          llama.cpp (starts llama-server)
       evaluate.py command EVAL -- CMD [ARG...]   CMD with {n} and {text} replaced by the tokens allowed and the prompt
       evaluate.py quick EVAL HF_DIR              all tokens of an answer at once, by the training's forward pass
       evaluate.py router EVAL HF_DIR             share of tokens of every expert of every layer
--sample N takes every N-th question; --show prints the wrong ones.
quick takes seconds: an answer is right when each of its tokens is the likeliest after those before.  No stories, then.
"""
import argparse
import json
import subprocess
import time
import urllib.request

BOS, EOT = "<|startoftext|>", "<|im_end|>"
PORT = 8479


def right(e, text, stopped):
    """Whether an answer (without its end token) is right; stopped: it ended by itself."""
    text, expected = text.strip(), e["expect"]
    if not stopped:
        return False
    if e["match"] == "ends":
        return expected in text
    if e["match"] == "json":
        try:
            return list(json.loads(text).items()) == list(json.loads(expected).items())
        except (ValueError, AttributeError):
            return False
    return text == expected


def until_end(text):
    """(answer, stopped): what comes before the end token, if there is one."""
    return (text.split(EOT)[0], True) if EOT in text else (text, False)


def open_model(path):
    import torch
    from transformers import AutoTokenizer, Lfm2MoeForCausalLM

    model = Lfm2MoeForCausalLM.from_pretrained(path, dtype=torch.float32).eval()
    return torch, AutoTokenizer.from_pretrained(path), model


def reference(exam, path):
    torch, tokenizer, model = open_model(path)
    for e in exam:
        ids = torch.tensor([e["ids"]])
        with torch.no_grad():
            out = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=e["max_tokens"],
                                 do_sample=False, eos_token_id=7, pad_token_id=0)
        yield e, *until_end(tokenizer.decode(out[0, len(e["ids"]):], skip_special_tokens=False))


def quick(exam, path):
    import network

    torch, tokenizer, model = open_model(path)
    for e in exam:
        if e["match"] == "ends":
            continue
        expected = tokenizer.encode(e["expect"] + EOT, add_special_tokens=False)
        ids = torch.tensor((e["ids"] + expected)[:-1])
        with torch.no_grad():
            h = network.hidden(model, ids, [len(ids)])[len(e["ids"]) - 1:]
            said = (h.float() @ model.model.embed_tokens.weight.t()).argmax(-1).tolist()
        yield e, tokenizer.decode(said).removesuffix(EOT), said[-1] == expected[-1]


def post(where, data):
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{PORT}/{where}", json.dumps(data).encode(), headers)
    return json.load(urllib.request.urlopen(request))


def llama(exam, path):
    # one thread: so small a network gains nothing from more
    server = subprocess.Popen(["llama-server", "-m", path, "--port", str(PORT), "-c", "4096", "-np", "1", "-t", "1",
                               "-tb", "1", "--special", "--no-webui"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(120):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{PORT}/health")
                break
            except OSError:
                time.sleep(0.5)
        for e in exam:
            a = post("completion", {"prompt": e["ids"], "n_predict": e["max_tokens"], "temperature": 0, "min_p": 0,
                                    "repeat_penalty": 1, "cache_prompt": False, "return_tokens": True})
            text, stopped = until_end(post("detokenize", {"tokens": a["tokens"]})["content"])
            yield e, text, stopped or a.get("stop_type") == "eos"
    finally:
        server.terminate()
        server.wait()


def command(exam, command_line):
    """The command puts the text's first token in front by itself, and hides its last one."""
    for e in exam:
        filled = {"{n}": str(e["max_tokens"]), "{text}": e["text"].removeprefix(BOS)}
        line = [filled.get(c, c) for c in command_line]
        out = subprocess.run(line, capture_output=True, text=True, check=True).stdout
        yield e, out, len(out) < 3 * e["max_tokens"]  # as long as allowed: it has not stopped by itself


def router(exam, path):
    torch, _, model = open_model(path)
    used, experts = model.config.num_experts_per_tok, model.config.num_experts
    counts = {}

    def hook(layer):
        def count(f, args, out):
            score = (args[0].flatten(0, -2) @ f.gate.weight.T).sigmoid() + f.expert_bias
            counts[layer] = counts.get(layer, 0) + torch.bincount(score.topk(used).indices.flatten(), minlength=experts)
        return count

    for i, layer in enumerate(model.model.layers):
        if hasattr(layer.feed_forward, "expert_bias"):
            layer.feed_forward.register_forward_hook(hook(i))
    for e in exam:
        with torch.no_grad():
            model.model(torch.tensor([e["ids"]]), use_cache=False)
    tokens = sum(len(e["ids"]) for e in exam)
    print(f"share of {tokens} tokens that each expert sees, in % (even: {100 * used / experts:g})")
    for i, c in sorted(counts.items()):
        print(f"layer {i}: " + " ".join(f"{100 * x / tokens:5.1f}" for x in c.tolist()))
    print(f"least {100 * min(c.min().item() for c in counts.values()) / tokens:.1f} %")


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("how", choices=("reference", "quick", "llama", "command", "router"))
    p.add_argument("eval")
    p.add_argument("model", nargs="+", help="HF_DIR, MODEL.gguf, or the command after --")
    p.add_argument("--sample", type=int, default=1)
    p.add_argument("--show", action="store_true")
    return p.parse_args()


def main():
    args = arguments()
    with open(args.eval) as f:
        exam = [json.loads(line) for line in f][:: args.sample]
    ask = {"reference": reference, "quick": quick, "llama": llama, "command": command}
    model = args.model if args.how == "command" else args.model[0]
    if args.how == "router":
        return router(exam, model)
    score, start = {}, time.time()
    for e, text, stopped in ask[args.how](exam, model):
        ok = right(e, text, stopped)
        kind = score.setdefault(e["kind"], [0, 0])
        kind[0] += ok
        kind[1] += 1
        if args.show and not ok:
            print(f"{e['id']}: wanted {e['expect']!r}, got {text!r}{'' if stopped else ' (did not stop)'}", flush=True)
    score["all"] = [sum(s[i] for s in score.values()) for i in (0, 1)]
    for kind, (good, n) in score.items():
        print(f"{kind:18} {good:4} of {n:4}  {100 * good / n:5.1f} %")
    print(f"in {time.time() - start:.0f} s")


main()
