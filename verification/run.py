"""Run the published cases and the exact laws at their full size: `make verify`.

    python -m verification.run                     all cases
    python -m verification.run FOLDER              all cases, with the data in FOLDER
    python -m verification.run S04 law_watts       some; the report keeps the others as they were
    python -m verification.run --workers 1         one case at a time

FOLDER is the one that `tools/fetch_validation.py` fills; MOBSIM_VALIDATION_DATA can name it as well. Cases
without data run without it. Writes verification/report.html, report.md, figures/ and results.json.
Everything is keyed by the scenarios' seeds: running again gives the same numbers. Ends with 1 if a number is
missed or a case fails.
"""

from __future__ import annotations

import argparse
import importlib
import io
import json
import multiprocessing
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

from tests.theory import published
from verification import report
from verification.case import Outcome

from mobsim.engine.first_use import prepare

HERE = Path(__file__).resolve().parent
USUAL_SECONDS = 60.0
"""For the time left and the order, of cases that were never run here."""


def all_cases() -> list[str]:
    """Return the names of all cases: published ones by number, then laws, then the shipped limits."""
    names = [path.stem for path in (HERE / "cases").glob("*.py") if path.stem != "__init__"]
    return sorted(names, key=lambda name: (name == "limits", name.startswith("law_"), name))


def is_published(name: str) -> bool:
    """Whether a case has a file with its reference."""
    return name[0] == "s" and name[1:].isdigit()


def run_case(name: str, folder: str | None) -> dict[str, Any]:
    """Run one case; return what it found as plain data.

    Parameters
    ----------
    name : such as s04. folder : of the published cases and data, if they are here.

    Returns
    -------
    dict
        With `failed`, a sentence, if it could not be run to its end.
    """
    began, worked = perf_counter(), process_time()
    found: dict[str, Any] = {"name": name}
    try:
        module = importlib.import_module(f"verification.cases.{name}")
        case: dict[str, Any] = {}
        if is_published(name):
            if folder is None:
                raise FileNotFoundError("the published cases are not here")
            case = published.read_case(Path(folder) / "cases", name.upper())
        found |= {
            "title": case.get("title") or module.WHAT,
            "source": case.get("citation") or getattr(module, "SOURCE", ""),
            "status": case.get("status") or getattr(module, "STATUS", "computed"),
        }
        found |= as_data(module.run(case, Path(folder or "")))
    except Exception as problem:
        sys.stderr.write(traceback.format_exc())
        found.setdefault("title", name)
        found["failed"] = _without_folders(f"{type(problem).__name__}: {problem}", folder)
    found["seconds"] = perf_counter() - began
    found["processor"] = process_time() - worked
    found["date"] = datetime.now(tz=UTC).date().isoformat()
    return found


def _without_folders(sentence: str, folder: str | None) -> str:
    """Say nothing of where the files lie on this machine."""
    for place, word in ((folder, "FOLDER"), (str(HERE.parent), ".")):
        sentence = sentence.replace(place, word) if place else sentence
    return sentence


