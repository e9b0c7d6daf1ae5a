"""results.md from results.json: what was asked, what was reached, and every figure behind it."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks import bounds

OURS = "mobsim"
MESA, SCIPY, CYNETDIFF, STARSIM = "Mesa", "NumPy + SciPy", "cynetdiff", "Starsim"
GIB = 2.0**30

RATIOS: tuple[tuple[str, str, float], ...] = (
    ("W1-fixpoint", CYNETDIFF, 5),
    ("W1-dense", SCIPY, 2),
    ("W1-dense", MESA, 150),
    ("W2", CYNETDIFF, 2.5),
    ("W2", MESA, 35),
    ("W3-10k", MESA, 200),
    ("W3-10k", STARSIM, 10),
    ("W3-10k", SCIPY, 2.5),
    ("W3-100k", MESA, 200),
    ("W3-100k", STARSIM, 8),
    ("W3-100k", SCIPY, 2.5),
    ("W4", MESA, 1500),
    ("W4", SCIPY, 15),
    ("W5-L1", SCIPY, 2.4),
    ("W5-L1", MESA, 29),
    ("W5-L16", SCIPY, 11),
    ("W5-L16", MESA, 140),
    ("W5-L64", SCIPY, 14),
    ("W5-L64", MESA, 200),
    ("W5-8x8", SCIPY, 17),
    ("W5-8x8", MESA, 230),
    ("W5-L128", SCIPY, 20),
    ("W5-L128", MESA, 260),
)
"""How many times as fast as whom mobsim set itself to be, before it was written."""

SHIPPED = "district as shipped, N=4,000"
KERNEL_SHARE = 0.60
SETUP_SHARE = 0.20
WALL_SECONDS = {"W6-1e6": 60.0, "W6-1e7": 900.0}
PEAK_GIB = {"W6-1e6": 1.0, "W6-1e7": 10.0}
BYTES_A_RESIDENT, BYTES_A_TIE_END = 100, 4
GROWTH = 1.5
STRAIGHT = 0.10
TWICE = 1.8
WARM_SECONDS, COMPILE_SECONDS = 2.5, 15.0
OVERHEAD = {"local": 0.15, "Dask": 0.25}

GATHERS = (
    ("W1-dense", "byte", "16 KB", "a byte each"),
    ("W3-10k", "byte", "16 KB", "a byte each"),
    ("W3-100k", "byte", "100 KB", "a byte each"),
    ("W5-L1", "word", "16 KB", "a word each"),
)
"""Works whose reads of neighbours are set against the machine: the table that a neighbour is read from."""
DEGREE = 10


INTRODUCTION = """\
Written by `python -m benchmarks.run` (`make bench`) from `results.json`; do not edit. Every figure was
measured; a ratio is the median of the ratios within a round, in which all programs take one turn in
random order, with the smallest and the largest in brackets. Works for one processor are timed by
processor time of one thread, those for two (W4, W5-L128) by the wall. mobsim is called through its public
functions; building the community and recording are inside its time. Slow programs do fewer units a call:
rates are compared."""
LARGE_NOTE = """\
Build and 130 weeks of one run of the default scenario without a campaign. `of it before`: Python,
packages and compiled kernels; `bytes a resident`: the rest of the peak."""
SCENARIO_NOTE = """\
`mobsim.simulate` of all arms, one thread; a resident-week is one resident in one week of one run, burn-in
included (run once for all arms of a luck). The shares are of a block of all arms run step by step; `week
kernel` is the same block with arms that do nothing, `campaign` the difference."""
SCALING_NOTE = """\
Processor time of `mobsim.simulate` without a campaign, 130 weeks; building the community is included and
stands in the last column."""
LIMITS_NOTE = """\
The neighbours that the engine reads a second (one run at a time; everything else that it does in that
time included), against the random reads that the machine makes from a table of about that size on one
thread. More than 100 %: it does not read all of them."""
BOUND_NOTE = """\
What the rules ask for is counted in mobsim's kernels: random draws that decide something (each belongs to
who decides when, so that none can be left out or taken from a cheaper generator), and ties at which a
contact's state is read or changed (W4: of 64 runs at once). Both are then done with nothing else around them,
in the same rounds, on as many threads, in the fastest of several forms. The longer of the two is the limit,
for a processor can draw and read at the same time; the arithmetic of the rules, counting and recording are
not in it, so that it is generous. `reached`: the limit's time by mobsim's. `at most`: how many times as fast
as the other program the limit would allow."""
WORK_NOTES = {
    "W1-dense": "cynetdiff and NDlib know only who joins for good: their 50 steps are of that form.",
    "W4": "Mesa runs 16 of the 256 points, through its batch runner in two processes; "
    "NumPy runs all of them in a pool of two.",
    "W5-L1": "mobsim runs every rule; leaders, organizations and organizers rest in the other programs.",
    "W5-L128": "The other programs run on one processor.",
    "W7": "Timed is all of it: mobsim from the design to the ledger on disk, which it commits task by task; "
    "Mesa's batch runner, with its table as CSV; NumPy's pool, with its arrays in a file. Each starts its "
    "processes in that time.",
}
"""What must be known to read a table."""
SWEEP_NOTE = """\
The same tasks run twice on as many processes: by `mobsim.sweep` with its ledger, and their blocks alone
(communities built, no tables, nothing kept). `wall`: processes x seconds from the first order to the last
commit, by the seconds of all blocks, less one; waiting for the last task is in it. `processor`: the same of
processor time, that of the parent included. Planning and starting processes come once a sweep and stand
apart."""
WHEN_NOTE = (
    "`others`: processors that other processes used meanwhile; above 0.15 ratios and wall times suffer."
)


@dataclass(frozen=True)
class Line:
    """One thing that was asked: of what, what was measured, what was asked, and whether it was reached.

    limit : what is known of the limit, if it was not reached.
    """

    what: str
    measured: str
    asked: str
    reached: bool
    limit: str = ""

    def row(self) -> list[str]:
        """Cells of the table."""
        missed = f"**NOT reached**{self.limit and '; ' + self.limit}"
        return [self.what, self.measured, self.asked, "reached" if self.reached else missed]


def render(stored: Mapping[str, Any]) -> str:
    """Return results.md.

    Parameters
    ----------
    stored : records by work, as results.json keeps them.
    """
    parts = [
        "# Results of the bench",
        INTRODUCTION,
        _machines(stored),
        "## Asked and reached",
        _table(["work", "measured", "asked", ""], [line.row() for line in asked_and_reached(stored)]),
        _bounds(stored),
        "## Side by side",
        *_compared(stored),
        *_alone(stored),
        "## What was compared",
        _checks(stored),
        "## Programs",
        _programs(stored),
        "## When each was measured",
        _when(stored),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def ratios(record: Mapping[str, Any], peer: str) -> list[float]:
    """How many times as fast as a peer mobsim was, round by round; empty if one of them was not measured.

    Parameters
    ----------
    record : of one work. peer : name of a program.
    """
    programs = record["programs"]
    if peer not in programs or OURS not in programs:
        return []
    pairs = zip(programs[OURS]["speed"], programs[peer]["speed"], strict=True)
    return [ours / theirs for ours, theirs in pairs]


def spread(values: Sequence[float], digits: int = 3) -> str:
    """A median with the smallest and the largest value."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{number(middle, digits)} ({number(low, digits)} to {number(high, digits)})"


