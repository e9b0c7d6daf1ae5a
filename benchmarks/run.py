"""`make bench`: mobsim beside other programs, on the same inputs, in turns; writes results.md.

    python -m benchmarks.run                        everything but the ten million residents, about 30 minutes
    python -m benchmarks.run --works W3,W5-L64      some works again; results.md keeps the others as they were
    python -m benchmarks.run --large                also one community of ten million residents
    python -m benchmarks.run --quick                tiny sizes, to see that everything runs; writes nothing
    python -m benchmarks.run --render               results.md again from results.json

For every work each program has a process of its own that stays alive. In every round all programs take
one turn, in random order: the speed of a machine moves, and a ratio within a round moves less. If two
programs did not compute the same thing the command fails, and results.md is not written. What was
measured is kept in results.json, work by work.
"""

from __future__ import annotations

import argparse
import ast
import datetime
import json
import math
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks import alone, bounds, machine, report, sweeps, whole_week, works

TOP = Path(__file__).resolve().parents[1]
PROGRAMS = Path(__file__).parent / "programs"
COMPARED = works.WORKS | whole_week.WORKS | sweeps.WORKS
"""Works that several programs do."""
BY_WALL = ("W4", "W5-L128", "W7")
"""Works for two processors are timed by the wall; all others by processor time."""
ROUNDS = 5
TURN_SECONDS = 0.3
"""A turn repeats calls until it takes about this long."""
QUICK_RESIDENTS = 400
BUSY = 0.15
"""Share of a processor that others may use before a warning."""
USUAL_SECONDS = {"W1": 25, "W2": 30, "W3-10k": 30, "W3-100k": 160, "W4": 170, "W5": 20, "W7": 150}
"""For the time left, where nothing was measured before."""


class Disagreement(Exception):
    """Two programs did not compute the same thing, or mobsim failed."""


class Failed(Exception):
    """A program could not do what it was told."""


@dataclass
class Program:
    """A program that can be measured: its name, and the file and version for each work it does."""

    name: str
    files: dict[str, str] = field(default_factory=dict)
    version: str = ""
    missing: str = ""


