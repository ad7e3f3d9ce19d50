"""Writes conversations.json: what the templates in templates/ are tried with.   make_conversations.py"""
import json
import pathlib

TIDES = {"name": "tides", "description": "High and low water of a harbour",
         "parameters": {"type": "object", "properties": {"harbour": {"type": "string"}, "days": {"type": "integer"},
                                                          "unit": {"type": "string", "enum": ["m", "ft"]}},
                        "required": ["harbour"]}}
SHELF = {"type": "function", "function": {
    "name": "shelf.put", "description": "Puts a book on its shelf.\nTwice is once.",
    "parameters": {"type": "object", "properties": {
        "title": {"type": "string"}, "marks": {"type": "array", "items": {"type": "string"}},
        "place": {"type": "object", "properties": {"row": {"type": "integer"}, "side": {"type": "string"}}}}}}}
BARE = {"name": "bare"}


def system(text): return {"role": "system", "content": text}
def user(text): return {"role": "user", "content": text}
def tool(text): return {"role": "tool", "content": text}


def answer(text, thinking=None, calls=None):
    out = {"role": "assistant", "content": text}
    if thinking is not None:
        out["thinking"] = thinking
    if calls:
        out["tool_calls"] = [{"type": "function", "function": {"name": name, "arguments": arguments}}
                             for name, arguments in calls]
    return out


LOOK = answer("", "a table is needed", [("tides", {"harbour": "Ebbing", "days": 2})])
MANY = answer("Two of them.", None, [("shelf.put", {"title": "It's \"old\"\n\\ and wide: é🙂", "marks": ["peat", "it's"]}),
                                      ("tides", {}), ("shelf.put", {"place": {"row": 3, "side": None}, "new": True,
                                                                    "weight": 0.5, "price": 12345678.0, "n": -7})])
ROWS = [
    ("a question", dict(messages=[user("How deep is a fjord?")])),
    ("no answer wanted", dict(messages=[user("How deep?")], prompt=False)),
    ("a system prompt", dict(messages=[system("Answer in one line."), user("How deep?")])),
    ("an empty system prompt", dict(messages=[system(""), user("How deep?")])),
    ("blanks around", dict(messages=[system("  S \n"), user("  How deep? \n\n"), answer("\nDeep.\n"), user(" So? ")])),
    ("two turns", dict(messages=[user("Is 91 prime?"), answer("No."), user("Is 97?")])),
    ("three turns", dict(messages=[user("a"), answer("b"), user("c"), answer("d"), user("e")])),
    ("ends with an answer", dict(messages=[user("a"), answer("b")], prompt=False)),
    ("an answer and a prompt", dict(messages=[user("a"), answer("b")])),
    ("thoughts", dict(messages=[user("Is 91 prime?"), answer("No.", "7 times 13"), user("Is 97?")])),
    ("thoughts kept", dict(messages=[user("a"), answer("b", "one"), user("c"), answer("d", "two"), user("e")], preserve=True)),
    ("two thoughts", dict(messages=[user("a"), answer("b", "one"), user("c"), answer("d", "two\nlines a a"), user("e")])),
    ("thoughts in the text", dict(messages=[user("a"), answer("<think>one</think>\n\nb"), user("c"),
                                            answer("<think>two</think>d"), user("e")])),
    ("thoughts in the text, kept", dict(messages=[user("a"), answer("<think>x</think>\n\nb"), user("c")], preserve=True)),
    ("newest thought", dict(messages=[user("a"), answer("b", "hm")], prompt=False)),
    ("an empty thought", dict(messages=[user("a"), answer("b", ""), user("c")])),
    ("tools", dict(messages=[user("High water?")], tools=[TIDES])),
    ("tools and a system prompt", dict(messages=[system("Be brief."), user("High water?")], tools=[TIDES, SHELF])),
    ("a tool without anything", dict(messages=[user("Do.")], tools=[BARE, SHELF])),
    ("a call", dict(messages=[user("High water?"), LOOK, tool("{\"high\": \"04:10\"}")], tools=[TIDES])),
    ("a call, answered", dict(messages=[user("High water?"), LOOK, tool("04:10"), answer("At ten past four.", "so"),
                                        user("Thanks.")], tools=[TIDES])),
    ("many calls", dict(messages=[user("Sort it."), MANY, tool("done"), tool("none"), tool("done")], tools=[SHELF, TIDES])),
    ("calls without tools", dict(messages=[user("Sort it."), MANY, tool("done")])),
    ("a long result", dict(messages=[user("Read."), LOOK, tool("line\n" * 100), user("And?")], tools=[TIDES])),
    ("spelt like tokens", dict(messages=[system("<|im_end|>"), user("<|im_start|>system\nx<|im_end|>\n<think>"),
                                         answer("<|tool_call_start|>[f()]<|tool_call_end|>"), user("</think>")])),
    ("all scripts", dict(messages=[user("Grüße, 你好 🙂 नमस्ते \u00a0\u2003"), answer("\u200bé\u0301"), user("שלום")])),
    ("code", dict(messages=[user("```py\nif a < b and c > d:\n\tprint('{{ x }} {% y %} {# z #}')\n```"), answer("'\"\\")])),
    ("windows' line ends", dict(messages=[user("a\r\nb\rc"), answer("d\r\n")], prompt=False)),
    ("two system prompts", dict(messages=[system("One."), user("a"), system("Two."), user("b")])),
    ("roles in a row", dict(messages=[user("a"), user("b"), answer("c"), answer("d"), user("e")])),
    ("an empty question", dict(messages=[user("")])),
    ("a long talk", dict(messages=[m for i in range(40) for m in (user(f"Question {i}?"), answer(f"Answer {i}.", f"t{i}"))])),
]

if __name__ == "__main__":
    rows = [{"name": name, **row} for name, row in ROWS]
    path = pathlib.Path(__file__).parent / "conversations.json"
    path.write_text("[" + ",\n ".join(json.dumps(row, ensure_ascii=False) for row in rows) + "]\n")
