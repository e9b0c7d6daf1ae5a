"""Progress on stderr: a bar on a terminal; elsewhere a plain line now and then, readable in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TextIO

SECONDS_BETWEEN_LINES = 10.0


class Reporter(Protocol):
    """What a long command tells: steps in words, and runs done of all runs."""

    def step(self, words: str) -> None:
        """Announce what happens now."""

    def runs(self, done: int, of: int, *, failed: int = 0, before: int = 0) -> None:
        """Tell how many runs are done, how many of them failed, and how many were done before the start."""


class Silent:
    """Tells nothing (`--quiet`)."""

    def step(self, words: str) -> None:
        """Tell nothing."""

    def runs(self, done: int, of: int, *, failed: int = 0, before: int = 0) -> None:
        """Tell nothing."""


class Lines:
    """Plain lines: every step, and runs at most every ten seconds and at the end."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.started = self.last = time.monotonic()

    def step(self, words: str) -> None:
        """Write one line."""
        self.started = self.last = time.monotonic()
        print(f"{words} ...", file=self.stream, flush=True)

    def runs(self, done: int, of: int, *, failed: int = 0, before: int = 0) -> None:
        """Write one line if it is time for one."""
        now = time.monotonic()
        if done < of and now - self.last < SECONDS_BETWEEN_LINES:
            return
        self.last = now
        words = told(done, of, now - self.started, failed=failed, before=before)
        print(f"  {words}", file=self.stream, flush=True)


class Bar:
    """A line that moves, on a terminal."""

    def __init__(self, progress: Any) -> None:
        self.progress = progress
        self.task: Any = None
        self.started = time.monotonic()

    def step(self, words: str) -> None:
        """Finish the line before and start another."""
        self.finish()
        self.task = self.progress.add_task(words, total=None, told="")
        self.started = time.monotonic()

    def runs(self, done: int, of: int, *, failed: int = 0, before: int = 0) -> None:
        """Move the line."""
        seconds = time.monotonic() - self.started
        words = told(done, of, seconds, failed=failed, before=before) if done else ""
        self.progress.update(self.task, completed=done, total=of, told=words)

    def finish(self) -> None:
        """Let the line before stand as done."""
        if self.task is not None:
            task = self.progress.tasks[-1]
            self.progress.update(self.task, total=task.total or 1, completed=task.total or 1)
            self.progress.stop_task(self.task)


@contextmanager
def reporter(*, quiet: bool) -> Iterator[Reporter]:
    """Give the reporter that fits stderr.

    Parameters
    ----------
    quiet : tell nothing.
    """
    if quiet:
        yield Silent()
    elif sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

        columns = (SpinnerColumn(finished_text="✓"), TextColumn("{task.description}"), BarColumn(24),
                   TextColumn("{task.fields[told]}"))  # fmt: skip
        with Progress(*columns, console=Console(stderr=True)) as progress:
            bar = Bar(progress)
            yield bar
            bar.finish()
    else:
        yield Lines(sys.stderr)


def told(done: int, of: int, seconds: float, *, failed: int = 0, before: int = 0) -> str:
    """Say how many runs are done, how fast, how long the rest may take, and how many failed.

    Parameters
    ----------
    done, of : runs.
    seconds : since the first one began.
    failed : runs of those done that failed.
    before : runs of those done that were done before.

    Examples
    --------
    >>> told(200, 800, 10.0)
    '200 of 800 runs, 20 a second, about 30 s left'
    >>> told(800, 800, 40.0, failed=3, before=400)
    '800 of 800 runs, 10 a second, 3 failed'
    """
    rate = (done - before) / seconds if seconds > 0 else 0.0
    words = f"{done:,} of {of:,} runs"
    if rate > 0:
        words += f", {rate:,.0f} a second" if rate >= 1 else f", {60 * rate:,.1f} a minute"
        if done < of:
            words += f", about {duration((of - done) / rate)} left"
    return f"{words}, {failed:,} failed" if failed else words


def duration(seconds: float) -> str:
    """Write a time to read: 12 s, 3 min 20 s, 2 h 5 min.

    Examples
    --------
    >>> duration(12.4), duration(200), duration(7500)
    ('12 s', '3 min 20 s', '2 h 5 min')
    """
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