class Peer:
    """A worker process (worker.py)."""

    def __init__(self, file: str, log: Path) -> None:
        single = {
            f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA", "VECLIB_MAXIMUM")
        }
        self._log = log
        self._errors = log.open("a", encoding="utf-8")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            cwd=TOP,
            env=os.environ | single,
        )
        self.about = self.ask(do="describe", module=file)

    def ask(self, **request: Any) -> dict[str, Any]:
        """Send a request and wait for the answer.

        Raises
        ------
        Failed : if the worker has died or says that it failed.
        """
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self._errors.flush()
            last = self._log.read_text("utf-8").strip().splitlines()[-1:]
            raise Failed(f"its process ended ({process.poll()}): {' '.join(last)}")
        answer: dict[str, Any] = json.loads(line)
        if "failed" in answer:
            raise Failed(answer["failed"])
        return answer

    @property
    def processor_seconds(self) -> float:
        """Processor time that the process has used."""
        return machine.processor_seconds(self._process.pid)

    def end(self) -> None:
        """Let the process end."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.close()
            self._process.wait(timeout=20)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._errors.close()


@dataclass
class Told:
    """Progress on stderr, with the time left."""

    expected: dict[str, float]
    done: int = 0
    began: float = 0.0

    def start(self) -> None:
        """Start the next work."""
        self.began = time.perf_counter()

    def say(self, text: str, share: float) -> None:
        """Print one line.

        Parameters
        ----------
        text : what is being done.
        share : share of the current work that is done.
        """
        names = list(self.expected)
        spent = time.perf_counter() - self.began
        current = max(self.expected[names[self.done]] * (1 - share), spent / share - spent if share else 0.0)
        left = current + sum(self.expected[name] for name in names[self.done + 1 :])
        place = f"[{self.done + 1}/{len(names)}]"
        print(f"{place} {text}; about {max(1, round(left / 60))} min left", file=sys.stderr, flush=True)


def find_programs(folder: Path, log: Path, wanted: Sequence[str] | None = None) -> dict[str, Program]:
    """Find out what the files of programs/ can do here, each in a process of its own.

    Parameters
    ----------
    folder : the files. log : where their processes write what they say.
    wanted : names of programs; none: all.

    Returns
    -------
    dict of name : Program; `missing` says why a program cannot be measured.
    """
    found: dict[str, Program] = {}
    for path in sorted(folder.glob("*.py"), key=lambda path: (path.stem != "ours", path.stem)):
        name = constant(path, "NAME")
        if name is None or (wanted is not None and name not in wanted):
            continue
        program = found.setdefault(name, Program(name))
        try:
            peer = Peer(path.stem, log)
        except Failed as problem:
            program.missing = str(problem)
            continue
        peer.end()
        if "missing" in peer.about:
            program.missing = why_missing(constant(path, "PACKAGE") or name) or peer.about["missing"]
            continue
        program.version = peer.about["version"]
        program.files |= dict.fromkeys(peer.about["works"], path.stem)
    return found


def constant(path: Path, name: str) -> str | None:
    """Read a constant of a file without running it; None if it has none that can be read so."""
    for node in ast.parse(path.read_text("utf-8")).body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            assert isinstance(node, ast.Assign)
            return str(node.value.value) if isinstance(node.value, ast.Constant) else None
    return None


def why_missing(package: str) -> str | None:
    """Why `tools/setup.py --bench` could not install a package, if it tried."""
    try:
        missing: dict[str, str] = json.loads((Path(sys.prefix) / "missing.json").read_text("utf-8"))
    except OSError:
        return None
    reason = missing.get(package)
    return f"could not be installed: {reason}" if reason else None


def compare(
    work: str,
    programs: Mapping[str, Program],
    rounds: int,
    quick: bool,
    folder: Path,
    told: Told,
    counted: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """Measure one work with all programs that do it.

    Parameters
    ----------
    work : one of `COMPARED`. programs : what there is. rounds : turns of each program.
    quick : tiny sizes. folder : for inputs and logs. told : progress.
    counted : draws and ties of a call of mobsim, if the limit is to be measured (`bounds.py`).

    Returns
    -------
    dict
        a record for results.json.

    Raises
    ------
    Disagreement : if mobsim failed, or a program computed something else.
    """
    maker = next(module for module in (works, whole_week, sweeps) if work in module.WORKS)
    given = maker.inputs(work, QUICK_RESIDENTS if quick else None)
    path, tiny = folder / f"{work}.npz", folder / f"{work}-tiny.npz"
    given.save(path)
    maker.inputs(work, QUICK_RESIDENTS).save(tiny)
    missing: dict[str, str] = {}
    peers: dict[str, Peer] = {}
    measuring: dict[str, Peer] = {}
    prepared: dict[str, dict[str, Any]] = {}
    turns: dict[str, list[dict[str, Any]]] = {}
    try:
        for name, program in programs.items():
            if work not in program.files:
                continue
            told.say(f"{work}: {name} prepares", 0.0)
            try:
                peers[name] = Peer(program.files[work], folder / "programs.log")
                prepared[name] = peers[name].ask(do="prepare", work=work, path=str(path), tiny=str(tiny))
                turns[name] = []
            except Failed as problem:
                if name == works.OURS:
                    raise Disagreement(f"{work}: mobsim failed: {problem}") from problem
                missing[name] = str(problem)
                if name in peers:
                    peers.pop(name).end()
        bound = None
        if counted is not None:
            told.say(f"{work}: draws and reads alone", 0.0)
            limit = measuring[bounds.MODULE] = Peer(bounds.MODULE, folder / "programs.log")
            asked = replace(given, parameters=given.parameters | {"counted": dict(counted)})
            asked.save(path)
            limit.ask(do="prepare", work=work, path=str(path), tiny=str(tiny))
            bound = bounds.Bound(limit, counted)
        calls = {name: calls_of(answer, quick) for name, answer in prepared.items()}
        before, ours_before = machine.clock(), own_seconds(peers | measuring)
        for turn in range(rounds):
            told.say(f"{work}: round {turn + 1} of {rounds}", (turn + 0.7) / (rounds + 0.7))
            order = [*turns, *measuring]
            for name in random.sample(order, len(order)):
                if bound is not None and name in measuring:
                    bound.measure()
                    continue
                try:
                    turns[name].append(peers[name].ask(do="run", calls=calls[name]))
                except Failed as problem:
                    missing[name] = str(problem)
                    del turns[name]
                    peers.pop(name).end()
        spent = own_seconds(peers | measuring) - ours_before
        others = machine.others_share(before, machine.clock(), spent)
        memory = {name: peers[name].ask(do="memory") for name in turns}
    except Failed as problem:
        raise Disagreement(f"{work}: draws and reads alone failed: {problem}") from problem
    finally:
        for peer in (peers | measuring).values():
            peer.end()
    if works.OURS in missing:
        raise Disagreement(f"{work}: mobsim failed: {missing[works.OURS]}")
    results = {
        name: [prepared[name]["result"], *(result for turn in several for result in turn["results"])]
        for name, several in turns.items()
    }
    findings = maker.check(work, results)
    wrong = [finding for finding in findings if not finding.agrees]
    if wrong:
        raise Disagreement(
            "\n".join(f"{work}: {one.program} and {one.against}: {one.what}: {one.found}" for one in wrong)
        )
    clock = "wall_s" if work in BY_WALL else "processor_s"
    measured = {
        name: {
            "version": programs[name].version,
            "calls": calls[name],
            "units_a_call": several[0]["units"] / calls[name],
            "speed": [turn["units"] / turn[clock] for turn in several],
            "ms_a_call": [1e3 * turn[clock] / calls[name] for turn in several],
            "first_s": prepared[name]["prepare_s"] + prepared[name]["first_s"],
            **memory[name],
        }
        for name, several in turns.items()
    }
    about = COMPARED[work]
    return {
        "what": about.what,
        "unit": about.unit,
        "residents": given.n,
        "clock": "wall" if work in BY_WALL else "processor",
        "rounds": rounds,
        "programs": measured,
        "failed": missing,
        "findings": [asdict(finding) for finding in findings],
        "others": others,
    } | ({} if bound is None else {"limit": bound.record()})


def calls_of(prepared: Mapping[str, Any], quick: bool) -> int:
    """How many calls make a turn."""
    return 1 if quick else max(1, math.ceil(TURN_SECONDS / max(prepared["call_s"], 1e-5)))


def own_seconds(peers: Mapping[str, Peer]) -> float:
    """Processor seconds of the bench so far."""
    return time.process_time() + sum(peer.processor_seconds for peer in peers.values())


def measure_alone(section: str, quick: bool) -> dict[str, Any]:
    """Measure something that mobsim does alone, in a process of its own (alone.py).

    Raises
    ------
    Disagreement : if the measurement fails.
    """
    command = [sys.executable, "-m", "benchmarks.alone", section, *(["--quick"] if quick else [])]
    before, used = machine.clock(), children_seconds()
    done = subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=False)
    others = machine.others_share(before, machine.clock(), children_seconds() - used)
    if done.returncode != 0:
        raise Disagreement(f"{section} failed: {done.stderr.strip().splitlines()[-1:]}")
    return {"found": json.loads(done.stdout.splitlines()[-1]), "others": others}


def children_seconds() -> float:
    """Processor seconds of the processes that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def chosen_works(asked: str | None, large: bool) -> list[str]:
    """Return the works to run, in order.

    Parameters
    ----------
    asked : beginnings of names, separated by commas; none: all, the large ones only if wanted.
    large : whether the large ones run as well.

    Raises
    ------
    ValueError : if a beginning fits no work.
    """
    known = [*COMPARED, *alone.SECTIONS]
    if asked is None:
        return [name for name in known if large or name not in alone.LARGE]
    chosen: list[str] = []
    for beginning in asked.split(","):
        fitting = [name for name in known if name.startswith(beginning.strip())]
        if not fitting:
            raise ValueError(f"no work is called {beginning!r}; there are {', '.join(known)}")
        exact = [name for name in fitting if name == beginning.strip()]
        chosen += exact or [name for name in fitting if large or name not in alone.LARGE]
    return list(dict.fromkeys(chosen))


