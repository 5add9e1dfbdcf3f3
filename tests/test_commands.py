"""The command line: each command run as a user would, in a process or by its `main`."""

import json
import os
import subprocess
import sys

import pytest

from numtensor.__main__ import main


def run(*words, **environment):
    return subprocess.run(
        [sys.executable, "-m", "numtensor", *words],
        capture_output=True,
        text=True,
        env=os.environ | environment,
        timeout=300,
        check=False,
    )


def test_info_says_what_a_bug_report_needs(capsys):
    assert main(["info"]) == 0
    shown = capsys.readouterr().out
    for word in ("numtensor", "Python", "numpy", "numba", "processor", "kernel store"):
        assert word in shown


def test_unknown_command_is_refused(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["dance"])
    assert stopped.value.code == 2
    assert "invalid choice" in capsys.readouterr().err


def test_warmup_then_cache_then_clear(tmp_path):
    store = {"NUMTENSOR_CACHE_DIR": str(tmp_path)}
    warmed = run("warmup", "--match", "arithmetic.neg", "--jobs", "1", **store)
    assert warmed.returncode == 0, warmed.stderr
    assert "kernels ready" in warmed.stdout
    files = list(tmp_path.rglob("*.kernel"))
    assert files
    assert str(len(files)) in run("cache", **store).stdout
    assert run("cache", "where", **store).stdout.strip() == str(tmp_path)
    cleared = run("cache", "clear", **store)
    assert f"removed {len(files)} files" in cleared.stdout
    assert not list(tmp_path.rglob("*.kernel"))


def test_warmup_without_a_store_explains_itself():
    refused = run("warmup", NUMTENSOR_CACHE="0")
    assert refused.returncode == 1
    assert "store" in refused.stderr


def test_warmup_refuses_an_unknown_dtype():
    refused = run("warmup", "--dtypes", "float33")
    assert refused.returncode == 1
    assert "float33" in refused.stderr


def test_warmup_refuses_a_text_that_is_in_no_name():
    refused = run("warmup", "--match", "no such kernel")
    assert refused.returncode == 1
    assert "no such kernel" in refused.stderr


def test_demo_reaches_its_accuracy_and_saves_its_results(tmp_path):
    done = run("demo", "--no-timing", "--output", str(tmp_path / "results"))
    assert done.returncode == 0, done.stderr
    accuracy = float(done.stdout.split("test accuracy: ")[1].split("%")[0])
    assert accuracy >= 97
    assert (tmp_path / "results" / "confusion.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "results" / "digits.safetensors").stat().st_size > 60_000
    # It says where they are.
    assert str(tmp_path / "results" / "confusion.png") in done.stdout


def test_bench_compares_and_writes_its_figures(tmp_path, capsys):
    figures, report = tmp_path / "figures.json", tmp_path / "report.md"
    words = ["bench", "--quick", "--group", "dispatch", "--rows", "add 10 *"]
    assert main([*words, "--json", str(figures), "--markdown", str(report)]) == 0
    lines = json.loads(figures.read_text())["lines"]
    assert [line["name"] for line in lines] == ["add 10 inference", "add 10 no_grad", "add 10 tracked"]
    assert all(line["figures"]["numtensor"] > 0 for line in lines)
    assert lines[0]["ratios"]["numpy"] > 0
    assert "| add 10 inference |" in report.read_text()
    assert report.read_text() in capsys.readouterr().out


def test_bench_says_that_no_row_matches(capsys):
    assert main(["bench", "--rows", "no such row"]) == 2
    assert "no such row" in capsys.readouterr().err
