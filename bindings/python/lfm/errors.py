"""What can go wrong: a class of exceptions for each kind, most of them also the built-in one that they resemble."""

from __future__ import annotations

from . import _c


class Error(Exception):
    """`kind` is the library's name for it, such as "limit". Where one is to blame, `field` names what it is about,
    `index` the element of it, and `offset` the byte in the file or text; `have` and `limit` are a limit's numbers."""

    kind = "unknown"

    def __init__(self, message: str, *, field: str = "", index: int | None = None, offset: int | None = None,
                 have: int | None = None, limit: int | None = None) -> None:
        super().__init__(message)
        self.field, self.index, self.offset, self.have, self.limit = field, index, offset, have, limit


class FormatError(Error, ValueError):
    """A file's bytes contradict its format, or a text isn't what it should be."""
    kind = "format"


class UnsupportedError(Error, NotImplementedError):
    """Well formed, but not something this library runs."""
    kind = "unsupported"


class LimitError(Error, ValueError):
    """A stated limit, such as the context's length, would be exceeded."""
    kind = "limit"


class IoError(Error, OSError):
    """The operating system refused or failed a read, write or map."""
    kind = "io"


class NoMemoryError(Error, MemoryError):
    """An allocation failed."""
    kind = "no memory"


class ArgumentError(Error, ValueError):
    """An argument that can't be right."""
    kind = "argument"


class StateError(Error, RuntimeError):
    """The call isn't allowed now: the object is closed or in use, or the process is a fork of the one that made it."""
    kind = "state"


class NumericError(Error, ArithmeticError):
    """NaN or infinity where a number was needed."""
    kind = "numeric"


class CancelledError(Error):
    """Somebody asked it to stop."""
    kind = "cancelled"


_BY_CODE = (Error, FormatError, UnsupportedError, LimitError, IoError, NoMemoryError, ArgumentError, StateError,
            NumericError, CancelledError)


def _number(value: int) -> int | None:
    return None if value == _c.NONE else value


def from_c(error: _c.Error) -> Error:
    kind = _BY_CODE[error.code] if error.code < len(_BY_CODE) else Error
    return kind(error.message.decode("utf-8", "replace"), field=error.field.decode("utf-8", "replace"),
                index=_number(error.index), offset=_number(error.offset), have=_number(error.have),
                limit=_number(error.limit))
