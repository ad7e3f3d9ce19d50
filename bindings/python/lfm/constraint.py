"""What an answer may be: JSON of a schema, the texts of a regular expression, calls of tools."""

from __future__ import annotations

import ctypes
import json
from typing import TYPE_CHECKING, Any, Mapping, Sequence

from . import _c
from ._handle import Handle, call

if TYPE_CHECKING:
    from .engine import Engine


def json_text(value: Any) -> bytes:
    """JSON as it is given, or a value to be written as such."""
    return value.encode() if isinstance(value, str) else json.dumps(value, ensure_ascii=False).encode()


class Constraint:
    """Held to while the model speaks, so that the answer can't be anything else. For any number of generations and
    threads. docs/structured-output.md lists what schemas may have."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    @staticmethod
    def json_schema(schema: str | Mapping[str, Any] | bool, *, formats_by_draft: bool = False) -> Constraint:
        """What can't be held to is an UnsupportedError; its field is the JSON pointer to it. formats_by_draft: "format"
        says nothing where the draft that the schema names has it so."""
        make = "lfm_constraint_from_json_schema" + ("_by_draft" if formats_by_draft else "")
        return Constraint(Handle("lfm_constraint_free", make, json_text(schema)))

    @staticmethod
    def regex(pattern: str) -> Constraint:
        """Texts that match a regular expression of ECMA-262 from end to end."""
        return Constraint(Handle("lfm_constraint_free", "lfm_constraint_from_regex", pattern.encode()))

    @staticmethod
    def tools(tools: str | Sequence[Mapping[str, Any]], *, choice: str = "required", only: str | None = None,
              single: bool = False, text: bool = False, json_form: bool = False) -> Constraint:
        """Calls of tools, which are as in Chat(). choice: "auto" (calls may come), "required" or "none"."""
        if choice not in ("auto", "required", "none"):
            raise ValueError(f'choice is "auto", "required" or "none", not {choice!r}')
        options = _c.ToolConstraint(optional=choice == "auto", none=choice == "none", single=single, text=text,
                                    json_form=json_form, only=only.encode() if only is not None else None)
        return Constraint(Handle("lfm_constraint_free", "lfm_constraint_from_tools", json_text(tools),
                                 ctypes.byref(options)))

    @staticmethod
    def either(calls: Constraint, answer: Constraint) -> Constraint:
        """Calls, of tools(choice="auto"), or an answer that makes none, of json_schema() or regex()."""
        return Constraint(Handle("lfm_constraint_free", "lfm_constraint_either", calls._handle.pointer,
                                 answer._handle.pointer))

    def prepare(self, engine: Engine) -> None:
        """Makes now what the first generation with it would make otherwise."""
        call("lfm_constraint_prepare", self._handle.pointer, engine._handle.pointer)

    def check(self, text: str) -> int | None:
        """None where the text is one of those; else the offset of its first byte in UTF-8 that can't be."""
        data = text.encode()
        allowed, offset = ctypes.c_bool(), ctypes.c_size_t()
        call("lfm_constraint_check", self._handle.pointer, data, len(data), ctypes.byref(allowed),
             ctypes.byref(offset))
        return None if allowed.value else offset.value
