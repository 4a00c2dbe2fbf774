import logging

import pytest


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Let refused directories, of which there are thousands here, write no line; other tests read them."""
    caplog.set_level(logging.CRITICAL, logger="streams.directory_versions")
