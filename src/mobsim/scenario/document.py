"""Reading YAML 1.2 safely: plain data, the line of every value, the comment of every line.

A scenario file may come from anybody. It is read event by event, so that a file that is too big, too deep, or
that expands without end through its anchors is refused before it costs anything. There are no tags and no
objects: words, numbers, true and false, lists and mappings.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from mobsim.errors import ScenarioError
from mobsim.scenario.faults import Fault, InvalidScenario, Path, shown, text_of

MOST_BYTES = 1_000_000
MOST_DEPTH = 20
MOST_ALIASES = 100
MOST_VALUES = 50_000

_WHOLE = re.compile(r"[-+]?[0-9]+")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_A_NUMBER = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_LONG_MARK = re.compile(r"[!&*]\S{300}")
_LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_NULLS = ("", "~", "null", "Null", "NULL")
_TRUTHS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}


@dataclass
class Document:
    """What a file says, and where.

    data : the mapping at the top, as plain dicts, lists and scalars.
    file : name as the user gave it, empty if there is none.
    folder : where files that the scenario names are looked for.
    lines : line, from 1, of each value's key, or of the value itself in a list.
    comments : text of the comment on a line, without its sign.
    """

    data: dict[str, Any]
    file: str = ""
    folder: FilePath | None = None
    lines: dict[Path, int] = field(default_factory=dict)
    comments: dict[int, str] = field(default_factory=dict)

    def line(self, path: Path) -> int:
        """Return the line of a value, or of the nearest block of the file around it; 0 if there is none."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return 0

    def fault(self, path: Path, sentence: str) -> Fault:
        """Return a fault at a place.

        Parameters
        ----------
        path : the place.
        sentence : what to say about it.
        """
        return Fault(self.line(path), sentence)


def read_document(path: str | FilePath) -> Document:
    """Read a scenario file.

    Parameters
    ----------
    path : the file.

    Raises
    ------
    ScenarioError
        if the file is not there, cannot be read, or is not one mapping of plain YAML.
    """
    file = str(path)
    text = read_text(FilePath(path), file)
    document = _Composer(file, text).document()
    document.folder = FilePath(path).absolute().parent
    return document


