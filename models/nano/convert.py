#!/usr/bin/env python3
"""Checkpoint -> GGUF: F16, Q8_0 and the shipped Q4_0, by llama.cpp's own converter and llama-quantize.

usage: convert.py HF_DIR OUT_DIR [--scripts DIR] [--lib DIR]
Writes OUT_DIR/lfm2-nano-{f16,q8_0,q4_0}.gguf.  The defaults are where Debian's llama.cpp-tools puts the converter.
"""
import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

# The converter knows a tokenizer by a checksum of what it does; ours is new to it, but splits text as LFM2's does.
RUN = """
import os, sys
os.environ["NO_LOCAL_GGUF"] = "1"
sys.path.insert(1, {lib!r})
import conversion.base as b
b.TextModel.get_vocab_base_pre = lambda self, t: "lfm2"
exec(open({script!r}).read().replace("if __name__ == '__main__':", "if True:"))
"""
# The converter reads name and licence from here.
CARD = """---
license: apache-2.0
language: [en]
model_name: LFM2 Nano
pipeline_tag: text-generation
---
A very small LFM2-MoE network trained on generated text.
"""
SAMPLING = {"temperature": 0.0, "min_p": 0.0, "repetition_penalty": 1.0}  # greedy: its answers repeat what it was told


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("hf", type=Path)
    p.add_argument("out", type=Path)
    p.add_argument("--scripts", default="/usr/share/doc/llama.cpp-tools/scripts")
    p.add_argument("--lib", default="/usr/share/llama.cpp/llama.cpp-tools")
    args = p.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as t:
        source, run, full = Path(t) / "lfm2-nano", Path(t) / "run.py", Path(t) / "f32.gguf"
        shutil.copytree(args.hf, source, ignore=shutil.ignore_patterns("state.pt"))
        (source / "README.md").write_text(CARD)
        (source / "generation_config.json").write_text(json.dumps(SAMPLING))
        run.write_text(RUN.format(lib=args.lib, script=args.scripts + "/convert_hf_to_gguf.py"))
        convert = [sys.executable, run, source, "--outtype", "f32", "--model-name", "LFM2 Nano", "--outfile", full]
        subprocess.run(convert, check=True, capture_output=True)
        for kind in ("F16", "Q8_0", "Q4_0"):
            file = args.out / f"lfm2-nano-{kind.lower()}.gguf"
            subprocess.run(["llama-quantize", full, file, kind], check=True, capture_output=True)
            print(file, file.stat().st_size)


main()
