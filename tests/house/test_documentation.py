"""Every setting, error and metric has its row in the documentation, and every row its thing."""

import ast
import re
from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, FastAPI
from prometheus_client import Counter
from prometheus_client.metrics import MetricWrapperBase
from pydantic import BaseModel, Field

from sayso.app import ROUTERS
from sayso.core import errors, telemetry
from sayso.core.settings import Settings

PROJECT = Path(__file__).parents[2]
DOCS = PROJECT / "docs"
SETTINGS = {name.upper(): field for name, field in Settings.model_fields.items()}


def rows(document: str) -> dict[str, list[str]]:
    """Return the table rows of a page by what stands in their first cell."""
    table = {}
    for line in document.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `"):
            table[cells[0].strip("`")] = cells[1:]
    return table


def documented(page: str) -> dict[str, list[str]]:
    return rows((DOCS / page).read_text(encoding="utf-8"))


def test_every_setting_has_a_row_and_every_row_a_setting() -> None:
    assert sorted(documented("settings.md")) == sorted(SETTINGS)


def test_the_documented_defaults_are_the_real_ones() -> None:
    table = documented("settings.md")
    for name, field in SETTINGS.items():
        shown = table[name][0]
        if field.is_required():
            assert shown == "required", name
        elif isinstance(field.default, (str, int, Path)):
            assert shown.strip("`").removeprefix("./") == str(field.default), name


def test_every_setting_says_what_it_is() -> None:
    assert [name for name, field in SETTINGS.items() if not field.description] == []


def test_the_example_file_lists_every_setting_and_nothing_else() -> None:
    example = (PROJECT / ".env.example").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE)) == sorted(SETTINGS)


def error_codes(source: Path) -> dict[str, int]:
    """Return code and HTTP status of SaysoError and everything below it, read from the source."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in sorted(source.rglob("*.py"))]
    classes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    family = {"SaysoError": errors.SaysoError.status}
    codes = {errors.SaysoError.code: errors.SaysoError.status}
    grown = True
    while grown:
        grown = False
        for node in classes:
            parent = next(
                (base.id for base in node.bases if isinstance(base, ast.Name) and base.id in family), None
            )
            if parent is None or node.name in family:
                continue
            said = {
                target.id: part.value.value
                for part in node.body
                if isinstance(part, ast.Assign) and isinstance(part.value, ast.Constant)
                for target in part.targets
                if isinstance(target, ast.Name)
            }
            family[node.name] = int(str(said.get("status", family[parent])))
            codes[str(said.get("code", f"(none: {node.name})"))] = family[node.name]
            grown = True
    return codes


def test_every_error_has_a_row_and_every_row_an_error() -> None:
    table = {code: int(cells[0]) for code, cells in documented("errors.md").items()}
    assert table == error_codes(PROJECT / "src" / "sayso")


def test_every_error_row_says_what_to_do() -> None:
    assert [code for code, cells in documented("errors.md").items() if len(cells[2]) < 10] == []


def metrics() -> dict[str, tuple[str, set[str]]]:
    """Return type and labels of each metric by its full name."""
    found = [value for value in vars(telemetry).values() if isinstance(value, MetricWrapperBase)]
    assert set(found) == set(telemetry.METRICS._collector_to_names), "a metric has no name in telemetry.py"
    return {
        metric._name + ("_total" if metric._type == "counter" else ""): (
            str(metric._type),
            set(metric._labelnames),
        )
        for metric in found
    }


def test_every_metric_has_a_row_with_its_type_and_labels_and_every_row_a_metric() -> None:
    table = {
        name: (cells[0], set(re.findall(r"`(\w+)`", cells[1])))
        for name, cells in documented("metrics.md").items()
    }
    assert table == metrics()


def test_metrics_stand_in_telemetry_alone() -> None:
    others = [path for path in (PROJECT / "src" / "sayso").rglob("*.py") if path.name != "telemetry.py"]
    makers = re.compile(r"import .*\b(Counter|Gauge|Histogram|Summary)\b")
    from_prometheus = [p for p in others if "prometheus_client" in p.read_text(encoding="utf-8")]
    assert [path.name for path in from_prometheus if makers.search(path.read_text(encoding="utf-8"))] == []


def test_an_undocumented_error_would_be_noticed(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text(
        "class NewError(SaysoError):\n    status = 418\n    code = 'new'\n"
        "class NewerError(NewError):\n    code = 'newer'\n"
        "class Other(ValueError):\n    code = 'other'\n"
    )
    assert error_codes(tmp_path) == {"internal": 500, "new": 418, "newer": 418}


def test_an_undocumented_metric_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    forgotten = Counter("sayso_forgotten_total", "x", registry=None)
    monkeypatch.setattr(telemetry, "FORGOTTEN", forgotten, raising=False)
    monkeypatch.setitem(telemetry.METRICS._collector_to_names, forgotten, ["sayso_forgotten"])
    assert sorted(set(metrics()) - set(documented("metrics.md"))) == ["sayso_forgotten_total"]


def undescribed(document: dict[str, Any]) -> list[str]:
    """Fields of request bodies, at whatever depth, that nothing is said of."""
    schemas = document["components"]["schemas"]
    todo = [
        operation.get("requestBody") for path in document["paths"].values() for operation in path.values()
    ]
    seen: set[str] = set()
    while todo:
        names = set(re.findall(r"#/components/schemas/(\w+)", repr(todo.pop()))) - seen
        seen |= names
        todo += [schemas[name] for name in names]
    fields = ((name, *field) for name in seen for field in schemas[name].get("properties", {}).items())
    return sorted(f"{name}.{field}" for name, field, said in fields if "description" not in said)


def described(*routers: APIRouter) -> dict[str, Any]:
    app = FastAPI()
    for router in routers:
        app.include_router(router)
    return app.openapi()


def test_every_field_of_a_body_says_what_it_is() -> None:
    assert undescribed(described(*ROUTERS)) == []


def test_a_field_that_says_nothing_would_be_noticed() -> None:
    class Inner(BaseModel):
        deep: int

    class Outer(BaseModel):
        said: int = Field(description="It is said.")
        inner: Annotated[list[Inner], Field(description="More.")]

    async def take(body: Outer) -> None: ...

    router = APIRouter()
    router.add_api_route("/outer", take, methods=["POST"])
    assert undescribed(described(router)) == ["Inner.deep"]