def read_text(path: FilePath, file: str) -> str:
    """Read a small text file or say in one sentence why not.

    Parameters
    ----------
    path : where it is.
    file : how to name it in the sentence.
    """
    try:
        if path.is_dir():
            raise ScenarioError(f"{file} is a folder; allowed: a scenario file")
        if not path.exists():
            raise ScenarioError(
                f"{file} is not there; allowed: a scenario file, or a name that `mobsim scenarios` lists"
            )
        if not path.is_file():
            raise ScenarioError(f"{file} is not a regular file; allowed: a scenario file")
        with path.open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ScenarioError(f"{file} cannot be read: {reason}; allowed: a readable scenario file") from None
    if len(content) > MOST_BYTES:
        raise ScenarioError(
            f"{file} is larger than {MOST_BYTES:,} bytes; allowed: at most that; people and ties belong "
            "in CSV files"
        )
    if b"\0" in content:
        raise ScenarioError(f"{file} is a binary file; allowed: text in UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InvalidScenario(file, [Fault(line, "a byte is not UTF-8; allowed: text in UTF-8")]) from None


class _Composer:
    """Builds a Document from YAML events, counting what it builds."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text
        self.lines: dict[Path, int] = {}
        self.text_ends: dict[int, int] = {}  # line -> column where its last value ends
        self.anchors: dict[str, tuple[Any, int]] = {}
        self.values = 0
        self.aliases = 0

    def document(self) -> Document:
        from ruamel.yaml import YAML
        from ruamel.yaml.error import MarkedYAMLError, YAMLError

        if long := _LONG_MARK.search(self.text):
            line = self.text.count("\n", 0, long.start()) + 1
            raise self._refuse(
                line, "a tag or anchor is longer than 300 letters; allowed: no tags, short anchors"
            )
        try:
            self.events = YAML(typ="safe", pure=True).parse(self.text)
            data = self._one_document()
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = mark.line + 1 if mark is not None else 0
            problem = " ".join(str(error.problem or error.context).split())
            if bare := _bare_place(self.text, mark):
                raise self._refuse(
                    line,
                    f"{bare} stands bare between braces or brackets, where [ begins a list; allowed: quotes "
                    f'around it, "{bare}", or a line of its own for every key',
                ) from None
            raise self._refuse(
                line, f"this is not YAML: {problem}; allowed: one mapping of keys and values"
            ) from None
        except YAMLError as error:
            problem = " ".join(str(error).split())[:200]
            raise self._refuse(
                0, f"this is not YAML: {problem}; allowed: one mapping of keys and values"
            ) from None
        except (ValueError, OverflowError) as error:  # such as an escape for a letter that does not exist
            raise self._refuse(
                0, f"this is not YAML: {error}; allowed: one mapping of keys and values"
            ) from None
        return Document(data, self.file, None, self.lines, self._comments())

    def _refuse(self, line: int, sentence: str) -> InvalidScenario:
        return InvalidScenario(self.file, [Fault(line, sentence)])

    def _one_document(self) -> dict[str, Any]:
        event = self._next("StreamStartEvent", "DocumentStartEvent")
        if event is None or _kind(event) == "StreamEnd":
            raise self._refuse(0, "the file is empty; allowed: one mapping of keys and values")
        data, _ = self._value(event, (), 1)
        if not isinstance(data, dict):
            line = event.start_mark.line + 1
            found = "empty" if data is None else f"{shown(data)}, not a mapping"
            raise self._refuse(
                line, f"the top of the file is {found}; allowed: one mapping of keys and values"
            )
        event = self._next("DocumentEndEvent")
        if event is not None and _kind(event) != "StreamEnd":
            raise self._refuse(
                event.start_mark.line + 1, "a second document starts; allowed: one scenario a file"
            )
        return data

    def _next(self, *passed_over: str) -> Any:
        for event in self.events:
            if type(event).__name__ not in (*passed_over, "CommentEvent"):
                return event
        return None

    def _value(self, event: Any, path: Path, depth: int) -> tuple[Any, int]:
        """Return the value that starts with an event, and of how many values it consists."""
        line = event.start_mark.line + 1
        self.lines.setdefault(path, line)
        kind = _kind(event)
        if kind == "Alias":
            return self._alias(event, line)
        if depth > MOST_DEPTH:
            raise self._refuse(
                line, f"values stand more than {MOST_DEPTH} deep; allowed: at most {MOST_DEPTH}"
            )
        tag = getattr(event, "tag", None)
        if tag is not None:
            raise self._refuse(
                line,
                f"the tag {shown(str(tag))} is not allowed; allowed: plain words, numbers, lists and "
                "mappings",
            )
        self._count(1, line)
        if kind == "Scalar":
            value: Any = self._scalar(event, path, line)
            size = 1
        elif kind == "SequenceStart":
            value, size = self._sequence(path, depth)
        else:
            value, size = self._mapping(path, depth)
        if getattr(event, "anchor", None):
            self.anchors[event.anchor] = (value, size)
        return value, size

    def _count(self, more: int, line: int) -> None:
        self.values += more
        if self.values > MOST_VALUES:
            raise self._refuse(
                line, f"the file holds more than {MOST_VALUES:,} values; allowed: at most that"
            )

    def _alias(self, event: Any, line: int) -> tuple[Any, int]:
        if event.anchor not in self.anchors:
            raise self._refuse(
                line,
                f"*{event.anchor} refers to an anchor that does not stand before it; allowed: an "
                f"earlier &{event.anchor}",
            )
        self.aliases += 1
        if self.aliases > MOST_ALIASES:
            raise self._refuse(
                line, f"the file uses more than {MOST_ALIASES} aliases; allowed: at most {MOST_ALIASES}"
            )
        value, size = self.anchors[event.anchor]
        self._count(size, line)
        return value, size

    def _sequence(self, path: Path, depth: int) -> tuple[list[Any], int]:
        values: list[Any] = []
        size = 1
        while _kind(event := self._next()) != "SequenceEnd":
            value, more = self._value(event, (*path, len(values)), depth + 1)
            values.append(value)
            size += more
        self._ends(event)
        return values, size

    def _mapping(self, path: Path, depth: int) -> tuple[dict[str, Any], int]:
        values: dict[str, Any] = {}
        size = 1
        while _kind(event := self._next()) != "MappingEnd":
            line = event.start_mark.line + 1
            if _kind(event) != "Scalar" or event.tag is not None or not event.value:
                raise self._refuse(line, "a key is not a word; allowed: words as keys")
            self._ends(event)
            key = self._text(event.value, line)
            if key in values:
                first = self.lines[(*path, key)]
                raise self._refuse(
                    line, f"{text_of((*path, key))} is set twice, first on line {first}; allowed: once"
                )
            self.lines[(*path, key)] = line
            values[key], more = self._value(self._next(), (*path, key), depth + 1)
            size += more
        self._ends(event)
        return values, size

    def _scalar(self, event: Any, path: Path, line: int) -> Any:
        self._ends(event)
        text: str = event.value
        if not event.implicit[0]:  # quoted
            return self._text(text, line)
        if text in _NULLS:
            return None
        if text in _TRUTHS:
            return _TRUTHS[text]
        if _NOT_A_NUMBER.fullmatch(text):
            raise self._refuse(line, f"{text_of(path)} is {text}; allowed: a finite number")
        if _WHOLE.fullmatch(text) and len(text) <= 30:
            return int(text)
        if _NUMBER.fullmatch(text):
            number = float(text)
            if not math.isfinite(number):
                raise self._refuse(line, f"{text_of(path)} is {shown(text)[1:-1]}; allowed: a finite number")
            return number
        return self._text(text, line)

    def _text(self, text: str, line: int) -> str:
        """Refuse letters that cannot be written to a file or would act on a terminal."""
        for letter in text:
            if (
                (letter < " " and letter not in "\n\t")
                or "\x7f" <= letter <= "\x9f"
                or "\ud800" <= letter <= "\udfff"
            ):
                raise self._refuse(
                    line, f"a text holds the control character U+{ord(letter):04X}; allowed: printable text"
                )
        return text

    def _ends(self, event: Any) -> None:
        """Remember how far the values of a line go: what follows can only be a comment."""
        start, end = event.start_mark, event.end_mark
        if getattr(event, "style", None) in ("|", ">"):
            for line in range(start.line + 1, max(start.line + 1, end.line)):
                self.text_ends[line] = 1 << 30
            return
        for line in range(start.line, end.line):
            self.text_ends[line] = 1 << 30
        self.text_ends[end.line] = max(self.text_ends.get(end.line, 0), end.column)

    def _comments(self) -> dict[int, str]:
        found = {}
        for number, line in enumerate(_LINE_END.split(self.text)):
            if "#" in line:
                match = re.search(r"(?:^|\s|[\]},])#(.*)", line[self.text_ends.get(number, 0) :])
                if match:
                    found[number + 1] = match.group(1).strip()
        return found


def _bare_place(text: str, mark: Any) -> str:
    """Return the place with a position in brackets at which YAML stopped, such as a.activities[0].share."""
    if mark is None:
        return ""
    line, at = _LINE_END.split(text)[mark.line], mark.column
    before, after = re.search(r"[\w.]*\w$", line[:at]), re.match(r"(\[\d+\][\w.]*)+", line[at:])
    return before.group() + after.group() if before and after else ""


def _kind(event: Any) -> str:
    return type(event).__name__.removesuffix("Event")