def number(value: float, digits: int = 3) -> str:
    """A number with so many digits that mean something, and commas between thousands."""
    if value == 0:
        return "0"
    rounded = float(f"{value:.{digits}g}")
    if abs(rounded) >= 10 ** (digits - 1):
        return f"{rounded:,.0f}"
    text = f"{rounded:.{digits + 6}f}".rstrip("0")
    return text[:-1] if text.endswith(".") else text


def asked_and_reached(stored: Mapping[str, Any]) -> list[Line]:
    """Everything that was asked and has been measured."""
    lines = []
    for work, peer, asked in RATIOS:
        each = ratios(stored[work], peer) if work in stored else []
        if each:
            what, reached = f"{work}, against {peer}", statistics.median(each) >= asked
            limit = limit_sentence(stored[work], each, asked)
            lines.append(Line(what, f"{spread(each)} x", f"{asked:,g} x", reached, limit))
    for section, lines_of in LINES.items():
        if section in stored:
            lines += lines_of(section, stored[section]["found"])
    return lines


def limit_sentence(record: Mapping[str, Any], each: Sequence[float], asked: float) -> str:
    """Say whether the limit of a work allows what was asked; empty if it was not measured.

    Parameters
    ----------
    record : of the work. each : the ratios. asked : the ratio that was asked.
    """
    if "limit" not in record:
        return ""
    most = bounds.at_most(each, _reached(record))
    return f"the limit {'allows' if most >= asked else 'forbids it:'} at most {number(most, 2)} x"


