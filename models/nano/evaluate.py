#!/usr/bin/env python3
"""Asks the questions of eval.jsonl, always taking the likeliest token, and prints a table by kind.

usage: evaluate.py reference EVAL HF_DIR             transformers' own class, float32, one question at a time
       evaluate.py llama EVAL MODEL.gguf             llama.cpp (starts llama-server)
       evaluate.py command EVAL -- CMD [ARG...]      runs CMD with {n} and {text} replaced by the tokens allowed and the prompt; reads its output
       evaluate.py answers EVAL ANSWERS.jsonl        {"id": ..., "text": ... , "stopped": bool} of each line, from any engine
       evaluate.py router EVAL HF_DIR                share of tokens of every expert of every layer
--sample N takes every N-th question; --save FILE writes the answers; --show prints the wrong ones.
The prompts begin with <|startoftext|>: an engine that adds this token by itself must not add it twice.
"""
import argparse, json, re, subprocess, sys, time, urllib.request

EOT = "<|im_end|>"

def right(e, text, stopped=True):
    """Whether an answer (without its end token) is right; stopped: it ended by itself."""
    text, want = text.strip(), e["expect"]
    if e["match"] == "ends": return stopped and want in text
    if not stopped: return False
    if e["match"] == "json":
        try: return list(json.loads(text).items()) == list(json.loads(want).items())
        except (ValueError, AttributeError): return False
    return {"exact": text == want, "contains": want in text, "prefix": text.startswith(want)}[e["match"]]

def until_end(text):
    """(answer, stopped): what comes before the end token, if there is one."""
    return (text.split(EOT)[0], True) if EOT in text else (text, False)

def reference(exam, path):
    import torch
    from transformers import AutoTokenizer, Lfm2MoeForCausalLM
    tok, model = AutoTokenizer.from_pretrained(path), Lfm2MoeForCausalLM.from_pretrained(path, dtype=torch.float32).eval()
    for e in exam:
        with torch.no_grad():
            ids = model.generate(torch.tensor([e["ids"]]), attention_mask=torch.ones(1, len(e["ids"]), dtype=torch.long), max_new_tokens=e["max_tokens"], do_sample=False, eos_token_id=7, pad_token_id=0)[0, len(e["ids"]):]
        yield e, *until_end(tok.decode(ids, skip_special_tokens=False))

def llama(exam, path, port=8479):
    # one thread: so small a network gains nothing from more, and on a busy machine they wait for each other
    server = subprocess.Popen(["llama-server", "-m", path, "--port", str(port), "-c", "4096", "-np", "1", "-t", "1", "-tb", "1", "--special", "--no-webui"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    def post(where, data):
        r = urllib.request.Request(f"http://127.0.0.1:{port}/{where}", json.dumps(data).encode(), {"Content-Type": "application/json"})
        return json.load(urllib.request.urlopen(r))
    try:
        for _ in range(120):
            try: urllib.request.urlopen(f"http://127.0.0.1:{port}/health"); break
            except OSError: time.sleep(0.5)
        for e in exam:
            a = post("completion", {"prompt": e["ids"], "n_predict": e["max_tokens"], "temperature": 0, "cache_prompt": False, "return_tokens": True})
            ids = a["tokens"]
            text, stopped = until_end(post("detokenize", {"tokens": ids})["content"])
            yield e, text, stopped or a.get("stop_type") == "eos"
    finally:
        server.terminate(); server.wait()

def command(exam, cmd):
    for e in exam:
        out = subprocess.run([c.replace("{n}", str(e["max_tokens"])).replace("{text}", e["text"]) for c in cmd], capture_output=True, text=True).stdout
        text, stopped = until_end(out.removeprefix(e["text"]))
        yield e, text, stopped or len(text) < 3 * e["max_tokens"]       # a program that hides its end token has stopped early

def answers(exam, path):
    said = {a["id"]: a for a in map(json.loads, open(path))}
    for e in exam:
        a = said.get(e["id"], {"text": "", "stopped": False}); text, stopped = until_end(a["text"])
        yield e, text, stopped or a.get("stopped", True)

def router(exam, path):
    import torch
    from transformers import AutoTokenizer, Lfm2MoeForCausalLM
    model = Lfm2MoeForCausalLM.from_pretrained(path, dtype=torch.float32).eval(); n, tokens = {}, 0
    def hook(i):
        def f(mod, args, out):
            top = (args[0].reshape(-1, args[0].shape[-1]) @ mod.gate.weight.T).sigmoid().add(mod.expert_bias).topk(model.config.num_experts_per_tok, -1).indices
            n[i] = n.get(i, 0) + torch.bincount(top.flatten(), minlength=model.config.num_experts)
        return f
    for i, l in enumerate(model.model.layers):
        if hasattr(l.feed_forward, "expert_bias"): l.feed_forward.register_forward_hook(hook(i))
    for e in exam:
        with torch.no_grad(): model.model(torch.tensor([e["ids"]]), use_cache=False)
        tokens += len(e["ids"])
    print(f"share of {tokens} tokens that each expert sees, in % (even: {100 * model.config.num_experts_per_tok / model.config.num_experts:g})")
    for i, c in sorted(n.items()): print(f"layer {i}: " + " ".join(f"{100 * x / tokens:5.1f}" for x in c.tolist()))
    print(f"least {100 * min(c.min().item() for c in n.values()) / tokens:.1f} %")

def main():
    argv, cmd = sys.argv[1:], None
    if "--" in argv: i = argv.index("--"); argv, cmd = argv[:i], argv[i + 1:]
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("how", choices=("reference", "llama", "command", "answers", "router")); p.add_argument("eval"); p.add_argument("path", nargs="?")
    p.add_argument("--sample", type=int, default=1); p.add_argument("--save"); p.add_argument("--show", action="store_true")
    a = p.parse_args(argv)
    exam = [json.loads(l) for l in open(a.eval)][::a.sample]
    if a.how == "router": return router(exam, a.path)
    score, start, save = {}, time.time(), open(a.save, "w") if a.save else None
    for e, text, stopped in globals()[a.how](exam, cmd or a.path):
        ok = right(e, text, stopped); s = score.setdefault(e["kind"], [0, 0]); s[0] += ok; s[1] += 1
        if save: save.write(json.dumps({"id": e["id"], "text": text, "stopped": stopped, "right": ok}) + "\n")
        if a.show and not ok: print(f"{e['id']}: wanted {e['expect']!r}, got {text!r}{'' if stopped else ' (did not stop)'}", flush=True)
    for k, (r, n) in score.items(): print(f"{k:18} {r:4} of {n:4}  {100 * r / n:5.1f} %")
    r, n = (sum(s[i] for s in score.values()) for i in (0, 1))
    print(f"{'all':18} {r:4} of {n:4}  {100 * r / n:5.1f} %   ({time.time() - start:.0f} s)")

main()
