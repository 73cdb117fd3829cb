"""What holds for all tests: whatever they start records to a folder of the suite's own."""

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def _recordings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OUTLIVE_RECORDING", str(tmp_path_factory.mktemp("recordings")))
        patch.delenv("OUTLIVE", raising=False)
        yield
