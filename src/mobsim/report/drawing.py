"""Drawing figures: in this process, or in a helper process while this one does the rest.

A helper is an ordinary Python process that is started as soon as a command knows that there will be figures
and nothing is left to compile. It loads what drawing needs while the main process loads other things and
simulates, and then draws what is sent to it through a pipe; so this module imports nothing heavy.
On Linux the helper divides into as many processes as there are processors, once everything is loaded. A
helper leaves when the pipe closes, so none is left behind however the command ends. What it does not deliver
is drawn here, with the same bytes: nothing depends on helpers but speed.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from threading import Thread
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mobsim.report.figures import Picture, Sketch

MOST_PROCESSES = 4
"""There are some ten figures, and one or two take as long as all others together."""

Drawn = tuple[bytes, bytes]
"""A figure as SVG and as PNG."""

Task = tuple[int, str, tuple[Any, ...], dict[str, Any]]
"""What travels to a helper: number, function of `mobsim.plots`, its data and options."""


def draw(function: str, data: tuple[Any, ...], options: dict[str, Any]) -> Drawn:
    """Draw a figure in this process, as SVG and as PNG.

    Parameters
    ----------
    function : name of a function of `mobsim.plots`.
    data, options : its arguments.
    """
    from mobsim import plots

    figure = getattr(plots, function)(*data, **options)
    return plots.as_svg(figure), plots.as_png(figure)


class Helper:
    """A process that draws.

    Parameters
    ----------
    wanted : whether there is to be one; without one everything is drawn in this process.
    at_once : whether it starts now; else when `start` is called.

    Examples
    --------
    >>> with Helper() as helper:  # doctest: +SKIP
    ...     drawing = helper.begin(sketches)
    ...     pictures = drawing.pictures()
    """

    def __init__(self, wanted: bool = True, *, at_once: bool = True) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        # A program frozen into one file is no interpreter that could be started again.
        frozen = not sys.executable or getattr(sys, "frozen", False)
        self._wanted = wanted and _processors() > 1 and not frozen
        if at_once:
            self.start()

    def start(self) -> None:
        """Start the process, unless it was started or is not wanted."""
        if not self._wanted or self._process is not None:
            return
        with suppress(OSError):
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "mobsim.report.drawing"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )

    def __enter__(self) -> Helper:
        """Give the helper."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Send it away, whatever it is doing."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            with suppress(OSError):  # what was not sent yet cannot be sent any more
                if stream is not None:
                    stream.close()

    def begin(self, sketches: Sequence[Sketch]) -> Drawing:
        """Begin to draw figures; ask the result for them when they are needed.

        Parameters
        ----------
        sketches : what to draw.
        """
        return Drawing(sketches, self._process)


class Drawing:
    """Figures that are being drawn.

    Parameters
    ----------
    sketches : what to draw.
    process : a helper that draws; none: everything is drawn here when it is asked for.
    """

    def __init__(self, sketches: Sequence[Sketch], process: subprocess.Popen[bytes] | None = None) -> None:
        self._sketches = tuple(sketches)
        self._drawn: dict[int, Drawn] = {}
        self._waiting: Thread | None = None
        if process is not None:
            self._waiting = Thread(target=self._have_drawn, args=(process,), daemon=True)
            self._waiting.start()

    def pictures(self) -> tuple[Picture, ...]:
        """Wait for the helper, draw here what it did not, and return all figures in their order."""
        if self._waiting is not None:
            self._waiting.join()
        for number, sketch in enumerate(self._sketches):
            if number not in self._drawn:
                self._drawn[number] = draw(sketch.function, sketch.data, sketch.options)
        return tuple(sketch.picture(self._drawn[k]) for k, sketch in enumerate(self._sketches))

    def _have_drawn(self, process: subprocess.Popen[bytes]) -> None:
        """Send all figures to a helper and take what comes back; if it fails, the rest stays undrawn."""
        tasks = [(k, s.function, s.data, s.options) for k, s in enumerate(self._sketches)]
        with suppress(Exception):
            assert process.stdin is not None
            assert process.stdout is not None
            _send(tasks, process.stdin)
            while len(self._drawn) < len(tasks):
                self._drawn |= pickle.load(process.stdout)


def _send(what: Any, stream: IO[bytes]) -> None:
    pickle.dump(what, stream, protocol=pickle.HIGHEST_PROTOCOL)
    stream.flush()


def _processors() -> int:
    """Return how many processors this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def serve() -> None:
    """Draw what comes in on stdin until it closes: the whole life of a helper."""
    import gc
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the main process hears it, and closes the pipe
    gc.disable()  # a short life
    tasks, results = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # whatever a library prints must not get between the results

    import pandas as pd  # noqa: F401  (the data come as tables)

    from mobsim import plots

    plots.warm_up()
    with suppress(EOFError):
        while True:
            for drawn in _draw_all(pickle.load(tasks)):
                _send(drawn, results)


def _draw_all(tasks: Sequence[Task]) -> Iterator[dict[int, Drawn]]:
    """Draw all figures and give them in parts: one by one, or divided among processes."""
    count = min(MOST_PROCESSES, _processors(), len(tasks))
    if (
        sys.platform != "linux" or count < 2
    ):  # elsewhere a process that has loaded all this is not safe to divide
        for number, function, data, options in tasks:
            yield {number: draw(function, data, options)}
        return
    left, numbers = os.pipe()  # whoever is free takes the next byte
    os.write(numbers, bytes(reversed(range(len(tasks)))))  # the last ones take longest
    os.close(numbers)
    parts: list[int] = []
    for _ in range(count - 1):
        parts.append(_in_a_child(tasks, left, parts))
    yield _draw_those_left(tasks, left)
    os.close(left)
    for part in parts:
        with os.fdopen(part, "rb") as stream:
            yield pickle.load(stream)


def _in_a_child(tasks: Sequence[Task], left: int, parts: Sequence[int]) -> int:
    """Divide this process; return where the child will write what it has drawn.

    The child keeps no end that its parent or its siblings read from: if the parent dies, writing fails.
    """
    parent = os.getpid()
    result, end = os.pipe()
    if os.fork() == 0:
        try:
            for held in (0, 1, result, *parts):
                os.close(held)
            with os.fdopen(end, "wb") as stream:
                _send(_draw_those_left(tasks, left, parent), stream)
        finally:
            os._exit(0)
    os.close(end)
    return result


def _draw_those_left(tasks: Sequence[Task], left: int, parent: int | None = None) -> dict[int, Drawn]:
    """Draw one figure after another, as long as the parent of a child lives."""
    drawn = {}
    while (parent is None or os.getppid() == parent) and (number := os.read(left, 1)):
        k, function, data, options = tasks[number[0]]
        drawn[k] = draw(function, data, options)
    return drawn


if __name__ == "__main__":
    serve()
