"""Files, functions and letters stay short enough to read in one go, and names say what they are."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
FILE_LINES = 400
FUNCTION_LINES = 40
LETTER_LINES = 60
EMPTY_WORDS = {"base", "common", "helper", "helpers", "manager", "managers", "misc", "util", "utils"}


def sources(root: Path) -> Iterator[Path]:
    for folder in ("src", "tests", "bench", "scripts"):
        yield from sorted((root / folder).rglob("*.py"))


def long_files(root: Path) -> list[str]:
    counted = [(path, len(path.read_text(encoding="utf-8").splitlines())) for path in sources(root)]
    return [f"{path.relative_to(root)}: {lines} lines" for path, lines in counted if lines > FILE_LINES]


def long_functions(root: Path) -> list[str]:
    found = []
    for path in sources(root):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > FUNCTION_LINES:
                    found.append(f"{path.relative_to(root)}:{node.lineno} {node.name}: {lines} lines")
    return found


def empty_names(root: Path) -> list[str]:
    names = {part for path in sources(root) for part in path.relative_to(root).with_suffix("").parts}
    return sorted(name for name in names if EMPTY_WORDS & set(name.lower().split("_")))


def without_reason(root: Path) -> list[str]:
    texts = ((path, path.read_text(encoding="utf-8")) for path in sources(root))
    return [str(path.relative_to(root)) for path, text in texts if not ast.get_docstring(ast.parse(text))]


def long_letters(root: Path) -> list[str]:
    letters = sorted((root / "docs" / "decisions").glob("*.md"))
    counted = [(path.name, len(path.read_text(encoding="utf-8").splitlines())) for path in letters]
    return [f"{name}: {lines} lines" for name, lines in counted if lines > LETTER_LINES]


def test_no_file_is_longer_than_400_lines() -> None:
    assert long_files(PROJECT) == []


def test_no_function_is_longer_than_40_lines() -> None:
    assert long_functions(PROJECT) == []


def test_no_module_hides_behind_a_word_that_says_nothing() -> None:
    assert empty_names(PROJECT) == []


def test_every_module_says_its_reason_in_its_first_line() -> None:
    assert without_reason(PROJECT) == []


def test_no_decision_letter_is_longer_than_60_lines() -> None:
    assert long_letters(PROJECT) == []


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """Return a project that breaks each of these rules once."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "long.py").write_text('"""Long."""\n' + "x = 1\n" * FILE_LINES)
    (tmp_path / "src" / "wide.py").write_text('"""Wide."""\n\n\ndef f():\n' + "    x = 1\n" * FUNCTION_LINES)
    (tmp_path / "src" / "text_utils.py").write_text("x = 1\n")
    (tmp_path / "docs" / "decisions").mkdir(parents=True)
    (tmp_path / "docs" / "decisions" / "0001-x.md").write_text("x\n" * (LETTER_LINES + 1))
    return tmp_path


def test_each_of_these_rules_notices_when_it_is_broken(broken: Path) -> None:
    assert long_files(broken) == ["src/long.py: 401 lines"]
    assert long_functions(broken) == ["src/wide.py:4 f: 41 lines"]
    assert empty_names(broken) == ["text_utils"]
    assert without_reason(broken) == ["src/text_utils.py"]
    assert long_letters(broken) == ["0001-x.md: 61 lines"]