def as_data(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as data that JSON can hold; figures as SVG."""
    return {
        "setup": outcome.setup,
        "lines": [
            [line.setting, line.reference, line.found, line.error, line.tolerance, _plain(line.met)]
            for line in outcome.lines
        ],
        "figures": {name: _svg(figure) for name, figure in outcome.figures.items()},
        "notes": list(outcome.notes),
        "scenarios": list(outcome.scenarios),
    }


def _plain(met: bool | None) -> bool | None:
    """A NumPy bool is not JSON's."""
    return None if met is None else bool(met)


def _svg(figure: Any) -> str:
    buffer = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "mobsim", "svg.fonttype": "none"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all cases, or those named; return 1 if a number is missed, 2 if a name is wrong."""
    options = _options().parse_args(arguments)
    asked = list(options.cases)
    given = (
        asked.pop(0) if asked and asked[0].lower() not in all_cases() and Path(asked[0]).is_dir() else None
    )
    names = [name.lower() for name in asked] or all_cases()
    unknown = sorted(set(names) - set(all_cases()))
    if unknown:
        sys.stderr.write(f"no case and no folder {unknown[0]}; cases are {', '.join(all_cases())}\n")
        return 2
    folder = _folder(given)
    if folder is None:
        left_out = [name for name in names if is_published(name)]
        names = [name for name in names if not is_published(name)]
        sys.stderr.write(
            f"left out, because the published cases are not here: {', '.join(left_out)}; bring them with "
            "python3 tools/fetch_validation.py FOLDER and name FOLDER here, or set MOBSIM_VALIDATION_DATA\n"
        )
        if not names:
            return 2
    kept = options.out / "results.json"
    before = {one["name"]: one for one in json.loads(kept.read_text("utf-8"))} if kept.is_file() else {}
    before = {name: one for name, one in before.items() if name in all_cases()}
    for found in _run(names, folder, options.workers, before):
        before[found["name"]] = found
        results = [before[name] for name in all_cases() if name in before]
        options.out.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", "utf-8")
        report.write(results, options.out)
    done = [before[name] for name in names]
    sys.stdout.write("seconds, of the processor, result\n")
    for found in sorted(done, key=lambda one: -one["seconds"]):
        took = f"{found['seconds']:6.0f} {found['processor']:6.0f}"
        sys.stdout.write(f"{found['name']:24} {took}  {report.verdict(found)}\n")
    return int(any(report.missed(found) for found in done))


def _run(names: Sequence[str], folder: str | None, workers: int, before: dict[str, Any]) -> Iterator[Any]:
    """Run cases in processes, the longest first, and yield each as it is done."""
    prepare()  # compiled once here, not in each process
    usual = {name: float(before.get(name, {}).get("seconds", USUAL_SECONDS)) for name in names}
    began = perf_counter()
    longest_first = sorted(names, key=lambda name: -usual[name])
    for number, found in enumerate(in_processes(longest_first, partial(run_case, folder=folder), workers), 1):
        usual.pop(found["name"])
        left = sum(usual.values()) / workers
        sys.stdout.write(
            f"[{number}/{len(names)}] {found['name']}: {report.verdict(found)}, {found['seconds']:.0f} s"
            + (f"; about {max(1, round(left / 60))} min left" if usual else "")
            + "\n"
        )
        sys.stdout.flush()
        yield found
    sys.stdout.write(f"all in {perf_counter() - began:.0f} s\n")


def in_processes(
    names: Sequence[str], task: Callable[[str], dict[str, Any]], workers: int
) -> Iterator[dict[str, Any]]:
    """Do a task for every name in processes and yield what it returns, in the order in which they end.

    If a process dies (for want of memory, say), what is left is done one by one, each in its own process.

    Parameters
    ----------
    names : in the order of starting. task : takes a name. workers : processes.
    """
    left = list(names)
    with suppress(BrokenProcessPool), _processes(workers) as pool:
        for future in as_completed([pool.submit(task, name) for name in names]):
            found = future.result()
            left.remove(found["name"])
            yield found
    for name in left:
        began = perf_counter()
        try:
            with _processes(1) as pool:
                found = pool.submit(task, name).result()
        except BrokenProcessPool:
            sentence = "its process ended before it did; was there enough memory?"
            found = {"name": name, "title": name, "failed": sentence}
            found |= {"seconds": perf_counter() - began, "processor": 0.0}
            found["date"] = datetime.now(tz=UTC).date().isoformat()
        yield found


def _processes(workers: int) -> ProcessPoolExecutor:
    spawn = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, mp_context=spawn, initializer=_one_processor)


def _one_processor() -> None:
    """Let a case use one thread: the others are busy with other cases, and seconds can be compared."""
    os.cpu_count = lambda: 1


def _folder(given: str | None) -> str | None:
    """Return the folder of the published cases, if it is here."""
    folder = given or os.environ.get("MOBSIM_VALIDATION_DATA")
    return folder if folder and (Path(folder) / "cases").is_dir() else None


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="verification.run", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cases", nargs="*", metavar="CASE", help="names, after FOLDER if any; none: all")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--out", type=Path, default=HERE, help="folder of the report")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
