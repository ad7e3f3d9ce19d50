#!/usr/bin/env python3
"""Measures and plots how fast a model speaks as its context grows: speed.py MODEL.gguf [TOKENS] [PLOT.png]

The plot is drawn by matplotlib where that is installed and a file is named, and of characters otherwise."""

import sys
import time

import lfm

STEP = 32  # tokens between two points


def measure(engine: lfm.Engine, tokens: int) -> list[tuple[int, float]]:
    session = engine.session(context_tokens=tokens + STEP)
    session.sync(engine.tokenizer.encode("Once upon a time"))
    points = []
    while len(session.tokens) + STEP <= tokens:
        begin = time.perf_counter()
        said = session.generate(max_tokens=STEP, ignore_end=True, sampling=lfm.Sampling(seed=1)).tokens
        points.append((len(session.tokens), said / (time.perf_counter() - begin)))
    return points


def draw(points: list[tuple[int, float]]) -> None:
    most = max(speed for _, speed in points)
    for context, speed in points:
        print(f"{context:7} tokens {'#' * round(50 * speed / most):50} {speed:8.1f} t/s")


def main() -> int:
    if not 2 <= len(sys.argv) <= 4:
        print(__doc__, file=sys.stderr)
        return 2
    engine = lfm.Engine(sys.argv[1])
    points = measure(engine, int(sys.argv[2]) if len(sys.argv) > 2 else 512)
    if len(sys.argv) < 4:
        draw(points)
        return 0
    from matplotlib import pyplot
    pyplot.plot(*zip(*points), marker=".")
    pyplot.xlabel("tokens of context")
    pyplot.ylabel("tokens/s")
    pyplot.ylim(bottom=0)
    pyplot.title(engine.info.name)
    pyplot.savefig(sys.argv[3])
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (lfm.Error, OSError) as error:
        sys.exit(str(error))
