"""The benchmark's machinery: what is compared, selected and reported. Contestants are small ones of its own."""

import gc
import importlib
import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

import numtensor as nt
from numtensor.bench import data, goals, processes, report, runner
from numtensor.bench.contestants import CONTESTANTS, Contestant, variables
from numtensor.bench.declare import MODES, Group, Row, short
from numtensor.bench.groups import GROUPS
from numtensor.bench.timing import Timed, medians, rounds_of

REPOSITORY = Path(__file__).parent.parent
FAST = runner.Options(rounds=2, seconds=1e-5)


class Plain(Contestant):
    """NumPy under any name."""

    packages = ("numpy",)

    def __init__(self, name):
        self.name = self.title = name

    def modules(self):
        return {"np": np}


PLAIN = {name: Plain(name) for name in ("numtensor", "torch", "numpy")}


def prepare(case, contestant):
    text = case.programs()[contestant.name]
    return contestant.forward(text, data.values(variables(text), case.size), case.mode)


def group_of(*rows):
    return Group("tiny", "a few rows", list(rows), runner.timed, prepare, sizes=(3, 10))


AGREEING = Row("double", "x + x", numpy="x * 2")
DIFFERING = Row("wrong", "x + x", numpy="x * 3")
RAISING = Row("raising", "x + x", torch="x + nothing")


def lines_of(*rows):
    return [runner.run_case(case, PLAIN, FAST) for case in group_of(*rows).cases()]


def test_a_row_that_agrees_is_timed():
    for line in lines_of(AGREEING):
        assert line["failure"] is None
        assert set(line["figures"]) == {"numtensor", "torch", "numpy"}
        assert set(line["ratios"]) == {"torch", "numpy"}
        assert all(value > 0 for value in (*line["figures"].values(), *line["ratios"].values()))


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ([np.float32(2.1)], "differ by up to 0.1"),
        ([np.zeros((1, 1))], "shape"),
        ([np.float32(2), np.float32(2)], "2 results"),
        ([np.float32("nan")], "differ"),
    ],
)
def test_mismatch_is_described(other, message):
    with pytest.raises(runner.Mismatch, match=message):
        runner.check_equal({"numtensor": [np.float32(2)], "other": other}, 1e-4, 1e-5)


def test_equal_results_pass():
    runner.check_equal({"numtensor": [np.float32("nan")], "other": [np.float64("nan")]}, 0, 0)


def test_a_row_that_disagrees_is_not_timed():
    first, _ = lines_of(DIFFERING)
    assert first["failure"].startswith("Mismatch: numpy and numtensor differ")
    assert first["figures"] == {} and first["ratios"] == {}


def test_a_row_that_raises_says_what():
    first, _ = lines_of(RAISING)
    assert first["failure"] == "NameError: name 'nothing' is not defined"


def test_ratios_are_medians_of_the_rounds():
    def measure(case, contestants, options):
        return {"numtensor": [1.0, 2.0, 4.0], "torch": [3.0, 4.0, 4.0]}

    group = Group("tiny", "", [AGREEING], measure)
    (line,) = [runner.run_case(case, PLAIN, FAST) for case in group.cases()]
    assert line["figures"] == {"numtensor": 2.0, "torch": 4.0}
    assert line["ratios"] == {"torch": 2.0}


# ---------------------------------------------------------------------------------------------------------------------
# Timing


def test_a_statement_is_repeated_as_often_as_said():
    counted = []
    timed = Timed("counted.append(1)", {"counted": counted})
    assert timed.measure(7) > 0
    assert len(counted) == 7


def test_contestants_are_measured_inside_their_manager_and_in_turn():
    order = []

    class Manager:
        def __init__(self, name):
            self.name = name

        def __enter__(self):
            order.append(self.name)

        def __exit__(self, *error):
            pass

    timed = {name: Timed("pass", manager=lambda name=name: Manager(name)) for name in "ab"}
    samples = rounds_of(timed, rounds=3, seconds=1e-6)
    assert order[-6:] == ["a", "b", "b", "a", "a", "b"]
    assert {name: len(values) for name, values in samples.items()} == {"a": 3, "b": 3}
    assert medians(samples).keys() == {"a", "b"}


def test_loops_fill_the_time_asked_for():
    class Steady(Timed):
        def measure(self, loops):
            return 1e-5

    assert Steady("pass").loops_for(0.01) == 1000
    assert Steady("pass").loops_for(1e-6) == 1


# ---------------------------------------------------------------------------------------------------------------------
# Rows


def test_rows_are_selected_by_text_and_by_pattern():
    group = group_of(AGREEING, DIFFERING)
    names = [case.name for case in group.cases()]
    assert names == ["double 3", "double 10", "wrong 3", "wrong 10"]
    assert [case.name for case in group.cases("double")] == names[:2]
    assert [case.name for case in group.cases("* 10")] == [names[1], names[3]]
    assert group.cases("nothing") == []