def expected_seconds(names: Sequence[str], stored: Mapping[str, Any], quick: bool) -> dict[str, float]:
    """How long each work will take: as long as last time, or what is usual."""
    if quick:
        return dict.fromkeys(names, 5.0)
    usual = {
        name: next((s for key, s in USUAL_SECONDS.items() if name.startswith(key)), alone.USUAL.get(name, 30))
        for name in names
    }
    return {name: stored.get(name, {}).get("took_s", usual[name]) for name in names}


def command_line(arguments: argparse.Namespace, name: str) -> str:
    """The command that measures one work again."""
    rounds = f" --rounds {arguments.rounds}" if arguments.rounds != ROUNDS and name in COMPARED else ""
    return f"python -m benchmarks.run --works {name}{rounds}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what was asked for; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--works", help="beginnings of names of works, separated by commas")
    parser.add_argument(
        "--programs", help="names of programs, separated by commas; writes nothing without --out"
    )
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--large", action="store_true", help="also ten million residents")
    parser.add_argument("--quick", action="store_true", help="tiny sizes; writes nothing without --out")
    parser.add_argument("--out", type=Path, help="folder of results.md and results.json")
    parser.add_argument("--render", action="store_true", help="write results.md again from results.json")
    chosen = parser.parse_args(arguments)
    writes = chosen.out is not None or not (chosen.quick or chosen.programs)
    out: Path = chosen.out or Path(__file__).parent
    kept = out / "results.json"
    stored: dict[str, Any] = json.loads(kept.read_text("utf-8")) if kept.is_file() else {}
    if chosen.render:
        (out / "results.md").write_text(report.render(stored), "utf-8")
        return 0
    try:
        names = chosen_works(chosen.works, chosen.large)
    except ValueError as problem:
        parser.error(str(problem))
    print(f"load of the machine: {load_sentence()}", file=sys.stderr)
    problems = []
    fresh: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        wanted = chosen.programs.split(",") if chosen.programs else None
        programs = find_programs(PROGRAMS, folder / "programs.log", wanted)
        for program in programs.values():
            if program.missing:
                print(f"{program.name} is missing: {program.missing}", file=sys.stderr)
        missing = {program.name: program.missing for program in programs.values() if program.missing}
        limited = [name for name in names if name in bounds.LIMITED and works.OURS in programs]
        counted: dict[str, dict[str, int]] = {}
        if limited:
            print(f"counting the draws and reads of {', '.join(limited)}", file=sys.stderr, flush=True)
            try:
                counted = bounds.count(limited, chosen.quick)
            except bounds.Uncounted as problem:
                problems.append(str(problem))
        told = Told(expected_seconds(names, stored, chosen.quick))
        for number, name in enumerate(names):
            told.done = number
            told.start()
            measure: Callable[[], dict[str, Any]]
            if name in COMPARED:
                rounds = min(chosen.rounds, 2) if chosen.quick else chosen.rounds

                def measure(work: str = name, rounds: int = rounds) -> dict[str, Any]:
                    return compare(work, programs, rounds, chosen.quick, folder, told, counted.get(work))

            else:
                told.say(name, 0.0)

                def measure(section: str = name) -> dict[str, Any]:
                    return measure_alone(section, chosen.quick)

            try:
                record = measure()
            except Disagreement as problem:
                problems.append(str(problem))
                print(problem, file=sys.stderr, flush=True)
                continue
            if record["others"] > BUSY:
                print(f"{name}: {busy_sentence(record['others'])}", file=sys.stderr, flush=True)
            about = {
                "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
                "command": command_line(chosen, name),
                "took_s": round(time.perf_counter() - told.began, 1),
                "machine": machine.describe(),
                "missing": missing,
            }
            fresh[name] = record | about
            if writes:
                out.mkdir(parents=True, exist_ok=True)
                order = [*COMPARED, *alone.SECTIONS]
                stored = dict(sorted((stored | fresh).items(), key=lambda item: order.index(item[0])))
                kept.write_text(json.dumps(stored, indent=1) + "\n", "utf-8")
    if problems:
        print("mobsim: the bench failed; results.md was not written:", *problems, sep="\n  ", file=sys.stderr)
        return 1
    page = report.render(stored if writes else fresh)
    if writes:
        (out / "results.md").write_text(page, "utf-8")
        print(f"written: {os.path.relpath(out / 'results.md')}", file=sys.stderr)
    else:
        print(page)
    return 0


def load_sentence() -> str:
    """How busy the machine is, from half a second of watching it."""
    before, used = machine.clock(), time.process_time()
    time.sleep(0.5)
    others = machine.others_share(before, machine.clock(), time.process_time() - used)
    return busy_sentence(others) if others > BUSY else "idle"


def busy_sentence(others: float) -> str:
    """Warn that others use processors."""
    return f"others use {others:.1f} of {os.cpu_count()} processors; wall times and ratios suffer"


if __name__ == "__main__":
    sys.exit(main())
