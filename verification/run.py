"""Run the published cases at their full size: `python -m verification.run FOLDER [CASE ...]`.

FOLDER holds `cases/` with the cases' files (or set MOBSIM_VALIDATION_DATA). Writes `verification/report.md`
and pictures in `verification/figures`. Everything is keyed by the scenarios' seeds: running again gives the
same numbers.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from tests.theory import measure, published, six

from mobsim.scenario.catalogue import shipped_scenarios

HERE = Path(__file__).parent
FIGURES = HERE / "figures"


@dataclass(frozen=True)
class Line:
    """One comparison with a published number."""

    case: str
    setting: str
    reference: str
    found: str
    tolerance: str
    met: bool


Case = dict[str, Any]


def near(case: str, setting: str, reference: float, found: float, within: float, digits: int = 4) -> Line:
    """A number that must lie within a distance of its reference."""
    met = abs(found - reference) <= within
    return Line(case, setting, f"{reference:.{digits}f}", f"{found:.{digits}f}", f"± {within:.2g}", met)


def s01(case: Case) -> Iterator[Line]:
    """Granovetter's riot: exact."""
    filled = measure.participants("granovetter_domino")[0]
    changed = measure.participants("granovetter_domino_changed")[0]
    rounds = int(np.flatnonzero(filled == 100)[0]) + 1
    reference = case["reference"]
    yield near("S01", "thresholds 0 … 99", reference["0..99"], filled[-1], 0, 0)
    yield near("S01", "one threshold 1 → 2", reference["1->2"], changed[-1], 0, 0)
    yield near("S01", "rounds to fill", reference["synchronous rounds to fill (0..99)"], rounds, 0, 0)


def s02(case: Case) -> Iterator[Line]:
    """Normal thresholds: crowds of 100,000, every spread outside 12.0 to 12.5."""
    words = "r_e within 0.005 of the fixed point for sigma<=11.5 and >=13"
    within = published.stated(case, words, 0.005)
    spreads = sorted({*map(float, case["reference"]["computed"]["r_e(sigma)"]), 11.5})
    found = {}
    for sd in spreads:
        if 11.5 < sd < 13:
            continue
        expected = published.normal_fixed_point(sd / 100)
        found[sd] = float(measure.normal_crowd(sd / 100, 100_000)[0])
        yield near("S02", f"spread {sd:g}", expected, found[sd], within)
    fine = np.linspace(5, 40, 400)
    figure, axes = plt.subplots()
    axes.plot(fine, [published.normal_fixed_point(sd / 100) for sd in fine], label="lowest fixed point")
    inside = [sd for sd in found if 5 <= sd <= 40]
    axes.plot(inside, [found[sd] for sd in inside], "o", label="mobsim, 100,000 residents")
    picture(figure, axes, "s02", "standard deviation of thresholds (mean 25)", "final share of participants")


def s03(case: Case) -> Iterator[Line]:
    """Watts's window: 400 networks of 10,000 at each mean degree."""
    more = published.stated(case, "> 0.3 for z in {1.5..5.5}", 0.3)
    less = published.stated(case, "<0.05 at z=0.8 and z=7", 0.05)
    points: dict[float, list[tuple[float, float]]] = {0.18: [], 0.2: []}
    settings = [(z, 0.18) for z in (0.8, 1.5, 2.5, 3.5, 4.5, 5.5, 6.0, 6.3, 7.0)]
    for z, threshold in [*settings, (0.8, 0.2), (3.5, 0.2), (5.5, 0.2), (7.0, 0.2)]:
        frequency = measure.window_frequency(z, 400, threshold).value
        points[threshold].append((z, frequency))
        if 5.5 < z < 7:
            continue
        inside = 1.5 <= z <= 5.5
        met = frequency > more if inside else frequency < less
        limit = f"> {more}" if inside else f"< {less}"
        yield Line("S03", f"z = {z}, φ = {threshold}", limit, f"{frequency:.4f}", "400 runs", met)
    figure, axes = plt.subplots()
    for threshold, of in points.items():
        axes.plot(*zip(*of, strict=True), "o-", label=f"threshold {threshold}")
    for edge in published.cascade_window("0.18"):
        axes.axvline(edge, linestyle=":", color="gray")
    picture(figure, axes, "s03", "mean number of contacts", "frequency of global cascades")