def _reached(record: Mapping[str, Any]) -> list[float]:
    return bounds.shares(record["limit"], record["programs"][OURS]["ms_a_call"])


def _bounds(stored: Mapping[str, Any]) -> str:
    """The limits of works, and the ratios that they would allow."""
    rows = []
    for work, peer, asked in RATIOS:
        record = stored.get(work, {})
        each = ratios(record, peer) if "limit" in record else []
        if each:
            limit, ours = record["limit"], record["programs"][OURS]
            rows.append(
                [
                    work,
                    f"{limit['draws']:,}",
                    f"{limit['ties']:,} ({limit['read']})",
                    spread(limit["draws_ms"]),
                    spread(limit["reads_ms"]),
                    spread(ours["ms_a_call"]),
                    f"{statistics.median(_reached(record)):.0%}",
                    peer,
                    f"{number(statistics.median(each))} x",
                    f"{asked:,g} x",
                    f"{number(bounds.at_most(each, _reached(record)), 2)} x",
                ]
            )
    head = ["work", "draws a call", "ties read a call", "draws alone, ms", "reads alone, ms", "mobsim, ms"]
    head += ["reached", "against", "measured", "asked", "at most"]
    return f"## How near the limit\n\n{BOUND_NOTE}\n\n{_table(head, rows)}" if rows else ""


def _scenario_lines(_: str, found: Mapping[str, Any]) -> list[Line]:
    lines = []
    if SHIPPED in found:
        share = _share(found[SHIPPED], "week kernel")
        what = f"W5, {SHIPPED}: time in the week kernel"
        lines.append(Line(what, f"{share:.0%}", f"at least {KERNEL_SHARE:.0%}", share >= KERNEL_SHARE))
    worst = max(found, key=lambda name: _share(found[name], "build"))
    share = _share(found[worst], "build")
    what = f"W5, {worst}: building communities (the largest share of all sizes)"
    lines.append(Line(what, f"{share:.1%}", f"below {SETUP_SHARE:.0%}", share < SETUP_SHARE))
    return lines


def _share(case: Mapping[str, Any], part: str) -> float:
    return float(case["seconds"][part] / sum(case["seconds"].values()))


def _large_lines(section: str, found: Mapping[str, Any]) -> list[Line]:
    residents = f"{found['residents']:,} residents"
    wall, peak = found["wall_s"], found["peak"] / GIB
    seconds, room = WALL_SECONDS[section], PEAK_GIB[section]
    return [
        Line(
            f"W6, {residents}: build and 130 weeks",
            f"{number(wall)} s",
            f"at most {seconds:g} s",
            wall <= seconds,
        ),
        Line(
            f"W6, {residents}: peak memory, Python and packages included",
            f"{peak:.2f} GiB",
            f"at most {room:g} GiB",
            peak <= room,
        ),
    ]


def _memory_lines(_: str, found: Mapping[str, Any]) -> list[Line]:
    allowed = BYTES_A_RESIDENT * found["residents"] + BYTES_A_TIE_END * found["tie_ends"]
    measured = (
        f"{number(found['bytes_a_resident'])} bytes a resident + {number(found['bytes_a_tie_end'])} a tie end"
    )
    asked = f"at most {BYTES_A_RESIDENT} + {BYTES_A_TIE_END}"
    return [Line("memory of one run, all arrays", measured, asked, found["bytes"] <= allowed)]


