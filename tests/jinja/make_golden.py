"""Writes data/*.jsonl: what Jinja, as transformers sets it up for chat templates, makes of the snippets in snippets.txt and
of the conversations in conversations.json with the templates in templates/. Needs python3-jinja2.   make_golden.py"""
import datetime
import json
import pathlib

import jinja2
from jinja2.ext import Extension
from jinja2.sandbox import ImmutableSandboxedEnvironment

HERE = pathlib.Path(__file__).parent
DATE = datetime.datetime(2026, 3, 14)


class Generation(Extension):
    """{% generation %} marks what an assistant says, and changes nothing in the text."""
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_same"), [], [], body).set_lineno(line)

    def _same(self, caller):
        return caller()


def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


def environment():
    env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True,
                                        extensions=[Generation, "jinja2.ext.loopcontrols"])
    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = DATE.strftime
    return env


def outcome(template, variables):
    """{"text": ...}, or {"fails": True}: what an error says is each program's own."""
    try:
        return {"text": environment().from_string(template).render(**variables)}
    except Exception:
        return {"fails": True}


def write(name, rows):
    (HERE / "data").mkdir(exist_ok=True)
    with open(HERE / "data" / name, "w") as out:
        for row in rows:
            out.write(json.dumps(row, ensure_ascii=False) + "\n")


def snippets():
    """snippets.txt: templates between lines of dashes; all see the variables of snippets.json."""
    variables = json.loads((HERE / "snippets.json").read_text())
    for template in (HERE / "snippets.txt").read_text().split("\n----\n"):
        yield {"template": template, **outcome(template, variables)}


def conversations():
    for path in sorted((HERE / "templates").glob("*.jinja")):
        template = path.read_text()
        for row in json.loads((HERE / "conversations.json").read_text()):
            variables = {"bos_token": "<|startoftext|>", "eos_token": "<|im_end|>", "tools": row.get("tools"),
                         "messages": row["messages"], "add_generation_prompt": row.get("prompt", True), "documents": None}
            if row.get("preserve"):
                variables |= {"preserve_thinking": True, "keep_past_thinking": True}
            yield {"template": path.stem, "conversation": row["name"], **outcome(template, variables)}


if __name__ == "__main__":
    write("snippets.jsonl", snippets())
    write("conversations.jsonl", conversations())
