"""Whole conversations, and their form as text."""
import json

from .arithmetic import Arithmetic
from .facts import Facts
from .lists import Lists
from .records import Records
from .stories import Stories
from .talk import Talk
from .tools import TOOLS, Tools
from .writer import BOS, EOT

SYSTEM = ["You are a helpful assistant.", "You are Nano, a small assistant.", "Answer briefly.",
          "You are a friendly assistant."]
WEIGHTS = {"arith": 26, "tell": 12, "ask": 18, "ask_unknown": 4, "copy": 7, "reverse": 12, "end_of_list": 2, "json": 8,
           "think": 7, "story_request": 3, "talk": 4, "tool": 1, "ask_story": 0}


class Conversation(Talk, Arithmetic, Facts, Lists, Records, Tools, Stories):
    def mixed(self, length, weights, tools):
        """Exchanges until there are so many characters; the first facts are asked for at the end too.

        weights: of the kinds of exchanges.  tools: how often there are some."""
        if self.r.random() < tools:
            self.set_tools()
            weights = weights | {"tool": 30}
        if self.r.random() < 0.1:
            self.msgs.append(("system", self.r.choice(SYSTEM)))
        if length > 900 or self.r.random() < 0.3:
            self.tell()
        if length > 900:
            self.saved = len(self.facts)
        while True:
            getattr(self, self.r.choices(list(weights), list(weights.values()))[0])()
            if sum(len(text) for _, text in self.msgs) > length:
                break
        for fact in self.facts[: self.saved]:
            self.ask(fact)

    def doubt(self, count):
        """So many questions about facts or tools of which about half were told or listed."""
        if self.r.random() < 0.6:
            self.tell()
            if self.r.random() < 0.3:
                self.arith()
            for _ in range(count):
                self.ask() if self.r.random() < 0.5 else self.ask_unknown()
        else:
            self.set_tools()
            for _ in range(count):
                self.tool(self.r.choice(list(TOOLS)))


def render(msgs, tools=None, generate=False):
    """LFM2's chat template (template.jinja says the same) cut into [context, answer, context, answer, ...]."""
    msgs = list(msgs)
    system = msgs.pop(0)[1] if msgs and msgs[0][0] == "system" else ""
    if tools:
        listed = ", ".join(json.dumps(tool, ensure_ascii=False) for tool in tools)
        system += ("\n" if system else "") + f"List of tools: <|tool_list_start|>[{listed}]<|tool_list_end|>"
    parts, context = [], BOS + (f"<|im_start|>system\n{system}{EOT}\n" if system else "")
    for role, text in msgs:
        context += f"<|im_start|>{role}\n"
        if role == "assistant":
            parts += [context, text + EOT]
            context = "\n"
        elif role == "tool":
            context += f"<|tool_response_start|>{text}<|tool_response_end|>{EOT}\n"
        else:
            context += text + EOT + "\n"
    return parts + ([context + "<|im_start|>assistant\n"] if generate else [])
