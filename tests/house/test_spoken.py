"""What a person reads is data: no code of ours makes a sentence for them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[2] / "src" / "sayso"
ROOMS = ("confirmations", "consent", "inbound", "messages", "operate", "people")
#: What makes a message, or a part of one that is read.
MAKES = frozenset({"Text", "Buttons", "Button", "List", "Section", "Row"})
#: Modules that only put words together: no words of their own.
WORDLESS = (
    "confirmations/lines.py",
    "confirmations/told.py",
    "confirmations/phrases.py",
    "confirmations/render.py",
)
_WORDS = re.compile(r"[^\W\d_]{2,}")
_SENTENCE = re.compile(r"[^\W\d_]{2,} [^\W\d_]{2,}")


def literals(tree: ast.AST) -> Iterator[str]:
    """The strings in a piece of code."""
    return (
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def docstrings(tree: ast.AST) -> set[str]:
    """The strings that stand by themselves, which say what code is for."""
    return {
        text
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        for text in literals(node)
    }


def told(source: str) -> list[str]:
    """Literals that a message is made of; names of values and of phrases are looked up, so they are none."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MAKES:
            direct = [*node.args, *(each.value for each in node.keywords)]
            parts = [
                part
                for each in direct
                for part in (each.values if isinstance(each, ast.JoinedStr) else [each])
            ]
            found += [
                part.value
                for part in parts
                if isinstance(part, ast.Constant)
                and isinstance(part.value, str)
                and _WORDS.search(part.value)
            ]
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_no_message_is_made_of_words_in_the_code(room: str) -> None:
    for path in sorted((SOURCES / room).rglob("*.py")):
        assert told(path.read_text("utf-8")) == [], path


@pytest.mark.parametrize("module", WORDLESS)
def test_what_puts_words_together_has_none_of_its_own(module: str) -> None:
    tree = ast.parse((SOURCES / module).read_text("utf-8"))
    assert [text for text in literals(tree) if _SENTENCE.search(text) and text not in docstrings(tree)] == []


def test_a_sentence_in_the_code_is_found() -> None:
    assert told('Text(f"{what} is open")') == [" is open"]
    assert told('Buttons(body=phrase("open"), buttons=(Button(made, "Yes"),))') == ["Yes"]
    assert told('Text(phrase("undecided", language))') == []