def s04(case: Case) -> Iterator[Line]:
    """Final sizes on ten networks of 100,000 each."""
    found: dict[float, list[tuple[float, float]]] = {}
    for name, expected in case["reference"]["phi=0.18"].items():
        z, started = (float(part.split("=")[1]) for part in name.split(","))
        size = float(measure.sizes_of_cascades(z, started, 100_000, graphs=10, weeks=250).mean())
        found.setdefault(started, []).append((z, size))
        yield near("S04", name, expected, size, published.cascade_tolerance(case, z, started))
    figure, axes = plt.subplots()
    fine = np.linspace(1.2, 8, 120)
    for started, of in found.items():
        (line,) = axes.plot(fine, [published.cascade_size(z, started) for z in fine], linewidth=0.8)
        axes.plot(*zip(*of, strict=True), "o", color=line.get_color(), label=f"{started:.1%} start")
    picture(figure, axes, "s04", "mean number of contacts", "final share of participants")


WEEKS = {"0.2": 20, "0.5": 40, "0.8": 90, "1.1": 320, "1.25": 180, "1.5": 110, "2.0": 65, "3.0": 45}
"""Long enough for every cascade of this strength to end; the measurement checks that it did."""


def s05(case: Case) -> Iterator[Line]:
    """Percolation on networks of 100,000 with 5 contacts."""
    reference = case["reference"]
    errors = published.stated(case, "subcritical mean within 3 s.e.", 3)
    for strength, expected in reference["mean_small(zT)=1/(1-zT)"].items():
        sizes = measure.outbreaks(float(strength), 100_000, 60, luck=8, weeks=WEEKS[strength])
        mean = measure.mean_of(sizes.mean(axis=1))
        yield near("S05", f"zT = {strength}, mean size", expected, mean.value, errors * mean.error)
    within = published.stated(case, "mean size within 0.005", 0.005)
    errors = published.stated(case, "P(large) within 3 s.e.", 3)
    for strength, expected in reference["giant_S(z*T)"].items():
        sizes = measure.outbreaks(float(strength), 100_000, 60, luck=4, weeks=WEEKS[strength]) / 100_000
        large = sizes > expected / 4
        chance = measure.mean_of(large.mean(axis=1))
        yield near("S05", f"zT = {strength}, size of large", expected, sizes[large].mean(), within)
        yield near("S05", f"zT = {strength}, chance of large", expected, chance.value, errors * chance.error)


def s06(case: Case) -> Iterator[Line]:
    """Bass's curve: 16 runs of 100,000."""
    reference = case["reference"]
    p, q, peak = reference["p"], reference["q"], reference["t_peak"]
    times = {int(t): share for t, share in reference["F(t)"].items()}
    figure, axes = plt.subplots()
    fine = np.linspace(0, 20, 400)
    axes.plot(fine, published.bass_curve(fine, p, q), "k", linewidth=0.8, label="closed form")
    within = published.stated(case, "dt=0.01: |F-ref|<0.004", 0.004)
    farthest = {}
    for dt in (1.0, 0.1, 0.01):
        shares = measure.bass_shares(p, q, dt, years=20, residents=100_000, luck=16).mean(axis=0)
        axes.plot(np.arange(shares.size) * dt, shares, label=f"mobsim, dt = {dt:g}")
        farthest[dt] = max(abs(shares[round(t / dt)] - share) for t, share in times.items())
    for t, share in times.items():
        yield near("S06", f"F({t}), dt = 0.01", share, shares[round(t / 0.01)], within)
    found = measure.time_of_peak(shares, 0.01, peak)
    yield near("S06", "time of the peak", peak, found, published.stated(case, "peak time within 0.05", 0.05))
    falls = farthest[1.0] > 2 * farthest[0.1] > 2 * farthest[0.01]
    text = ", ".join(f"{value:.4f} (dt = {dt:g})" for dt, value in farthest.items())
    yield Line("S06", "largest distance", "falls with dt", text, "", falls)
    picture(figure, axes, "s06", "years", "share of adopters")


