#!/usr/bin/env python3
"""Reads facts out of texts, as JSON of a schema: extract.py MODEL.gguf SCHEMA.json < TEXTS, one a line."""

import json
import sys

import lfm


def main() -> int:
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    with open(sys.argv[2], encoding="utf-8") as file:
        constraint = lfm.Constraint.json_schema(file.read())
    engine = lfm.Engine(sys.argv[1])
    chat, session = engine.chat(), engine.session()
    ask = lfm.Message("system", "Answer with what the text says, as JSON.")
    for line in sys.stdin:
        answer = chat.answer(session, [ask, lfm.Message("user", line.strip())], constraint=constraint,
                             sampling=lfm.Sampling(temperature=0), max_tokens=500)
        if answer.finish.reason != lfm.FinishReason.END:
            print(f"{line.strip()!r}: {answer.finish}", file=sys.stderr)
            continue
        print(json.dumps(json.loads(answer.text), ensure_ascii=False), flush=True)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (lfm.Error, OSError) as error:
        sys.exit(str(error))
