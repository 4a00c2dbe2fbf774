import pickle
from pathlib import Path

import pytest

from streams.secret_sources import Secret, SecretSourceError, read_secret

VALUE = "correct horse battery staple"


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """Answer a file with a secret that only its owner may read."""
    path = tmp_path / "key"
    path.write_text(VALUE + "\n")
    path.chmod(0o600)
    return path


def test_a_file_of_its_owner_alone_gives_its_bytes(key_file: Path) -> None:
    """A file with mode 0600 answers what it holds without the line end."""
    assert read_secret(f"file:{key_file}", "key").reveal() == VALUE.encode()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_a_file_that_others_may_use_is_refused(key_file: Path, mode: int) -> None:
    """Any right of group or others is refused, and the text says what to do and not what it holds."""
    key_file.chmod(mode)
    with pytest.raises(SecretSourceError, match="chmod 600") as caught:
        read_secret(f"file:{key_file}", "key")
    assert VALUE not in str(caught.value)


def test_the_environment_and_a_command_are_sources(key_file: Path) -> None:
    """A variable and a command's output are secrets like a file's content."""
    assert read_secret("env:HX_TRY", "key", {"HX_TRY": VALUE}).reveal() == VALUE.encode()
    assert read_secret(f"command:cat '{key_file}'", "key").reveal() == VALUE.encode()


@pytest.mark.parametrize(
    ("address", "rule"),
    [
        (VALUE, "expected file:PATH"),
        (f"https:{VALUE}", "expected file:PATH"),
        ("file:", "expected file:PATH"),
        ("file:/nowhere/at/all", "No such file"),
        ("file:/dev/null", "no regular file"),
        ("env:HX_NOT_THERE", "not set"),
        ("command:false", "ended with 1"),
        ("command:/nowhere/at/all", "did not run"),
        ("command:'", "split into words"),
        ("command:true", "holds nothing"),
    ],
)
def test_what_is_no_source_is_refused_without_repeating_it(address: str, rule: str) -> None:
    """Each wrong address is told by its rule, and a secret in place of an address is not repeated."""
    with pytest.raises(SecretSourceError, match=rule) as caught:
        read_secret(address, "signing_key", {})
    assert VALUE not in str(caught.value)
    assert str(caught.value).startswith("signing_key: ")


def test_a_secret_shows_nowhere() -> None:
    """Neither its representation nor a pickle gives a secret away."""
    secret = Secret(VALUE.encode())
    assert VALUE not in f"{secret} {secret!r} {[secret]}"
    with pytest.raises(TypeError):
        pickle.dumps(secret)