def _scaling_lines(_: str, found: Mapping[str, Any]) -> list[Line]:
    lines = []
    for runs in sorted({row["runs"] for row in found["residents"]}):
        cost = {row["residents"]: row["ns"] for row in found["residents"] if row["runs"] == runs}
        if 1_000 in cost and 100_000 in cost:
            growth = cost[100_000] / cost[1_000]
            what = f"time a resident-week, 100,000 against 1,000 residents, {runs} at a time"
            lines.append(Line(what, f"{growth:.2f} x", f"at most {GROWTH:g} x", growth <= GROWTH))
    for key, axis, value in (("ties", "degree", "ns"), ("weeks", "weeks", "ms")):
        points = [(row[axis], row[value]) for row in found[key]]
        if len(points) > 2:
            bend = farthest_from_line(points)
            lines.append(
                Line(
                    f"time against {key}: farthest from a straight line",
                    f"{bend:.1%}",
                    f"linear: at most {STRAIGHT:.0%}",
                    bend <= STRAIGHT,
                )
            )
    for kind in ("threads", "processes"):
        each = found["threads"][kind]
        middle = statistics.median(each)
        lines.append(
            Line(f"two {kind} against one", f"{spread(each)} x", f"at least {TWICE:g} x", middle >= TWICE)
        )
    return lines


def farthest_from_line(points: Sequence[tuple[float, float]]) -> float:
    """The largest distance of points from their straight line, as a share of the line.

    Parameters
    ----------
    points : (x, y), at least two different x.
    """
    slope, start = statistics.linear_regression(*zip(*points, strict=True))
    return max(abs(y - (start + slope * x)) / (start + slope * x) for x, y in points)


def _first_lines(_: str, found: Mapping[str, Any]) -> list[Line]:
    warm = statistics.median(found["warm_s"])
    return [
        Line(
            "`mobsim compare` of a small scenario, warm",
            f"{spread(found['warm_s'])} s",
            f"below {WARM_SECONDS:g} s",
            warm < WARM_SECONDS,
        ),
        Line(
            "compiling all kernels that it needs (cold less warm)",
            f"{number(found['compile_s'])} s",
            f"below {COMPILE_SECONDS:g} s",
            found["compile_s"] < COMPILE_SECONDS,
        ),
    ]


def _sweep_lines(_: str, found: Mapping[str, Any]) -> list[Line]:
    lines = []
    for where, allowed in OVERHEAD.items():
        rows = [row for row in found["rows"] if row["where"] == where]
        if rows:
            worst = max(rows, key=lambda row: statistics.median(row["overhead"]))
            each = worst["overhead"]
            what = (
                f"sweep, {where}: overhead on top of the blocks, the largest of {len(rows)} "
                f"({worst['scenario']}; {_processes(worst)})"
            )
            reached = statistics.median(each) < allowed
            lines.append(Line(what, percentages(each), f"below {allowed:.0%}", reached))
    return lines


def _processes(row: Mapping[str, Any]) -> str:
    return f"{row['processes']} process{'es' if row['processes'] > 1 else ''}"


