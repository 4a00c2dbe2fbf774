"""The private pieces of Faust and aiokafka are still the ones that the transport was written for."""

import pytest

from streams import faust_hooks
from streams.faust_hooks import HOOKS, Hook, check_versions
from streams.transport_errors import ConfigurationError


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook.name)
def test_hook_is_unchanged_upstream(hook: Hook) -> None:
    """A changed private function is named here, before it can lose a record."""
    assert hook.source_fingerprint() == hook.fingerprint, f"{hook.module}.{hook.name} changed: {hook.why}"


def test_installed_versions_are_the_pinned_ones() -> None:
    """The start-up check accepts this environment."""
    check_versions()


def test_other_versions_are_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong or missing package stops the start with its name and both versions."""
    monkeypatch.setattr(faust_hooks, "PINNED", {"aiokafka": "0.13.0"})
    with pytest.raises(ConfigurationError, match=r"aiokafka 0\.13\.0 is needed, 0\.14\.0 is installed"):
        check_versions()
    monkeypatch.setattr(faust_hooks, "PINNED", {"no-such-package": "1"})
    with pytest.raises(ConfigurationError, match="no-such-package 1 is needed, none is installed"):
        check_versions()


def test_pure_python_faust_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Faust without its compiled iterator acknowledges events of an old generation, so we do not start."""
    monkeypatch.setattr("faust.streams._CStreamIterator", None)
    with pytest.raises(ConfigurationError, match="NO_CYTHON"):
        check_versions()
