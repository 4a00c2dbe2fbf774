"""Password files: made for new users, taken as given where they are there, never open to others."""

from pathlib import Path

import pytest

from operations.passwords import PasswordFileError, Passwords


def test_a_new_password_is_in_a_file_of_its_owner_alone_and_stays(tmp_path: Path) -> None:
    """It is random, lies in NAME.password with mode 0600, and a second run answers the same."""
    home = tmp_path / "passwords"
    passwords = Passwords(home)
    first, other = passwords.of("gb-iwf"), passwords.of("nl-offlimits")
    file = home / "gb-iwf.password"
    assert file.read_bytes().strip() == first.reveal() != other.reveal()
    assert len(first.reveal()) >= 43
    assert (file.stat().st_mode & 0o777, home.stat().st_mode & 0o777) == (0o600, 0o700)
    assert Passwords(home).of("gb-iwf") == first
    assert sorted(path.name for path in home.iterdir()) == ["gb-iwf.password", "nl-offlimits.password"]


def test_a_password_that_was_brought_along_is_used(tmp_path: Path) -> None:
    """A file that is there is the password, without the line break at its end."""
    tmp_path.chmod(0o700)
    file = tmp_path / "gb-iwf.password"
    file.write_text("x" * 24 + "\n")
    file.chmod(0o600)
    assert Passwords(tmp_path).of("gb-iwf").reveal() == b"x" * 24


def test_what_others_can_read_or_is_short_is_refused_without_being_told(tmp_path: Path) -> None:
    """Open files, open directories and short passwords are refused, and no text shows a password."""
    tmp_path.chmod(0o700)
    file = tmp_path / "gb-iwf.password"
    file.write_text("secret-but-open-to-everybody")
    file.chmod(0o640)
    with pytest.raises(PasswordFileError, match="chmod 600") as found:
        Passwords(tmp_path).of("gb-iwf")
    file.write_text("hunter2")
    file.chmod(0o600)
    with pytest.raises(PasswordFileError, match="at least 24") as short:
        Passwords(tmp_path).of("gb-iwf")
    assert "secret-but" not in str(found.value)
    assert "hunter2" not in str(short.value)
    tmp_path.chmod(0o755)
    with pytest.raises(PasswordFileError, match="chmod 700"):
        Passwords(tmp_path)


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """The text names the path and the reason."""
    (tmp_path / "file").write_text("")
    with pytest.raises(PasswordFileError, match="file"):
        Passwords(tmp_path / "file")
