"""One toy stack for the whole session: starting it takes three seconds."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tessera_local.stack import Stack

TOY = Path(__file__).parent / "toy" / "template.yaml"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents and "stack" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.stack)
            item.add_marker(pytest.mark.xdist_group("toy-stack"))


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    home = tmp_path_factory.mktemp("toy")
    with Stack(home, template=TOY, environment={"EXTRA": "1"}, integration_seconds=0.8) as stack:
        yield stack


@pytest.fixture
def toy() -> Path:
    return TOY
