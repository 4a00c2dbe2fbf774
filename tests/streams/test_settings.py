import re
from pathlib import Path

import msgspec
import pytest

from streams.secret_sources import Secret
from streams.settings import Settings, SettingsError

PRODUCTION = {"HX_ENVIRONMENT": "production", "HX_DIRECTORY_TRUST": "trust.json"}
OWN_KEY = "ab" * 32


def test_environment_beats_file_beats_default(tmp_path: Path) -> None:
    """Each source fills only what no stronger source says."""
    file = tmp_path / "exchange.toml"
    file.write_text('partitions = 24\nbootstrap = "kafka.example:9092"\n')
    settings = Settings.load({"HX_PARTITIONS": "48", "HX_SETTINGS": str(file)})
    assert (settings.partitions, settings.bootstrap, settings.replication) == (48, "kafka.example:9092", 1)


@pytest.mark.parametrize(
    ("env", "parts"),
    [
        ({"HX_PARTITIONS": "many"}, ("HX_PARTITIONS='many': expected a whole number, at least 1",)),
        ({"HX_PARTITIONS": "0"}, ("HX_PARTITIONS='0': expected a whole number, at least 1",)),
        ({"HX_ERASURE_DAYS": "4.5"}, ("HX_ERASURE_DAYS='4.5': expected a whole number, at least 8",)),
        (
            {"HX_SESSION_TIMEOUT_S": "x"},
            ("HX_SESSION_TIMEOUT_S='x': expected a number, at least 6 and at most",),
        ),
        ({"HX_HEARTBEAT_S": "0"}, ("HX_HEARTBEAT_S='0': expected a number, above 0",)),
        ({"HX_INSTANCE_ID": "a b"}, ("HX_INSTANCE_ID='a b': expected 1 to 100 letters",)),
        ({"HX_TOPIC_PREFIX": "A"}, ("HX_TOPIC_PREFIX='A': expected at most 60 small letters",)),
        ({"HX_PARTITION": "12"}, ("HX_PARTITION", "unknown", "did you mean HX_PARTITIONS?")),
        ({"HX_ENVIRONMENT": "prod"}, ("HX_ENVIRONMENT", "'prod'", "expected one of demo, test, production")),
        (
            {"HX_BOOTSTRAP": "kafka"},
            ("HX_BOOTSTRAP", "'kafka'", "expected host:port, several separated by commas"),
        ),
        ({"HX_MIN_INSYNC": "2"}, ("HX_MIN_INSYNC", "2", "at most replication=1")),
        ({"HX_HEARTBEAT_S": "3"}, ("HX_HEARTBEAT_S", "3.0", "a third of the session timeout")),
        ({"HX_SESSION_TIMEOUT_S": "45"}, ("HX_SESSION_TIMEOUT_S", "45", "30")),
        ({"HX_TOPIC_MAX_BYTES": "200000"}, ("HX_TOPIC_MAX_BYTES", "200000", "largest submission")),
        ({"HX_CLOCK": "fast"}, ("HX_CLOCK", "'fast'", "ORIGIN@REAL_MSxFACTOR")),
        ({"HX_DIRECTORY": ""}, ("HX_DIRECTORY", "''", "expected the path of a file or directory")),
        ({"HX_SETTINGS": "missing.toml"}, ("missing.toml", "No such file")),
    ],
)
def test_errors_name_key_value_and_rule(env: dict[str, str], parts: tuple[str, ...]) -> None:
    """An operator reads in one sentence which key has which value and what was expected."""
    with pytest.raises(SettingsError) as caught:
        Settings.load(env)
    assert all(part in str(caught.value) for part in parts), caught.value


def test_an_unknown_key_of_the_file_is_refused_with_its_place(tmp_path: Path) -> None:
    """A mistyped key in the file is named with the file and the nearest known key."""
    file = tmp_path / "exchange.toml"
    file.write_text("replicaton = 3\n")
    with pytest.raises(SettingsError, match=rf"replicaton in {re.escape(str(file))}.*mean replication\?"):
        Settings.load({}, file)


@pytest.mark.parametrize("text", ["zz" * 32, "ab" * 31, "ab" * 33])
def test_a_malformed_network_key_is_refused_without_showing_it(text: str) -> None:
    """Neither the error nor its causes repeat a part of the secret."""
    with pytest.raises(SettingsError, match="32 bytes as 64 hex digits") as caught:
        Settings.load({"HX_NETWORK_KEY": text})
    assert text[:6] not in str(caught.value)
    assert caught.value.__cause__ is not None
    assert caught.value.__cause__.__cause__ is None


def test_the_network_key_never_shows() -> None:
    """No representation of the settings holds the secret; only reveal gives it."""
    settings = Settings.load({"HX_NETWORK_KEY": OWN_KEY})
    assert settings.network_key.reveal() == bytes.fromhex(OWN_KEY)
    for shown in (repr(settings), str(settings), f"{settings.network_key}"):
        assert OWN_KEY[:8] not in shown
        assert "****" in shown


@pytest.mark.parametrize(
    ("env", "key"),
    [
        ({**PRODUCTION, "HX_CLOCK": "2022-01-03T00:00:00Z@1700000000000x600"}, "HX_CLOCK"),
        ({"HX_ENVIRONMENT": "production"}, "HX_DIRECTORY_TRUST is not set"),
        ({**PRODUCTION, "HX_NETWORK_KEY": OWN_KEY}, "HX_NETWORK_KEY is not taken"),
    ],
)
def test_production_refuses_simulated_time_unsigned_directories_and_keys_in_settings(
    env: dict[str, str], key: str
) -> None:
    """What would put test data, an unproven directory or a readable key into production stops the process."""
    with pytest.raises(SettingsError, match=key) as caught:
        Settings.load(env)
    assert OWN_KEY not in str(caught.value)


def test_production_starts_with_an_anchor_and_the_machines_clock() -> None:
    """With the signers of the first directory and the machine's clock nothing is refused."""
    assert Settings.load(PRODUCTION).environment == "production"


def test_settings_reach_another_process_unchanged(tmp_path: Path) -> None:
    """What as_environment gives is read as equal settings, the secret included."""
    settings = Settings(
        environment="test",
        topic_prefix="t1.",
        partitions=3,
        directory=tmp_path / "directory.yaml",
        network_key=Secret(bytes.fromhex(OWN_KEY)),
        clock="2022-01-03T00:00:00Z@1700000000000x600",
    )
    assert Settings.load(settings.as_environment()) == settings


def test_every_field_has_one_documented_line() -> None:
    """An operator finds each setting in the help of the class."""
    documented = set(re.findall(r"^\s+(\w+): ", Settings.__doc__ or "", re.MULTILINE))
    assert documented == {field.name for field in msgspec.structs.fields(Settings)}
