import importlib
import pkgutil
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError

import agents
import casework
import schemas
import streams
from agents.failures import TREATMENTS, Action, as_markdown, treatment_of
from casework.errors import HotlineExchangeError
from streams.directory_feed import NoDirectoryError, PassedOverError
from streams.transport_errors import StoreError

PAGE = Path(__file__).parents[2] / "docs" / "errors.md"


def modules(package: ModuleType) -> list[ModuleType]:
    """Answer all modules of a package."""
    found = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    return [importlib.import_module(each.name) for each in found if not each.name.endswith("__main__")]


def errors() -> dict[str, type[Exception]]:
    """Answer every exception class that a worker's code defines."""
    return {
        f"{found.__module__}.{found.__name__}": found
        for package in (casework, schemas, streams, agents)
        for module in modules(package)
        for found in vars(module).values()
        if isinstance(found, type) and issubclass(found, Exception) and found.__module__ == module.__name__
    }


@pytest.mark.parametrize("error", errors().values(), ids=errors())
def test_every_error_of_ours_is_sorted(error: type[Exception]) -> None:
    """No class of the project is left to the row for any exception, or to the bare root of ours."""
    row = treatment_of(error)
    assert row.error is not Exception, "give it a row, or a parent that has one"
    assert row.error is not HotlineExchangeError or error is HotlineExchangeError, "put it into a group"


def test_a_class_has_one_row() -> None:
    """Which row counts never depends on the order of the table."""
    assert len({row.error for row in TREATMENTS}) == len(TREATMENTS)


@pytest.mark.parametrize(
    ("error", "intake", "casekeeper"),
    [
        (ZeroDivisionError(), Action.DEAD_LETTER, Action.PARK),
        (NoDirectoryError(), Action.STOP, Action.WAIT),
        (PassedOverError(), Action.STOP, Action.DEAD_LETTER),
        (StoreError(), Action.STOP, Action.TRY_AGAIN),
        (KafkaConnectionError(), Action.STOP, Action.WAIT),
        (OSError(), Action.STOP, Action.STOP),
        (MemoryError(), Action.STOP, Action.STOP),
    ],
)
def test_the_nearest_class_decides(error: Any, intake: Action, casekeeper: Action) -> None:  # noqa: ANN401 - any error
    """A subclass with a row of its own has that one; trouble of the machine parks nothing."""
    row = treatment_of(error)
    assert (row.intake, row.casekeeper) == (intake, casekeeper)


def test_readers_see_the_table() -> None:
    """docs/errors.md shows the table as it is."""
    assert as_markdown() in PAGE.read_text(encoding="utf-8"), "put agents.failures.as_markdown() into it"