def test_peers_without_modes_stand_beside_inference_mode_only():
    cases = Group("tiny", "", [AGREEING], None, modes=MODES).cases()
    assert ["numpy" in case.programs() for case in cases] == [True, False, False]


def test_sizes_are_written_short():
    assert [short(n) for n in (1, 64, 100, 1000, 1024, 100_000, 4_000_000)] == [
        "1", "64", "100", "1e3", "1024", "1e5", "4e6",
    ]  # fmt: skip


@pytest.mark.parametrize("group", GROUPS.values(), ids=GROUPS)
def test_names_are_unique_and_contestants_known(group):
    names = [case.name for case in group.cases()]
    assert names and len(names) == len(set(names))
    for row in group.rows:
        assert row.programs.keys() <= CONTESTANTS.keys()
        assert "numtensor" in row.programs


IN_PROCESS = [(group.name, case.name) for group in GROUPS.values() if group.prepare for case in group.cases()]


@pytest.fixture(autouse=True)
def as_many_threads_as_before():
    """Undo what rows by several threads choose."""
    before = nt.get_num_threads()
    yield
    nt.set_num_threads(before)


@pytest.mark.parametrize(("group", "name"), [pair for pair in IN_PROCESS if "4e6" not in pair[1]])
def test_every_row_runs_and_agrees_with_numpy(group, name):
    (case,) = [case for case in GROUPS[group].cases() if case.name == name]
    present = [CONTESTANTS[one] for one in ("numtensor", "numpy") if one in case.programs()]
    ready = {one.name: GROUPS[group].prepare(case, one) for one in present}
    for one in ready.values():
        assert one.timed.measure(1) > 0
    runner.check_equal({n: one.result() for n, one in ready.items() if one.result}, case.row.rtol, case.row.atol)


def test_data_is_the_same_every_time():
    first = data.draw("x", 10).copy()
    data.draw.cache_clear()
    assert np.array_equal(first, data.draw("x", 10))


# ---------------------------------------------------------------------------------------------------------------------
# Processes


def test_a_group_runs_in_a_process_of_its_own():
    lines = list(runner.run_group(GROUPS["dispatch"], "zeros(4)*", quick=True))
    assert [line["mode"] for line in lines] == list(MODES)
    assert all(line["figures"]["numtensor"] > 0 for line in lines)


def test_rows_of_a_process_that_dies_are_reported(monkeypatch):
    popen = subprocess.Popen
    monkeypatch.setattr(runner.subprocess, "Popen", lambda command, **options: popen(["false"], **options))
    lines = list(runner.run_group(GROUPS["dispatch"], "zeros(4)*", quick=True))
    assert [line["failure"] for line in lines] == ["the process of the group ended with 1"] * 3