def percentages(values: Sequence[float]) -> str:
    """A median with the smallest and the largest value, in percent."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.1%} ({low:.1%} to {high:.1%})"


LINES: dict[str, Callable[[str, Mapping[str, Any]], list[Line]]] = {
    "W5-scenario": _scenario_lines,
    "W6-1e6": _large_lines,
    "W6-1e7": _large_lines,
    "memory": _memory_lines,
    "scaling": _scaling_lines,
    "first-result": _first_lines,
    "sweep-overhead": _sweep_lines,
}


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]
    return "\n".join(lines) if rows else ""


def _machines(stored: Mapping[str, Any]) -> str:
    """The machines that the records were measured on, one line each."""
    lines = []
    for record in stored.values():
        m = record["machine"]
        line = (
            f"Machine: {m['processor']}, {m['cores']} processors, {m['vector']}, "
            f"caches {', '.join(m['caches'])}, {m['memory_gib']} GiB, {m['system']}, Python {m['python']}."
        )
        if line not in lines:
            lines.append(line)
    return "\n".join(lines)


def _compared(stored: Mapping[str, Any]) -> list[str]:
    parts = []
    for work, record in stored.items():
        if "programs" not in record:
            continue
        rows = []
        for name, measured in sorted(record["programs"].items(), key=lambda item: -max(item[1]["speed"])):
            each = ratios(record, name)
            rows.append(
                [
                    name,
                    spread(measured["speed"]),
                    spread(measured["ms_a_call"]),
                    number(measured["units_a_call"], 6),
                    "" if name == OURS or not each else f"{spread(each)} x",
                    f"{measured['peak'] / 2**20:,.0f}",
                    f"{measured['since_inputs'] / 2**20:,.1f}",
                ]
            )
        head = [
            "program",
            f"{record['unit']} a second",
            "ms a call",
            f"{record['unit']} a call",
            "mobsim is faster by",
            "peak MiB",
            "since its inputs",
        ]
        clock = "by the wall" if record["clock"] == "wall" else "processor time"
        size = f"{record['residents']:,} residents; {clock}; {record['rounds']} rounds."
        text = f"### {work}: {record['what']}\n\n{size}"
        failed = "".join(f"\n\n{name} failed: {why}" for name, why in record["failed"].items())
        note = f" {WORK_NOTES[work]}" if work in WORK_NOTES else ""
        parts.append(f"{text}{note}\n\n{_table(head, rows)}{failed}")
    return parts


def _alone(stored: Mapping[str, Any]) -> list[str]:
    """The sections that mobsim measures alone."""
    parts = []
    if "W5-scenario" in stored:
        parts.append("## Whole scenarios, all arms (W5)\n\n" + _scenarios(stored["W5-scenario"]["found"]))
    large = [stored[name]["found"] for name in ("W6-1e6", "W6-1e7") if name in stored]
    if large:
        head = [
            "residents",
            "wall s",
            "processor s",
            "peak GiB",
            "of it before",
            "bytes a resident",
            "share at the end",
        ]
        rows = [
            [
                f"{one['residents']:,}",
                number(one["wall_s"]),
                number(one["processor_s"]),
                f"{one['peak'] / GIB:.2f}",
                f"{one['loaded'] / GIB:.2f}",
                number((one["peak"] - one["loaded"]) / one["residents"]),
                f"{one['final_share']:.4f}",
            ]
            for one in large
        ]
        parts.append(f"## One large community (W6)\n\n{LARGE_NOTE}\n\n{_table(head, rows)}")
    if "memory" in stored:
        m = stored["memory"]["found"]
        parts.append(
            f"All arrays of a community and of a block of one run, counted at {m['residents']:,} residents: "
            f"{number(m['bytes_a_resident'], 4)} bytes a resident and "
            f"{number(m['bytes_a_tie_end'], 4)} a tie end."
        )
    if "scaling" in stored:
        parts.append("## How cost grows\n\n" + _scaling(stored["scaling"]["found"]))
    if "limits" in stored:
        parts.append("## What the machine can do\n\n" + _limits(stored))
    if "first-result" in stored:
        f = stored["first-result"]["found"]
        parts.append(
            "## First result\n\n`mobsim compare` of the default scenario with 4 communities, as a command, "
            f"imports and page included: {spread(f['warm_s'])} s with kernels in the cache (processor time "
            f"{spread(f['warm_processor_s'])} s), "
            f"{number(f['cold_s'])} s with an empty cache (processor time {number(f['cold_processor_s'])} s)."
        )
    if "sweep-overhead" in stored:
        parts.append("## Overhead of a sweep\n\n" + _sweeps(stored["sweep-overhead"]["found"]))
    return parts


def _sweeps(found: Mapping[str, Any]) -> str:
    rows = [
        [
            row["scenario"],
            row["where"],
            str(row["processes"]),
            row["record"],
            f"{row['runs']:,} in {row['tasks']}",
            spread(row["task_s"], 2),
            percentages(row["overhead"]),
            percentages(row["processor"]),
            number(row["plan_s"], 2),
            spread(row["start_s"], 2),
        ]
        for row in found["rows"]
    ]
    head = ["scenario", "where", "processes", "weeks kept", "runs in tasks", "s a task", "wall", "processor"]
    head += ["planning, s", "starting, s"]
    missing = f"\n\nDask was not measured: {found['missing']}." if found["missing"] else ""
    return f"{SWEEP_NOTE}\n\n{_table(head, rows)}{missing}"


def _scenarios(found: Mapping[str, Any]) -> str:
    names = list(next(iter(found.values()))["seconds"])
    rows = []
    for case, measured in found.items():
        total = sum(measured["seconds"].values())
        shares = [f"{measured['seconds'][part] / total:.1%}" for part in names]
        each = 1e9 * measured["seconds_simulate"] / measured["resident_weeks"]
        rows.append([case, str(measured["lanes"]), number(each), *shares])
    return f"{SCENARIO_NOTE}\n\n{_table(['scenario', 'runs a block', 'ns a resident-week', *names], rows)}"


def _scaling(found: Mapping[str, Any]) -> str:
    residents = [
        [str(row["runs"]), f"{row['residents']:,}", number(row["ns"]), number(row["build_ns"])]
        for row in found["residents"]
    ]
    ties = [[str(row["degree"]), number(row["ns"])] for row in found["ties"]]
    weeks = [[str(row["weeks"]), number(row["ms"])] for row in found["weeks"]]
    threads = found["threads"]
    return "\n\n".join(
        [
            SCALING_NOTE,
            _table(["runs at a time", "residents", "ns a resident-week", "of it building"], residents),
            "10,000 residents, 16 runs at a time:",
            _table(["mean degree", "ns a resident-week"], ties),
            "1,000 residents, 16 runs at a time:",
            _table(["weeks", "ms a call"], weeks),
            f"{threads['runs']} runs of 1,000 residents, by the wall: two threads are "
            f"{spread(threads['threads'])} times as fast as one; two processes do "
            f"{spread(threads['processes'])} times as much as one.",
        ]
    )


def _limits(stored: Mapping[str, Any]) -> str:
    found = stored["limits"]["found"]
    rows = [
        [f"random {kind} from {size}", *(f"{value / 1e9:.2f} G/s" for value in found[kind][size])]
        for kind in ("byte", "word")
        for size in found[kind]
    ]
    if "draws" in found:
        rows.append(["random draw (Philox4x32-10)", *(f"{value / 1e9:.2f} G/s" for value in found["draws"])])
    rows.append(["read in order", *(f"{value / 1e9:.1f} GB/s" for value in found["read"])])
    reached = []

    def set_against(what: str, reads: float, kind: str, size: str, how: str) -> None:
        rate = found[kind][size][0]
        share = f"{reads / rate:.0%}"
        reached.append(
            [what, f"{reads / 1e9:.2f} G/s", f"{how}, table of {size}", f"{rate / 1e9:.2f} G/s", share]
        )

    for work, kind, size, how in GATHERS:
        if work in stored and OURS in stored[work]["programs"]:
            speed = statistics.median(stored[work]["programs"][OURS]["speed"])
            set_against(work, speed * DEGREE, kind, size, how)
    for row in stored.get("scaling", {"found": {"residents": []}})["found"]["residents"]:
        size = {100_000: "1 MB", 1_000_000: "4 MB"}.get(row["residents"])
        if row["runs"] == 1 and size:
            reads = DEGREE * 1e9 / (row["ns"] - row["build_ns"])
            set_against(f"the week, {row['residents']:,} residents", reads, "word", size, "a word each")
    return "\n\n".join(
        [
            _table(["limit", "one thread", "two"], rows),
            LIMITS_NOTE if reached else "",
            _table(["work", "neighbours read", "as", "limit", "share"], reached),
        ]
    ).strip()


def _checks(stored: Mapping[str, Any]) -> str:
    rows = [
        [
            work,
            one["program"],
            one["against"],
            one["what"],
            "agrees" if one["agrees"] else "DISAGREES",
            one["found"],
        ]
        for work, record in stored.items()
        for one in record.get("findings", ())
    ]
    return _table(["work", "program", "with", "what", "", "found"], rows)


def _programs(stored: Mapping[str, Any]) -> str:
    versions: dict[str, set[str]] = {}
    missing: dict[str, str] = {}
    for record in stored.values():
        missing |= record["missing"]
        for name, measured in record.get("programs", {}).items():
            versions.setdefault(name, set()).add(measured["version"])
    rows = [[name, ", ".join(sorted(found))] for name, found in sorted(versions.items())]
    rows += [[name, f"missing: {why}"] for name, why in sorted(missing.items()) if name not in versions]
    return _table(["program", "version"], rows)


def _when(stored: Mapping[str, Any]) -> str:
    rows = [
        [
            work,
            record["date"],
            f"`{record['command']}`",
            f"{record['took_s']:.0f} s",
            f"{record['others']:.2f}",
        ]
        for work, record in stored.items()
    ]
    return f"{WHEN_NOTE}\n\n{_table(['work', 'date', 'command', 'took', 'others'], rows)}"