def s09(case: Case) -> Iterator[Line]:
    """Six people: a million runs of each rule and start."""
    errors = published.stated(case, "every node probability within 4 s.e.", 4)
    for rule, starters in six.STARTS:
        with tempfile.TemporaryDirectory() as folder:
            if rule == "IC":
                copies, parts = 1_000, [{"luck": 1_000}]
            else:
                copies, parts = 20_000, [{"luck": 1, "communities": [part]} for part in range(50)]
            numbers = six.overrides_of(case, rule, starters, copies, Path(folder))
            reached = sum(measure.reached_nodes(six.SCENARIOS[rule], numbers, **part) for part in parts)
        runs = 1_000_000
        key = six.key_of(rule, starters)
        for node, entry in enumerate(case["reference"][key]["per_node"]):
            chance = float(published.text_number(entry))
            error = (chance * (1 - chance) / runs) ** 0.5
            yield near("S09", f"{key}, node {node}", chance, reached[node] / runs, errors * error, 5)
        statistic, limit = six.chi_square(case, rule, starters, reached, runs)
        met = statistic <= limit
        yield Line("S09", f"{key}, chi-square", f"≤ {limit:.1f}", f"{statistic:.1f}", "1 in 10,000", met)


def shipped_bands() -> Iterator[Line]:
    """Every limiting scenario as it ships, against the facts that it names."""
    for full in shipped_scenarios():
        folder, _, name = full.rpartition("/")
        for result in measure.bands(name) if folder == "limits" else []:
            low = "" if result.at_least is None else f"≥ {result.at_least:g}"
            high = "" if result.at_most is None else f"≤ {result.at_most:g}"
            band = ", ".join(filter(None, (low, high)))
            yield Line("limits", f"{name}: {result.fact}", band, f"{result.estimate:.4f}", "band", result.met)


def picture(figure: Any, axes: Any, name: str, x: str, y: str) -> None:
    """Finish and write one picture."""
    axes.set(xlabel=x, ylabel=y)
    axes.legend(frameon=False)
    FIGURES.mkdir(exist_ok=True)
    figure.savefig(FIGURES / f"{name}.png", dpi=110, metadata={"Software": None})
    plt.close(figure)


CASES: dict[str, Callable[[Case], Iterator[Line]]] = {
    "S01": s01, "S02": s02, "S03": s03, "S04": s04, "S05": s05, "S06": s06, "S09": s09,
}  # fmt: skip


def report(lines: list[Line], titles: dict[str, str]) -> str:
    """Return the report as Markdown."""
    missed = [line for line in lines if not line.met]
    text = [
        "# Verification: published cases at full size",
        "",
        "Written by `python -m verification.run`; references and tolerances are those of the cases' files.",
        "",
        f"{len(lines)} comparisons, {len(missed)} missed.",
    ]
    for name, title in titles.items():
        text += ["", f"## {name}: {title}", "", "| setting | reference | mobsim | tolerance | met |"]
        text += ["|---|---|---|---|---|"]
        for line in lines:
            if line.case == name:
                verdict = "yes" if line.met else "**no**"
                cells = (line.setting, line.reference, line.found, line.tolerance, verdict)
                text.append(f"| {' | '.join(cells)} |")
        if (FIGURES / f"{name.lower()}.png").exists():
            text += ["", f"![{title}](figures/{name.lower()}.png)"]
    return "\n".join(text) + "\n"


def main(arguments: list[str]) -> int:
    """Run all cases, or those named; return 1 if a number is missed."""
    folder = os.environ.get("MOBSIM_VALIDATION_DATA") or (arguments.pop(0) if arguments else None)
    if folder is None or not (Path(folder) / "cases").is_dir():
        sys.stderr.write("name the folder of cases/: python -m verification.run FOLDER [CASE ...]\n")
        return 2
    lines: list[Line] = []
    titles = {}
    for name in arguments or [*CASES, "limits"]:
        started = perf_counter()
        if name == "limits":
            titles[name] = "the shipped scenarios and their facts"
            found = list(shipped_bands())
        else:
            case = published.read_case(Path(folder) / "cases", name)
            titles[name] = case["title"]
            found = list(CASES[name](case))
        lines += found
        (HERE / "report.md").write_text(report(lines, titles), "utf-8")
        missed = sum(not line.met for line in found)
        seconds = perf_counter() - started
        sys.stdout.write(f"{name}: {len(found)} comparisons, {missed} missed, {seconds:.0f} s\n")
        sys.stdout.flush()
    return int(any(not line.met for line in lines))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