def test_a_process_has_one_thread_and_this_numtensor(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--mine")
    found = runner.environment()
    assert found["OMP_NUM_THREADS"] == found["OPENBLAS_NUM_THREADS"] == found["MKL_NUM_THREADS"] == "1"
    assert found["XLA_FLAGS"].startswith("--mine ")


def test_processes_are_compared():
    commands = {name: ("-c", f"results = [{value}]" + processes.REPORT) for name, value in (("numtensor", 1), ("b", 1))}
    samples = processes.rounds_of(commands, 2, lambda seconds, printed: printed["peak"], 0, 0)
    assert all(value > 1_000_000 for values in samples.values() for value in values)
    commands["b"] = ("-c", "results = [2]" + processes.REPORT)
    with pytest.raises(runner.Mismatch):
        processes.rounds_of(commands, 1, lambda seconds, printed: seconds, 0, 0)


def test_a_process_that_fails_says_why():
    with pytest.raises(RuntimeError, match="ended with 1: ValueError: no"):
        processes.run("-c", "raise ValueError('no')")


@pytest.mark.parametrize(
    ("group", "pattern", "least"), [("start", "peak", 10_000_000), ("size", "", 100_000), ("memory", "", 4 << 20)]
)
def test_groups_of_processes_give_figures(group, pattern, least, monkeypatch):
    for module in ("rows_start", "rows_memory"):
        monkeypatch.setattr(f"numtensor.bench.{module}.ROUNDS", 1)
    present = {name: CONTESTANTS[name] for name in ("numtensor", "numpy")}
    for case in GROUPS[group].cases(pattern):
        line = runner.run_case(case, present, FAST)
        assert line["failure"] is None
        assert all(value >= least for value in line["figures"].values())


# ---------------------------------------------------------------------------------------------------------------------
# asv's benchmarks, which run the same rows


@pytest.fixture
def asv_benchmarks(monkeypatch):
    """Return a function that imports a module of asv's, whose package changes the path and the environment."""
    monkeypatch.syspath_prepend(REPOSITORY)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(name, os.environ.get(name, "1"))
    return lambda name: importlib.import_module(f"asv_bench.benchmarks.{name}")


def test_asv_tracks_rows_of_every_group_in_one_process(asv_benchmarks):
    rows = asv_benchmarks("rows")
    classes = [kind for kind in vars(rows).values() if isinstance(kind, type) and hasattr(kind, "params")]
    assert {kind.group for kind in classes} == {group for group, _ in IN_PROCESS}
    for kind in classes:
        (names,) = kind.params
        benchmark = kind()
        benchmark.setup(names[0])
        assert 0 < benchmark.track_row(names[0]) < 1


@pytest.mark.parametrize("mode", MODES)
def test_asv_times_every_op(asv_benchmarks, mode):
    ops = asv_benchmarks("ops")
    names, modes = ops.Ops.params
    assert "mul" in names and mode in modes
    benchmark = ops.Ops()
    benchmark.setup("mul", mode)
    benchmark.time_op("mul", mode)
    benchmark.teardown("mul", mode)


def test_asv_counts_what_a_family_leaves_behind(asv_benchmarks):
    counted = asv_benchmarks("ops").Allocations()
    counted.setup("power", "inference")
    try:
        objects = [counted.track_objects("power", mode) for mode in MODES]
    finally:
        gc.unfreeze()
    # A tensor and its array for each op; then metadata; then what recording adds.
    assert 0 < objects[0] < objects[1] < objects[2]
    assert objects[0] % 2 == 0


# ---------------------------------------------------------------------------------------------------------------------
# Report


def line(name, failure=None, unit="s", **ratios):
    figures = {} if failure else {"numtensor": 1e-6, **{peer: ratio * 1e-6 for peer, ratio in ratios.items()}}
    return {"group": "tiny", "name": name, "unit": unit, "figures": figures, "ratios": ratios, "failure": failure}


LINES = [line("a", torch=4.0, numpy=2.0), line("b", torch=0.5), line("c", numpy=0.8), line("d", failure="x | y\nz")]


def test_summary_tells_means_and_losses():
    found = report.summary(LINES)["tiny"]
    assert found["lines"] == 4 and found["failed"] == ["d"]
    assert found["mean"] == pytest.approx(2**0.5)
    assert found["behind"] == ["b"] and found["worst"] == ("b", 0.5)
    assert found["ahead_of_best"] == pytest.approx(1 / 3)
    assert found["worst_to_best"] == ("b", 0.5, "torch")


def test_summary_without_peers_is_empty():
    found = report.summary([line("alone")])["tiny"]
    assert found["mean"] is found["worst"] is found["ahead_of_best"] is None


def test_markdown_is_well_formed():
    document = {"machine": {"cores": 2}, "summary": report.summary(LINES), "lines": LINES}
    text = report.markdown(json.loads(json.dumps(document)), {"tiny": "a few rows"})
    tables = [part for part in text.split("\n\n") if part.startswith("|")]
    assert len(tables) == 2
    for part in tables:
        assert len({row.count("|") for row in part.splitlines()}) == 1
    assert "**0.50**" in text and "| 4.00 |" in text
    assert "FAILED: x / y z" in text
    assert "## tiny: a few rows" in text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(1.234e-6, "s", "1.23 us"), (0.0123, "s", "12.3 ms"), (2.5, "s", "2.50 s"), (12_600_000, "B", "12.6 MB")],
)
def test_amounts(value, unit, text):
    assert report.amount(value, unit) == text


# ---------------------------------------------------------------------------------------------------------------------
# Goals


def dispatch_line(name, ours, **figures):
    ratios = {peer: figure / ours for peer, figure in figures.items()}
    both = {"numtensor": ours, **figures}
    return {"group": "dispatch", "name": name, "unit": "s", "figures": both, "ratios": ratios, "failure": None}


def test_goals_find_the_line_that_misses_them():
    lines = [
        dispatch_line("add inference", 1.0e-6, torch=4e-6, numpy=0.5e-6),
        dispatch_line("mul inference", 1.2e-6, torch=2.4e-6, numpy=1.0e-6),
    ]
    found = {goal.text: rest for goal, *rest in goals.checked(lines)}
    assert found["slowest line against PyTorch"] == [2.0, "mul inference", True]
    value, name, holds = found["nanoseconds beyond NumPy in inference mode"]
    assert (round(value), name, holds) == (500, "add inference", False)
    assert found["geometric mean against PyTorch"][0] == pytest.approx(8**0.5)


def test_goals_without_lines_are_left_out():
    assert goals.checked([]) == []


def test_goals_are_about_lines_that_exist():
    """Every goal finds its figure in lines of every case and contestant."""
    lines = [
        {
            "group": group.name,
            "name": case.name,
            "figures": dict.fromkeys(case.programs(), 1e-6),
            "ratios": {name: 10.0 for name in case.programs() if name != "numtensor"},
            "failure": None,
        }
        for group in GROUPS.values()
        for case in group.cases()
    ]
    assert [goal for goal, *_ in goals.checked(lines)] == goals.GOALS
    assert "**no**" not in report.goals_table(goals.checked(lines))
