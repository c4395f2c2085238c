"""House rules, held by a test: who may import whom, what pure means, how long things may be."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("config", "exchange", "fix_engine", "matching", "sessions", "specs")
MAY_IMPORT = {
    "fix_engine": set[str](),
    "matching": set[str](),
    "config": set[str](),
    "specs": set[str](),
    "sessions": {"fix_engine", "config"},
    "exchange": {"fix_engine", "sessions", "matching", "config"},
}
#: Pure code is told the time and does no I/O. The venue is pure too, and all it is made of.
PURE_FILES = [
    *sorted((ROOT / "fix_engine").glob("*.py")),
    *sorted((ROOT / "matching").glob("*.py")),
    *(
        ROOT / "exchange" / f"{name}.py"
        for name in ("commands", "conditional", "events", "instruments", "logons", "orders")
    ),
    *(ROOT / "exchange" / f"{name}.py" for name in ("quote_reports", "quotes")),
    *sorted((ROOT / "exchange" / "requests").glob("*.py")),
    *sorted((ROOT / "exchange" / "venue").glob("*.py")),
    *(
        ROOT / "exchange" / "screens" / f"{name}.py"
        for name in ("book", "hub", "market", "protocol", "views")
    ),
]
#: The one that looks into the environment, once, to choose between two codecs that do the same.
CHOOSER = ROOT / "fix_engine" / "codec.py"
NOT_PURE = {"asyncio", "socket", "os", "random", "logging", "structlog", "uuid", "datetime"}
NOT_PURE_CALLS = {"open", "print", "input", "hash", "id"}
CLOCKS = {"time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "sleep", "now", "today"}
MAX_FUNCTION_LINES, MAX_FILE_LINES = 70, 500


def sources() -> list[Path]:
    """Every Python file that git knows or would take."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    return [ROOT / name for name in listed if (ROOT / name).exists()]


@cache
def parsed(path: Path) -> ast.Module:
    """A file that several rules look at."""
    return ast.parse(path.read_text())


def imported(tree: ast.AST) -> set[str]:
    """The top-level packages that a module imports."""
    names = set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


@pytest.mark.parametrize("package", PACKAGES)
def test_the_arrows_between_packages(package: str) -> None:
    for path in sorted((ROOT / package).rglob("*.py")):
        used = imported(parsed(path)) & set(PACKAGES) - {package}
        assert used <= MAY_IMPORT[package], f"{path.name} imports {used - MAY_IMPORT[package]}"


def test_every_package_is_installed() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    found = [one.parent for name in PACKAGES for one in (ROOT / name).rglob("__init__.py")]
    names = sorted(".".join(one.relative_to(ROOT).parts) for one in found)
    assert sorted(settings["tool"]["setuptools"]["packages"]) == names


@pytest.mark.parametrize("path", PURE_FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_pure_files_do_no_io_and_read_no_clock(path: Path) -> None:
    tree = parsed(path)
    impure = imported(tree) & (NOT_PURE - {"os"} if path == CHOOSER else NOT_PURE)
    assert not impure, f"{path.name} imports {impure}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in NOT_PURE_CALLS | CLOCKS, f"{path.name}:{node.lineno}"
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            clocks = {alias.name for alias in node.names} & CLOCKS
            assert not clocks, f"{path.name} reads a clock: {clocks}"


def test_the_core_uses_no_floats() -> None:
    for path in PURE_FILES:
        if path.parent.name == "fix_engine":
            continue
        for node in ast.walk(parsed(path)):
            is_float = isinstance(node, ast.Constant) and isinstance(node.value, float)
            is_division = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)
            assert not is_float, f"{path.name}: {ast.dump(node)}"
            assert not is_division, f"{path.name}: {ast.dump(node)}"


def test_files_and_functions_stay_short() -> None:
    too_long = []
    for path in sources():
        text = path.read_text()
        if text.count("\n") > MAX_FILE_LINES:
            too_long.append(f"{path.relative_to(ROOT)}: {text.count(chr(10))} lines")
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > MAX_FUNCTION_LINES:
                    too_long.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {lines}")
    assert not too_long, "\n".join(too_long)


def test_asyncio_stays_at_the_edge() -> None:
    users = {
        f"{path.parent.name}/{path.name}"
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if "asyncio" in imported(parsed(path))
    }
    assert users == {
        "exchange/service.py",
        "screens/gateway.py",
        "screens/running.py",
        "screens/server.py",
        "sessions/acceptor.py",
        "sessions/connection.py",
        "sessions/entrance.py",
        "sessions/server.py",
        "sessions/snapshotter.py",
        "sessions/transport.py",
    }


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-fuzz.txt"])
def test_every_pinned_dependency_has_a_hash_and_no_address(name: str) -> None:
    text = (ROOT / name).read_text()
    assert "://" not in text
    for block in re.split(r"\n(?=\S)", text.strip()):
        assert "--hash=sha256:" in block, block


def test_no_test_is_skipped_and_nothing_is_left_to_do() -> None:
    words = "|".join(("TO" + "DO", "FIX" + "ME", "xf" + "ail", r"mark\.sk" + "ip"))
    for path in sources():
        found = re.search(words, path.read_text())
        assert found is None, f"{path.relative_to(ROOT)}: {found and found.group()}"
