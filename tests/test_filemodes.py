"""Files that others on the machine may not read: made so, kept so, refused if they are not."""

import os
import stat

import pytest

from lrs_soap import filemodes

pytestmark = pytest.mark.skipif(os.name != "posix", reason="file modes are those of POSIX")


@pytest.mark.parametrize("before", [None, 0o644, 0o666, 0o600, 0o400])
def test_a_private_file_is_its_owners_whatever_it_was(tmp_path, before):
    path = tmp_path / "export.json"
    if before is not None:
        path.write_text("older and longer")
        path.chmod(before)
        if before == 0o400 and os.geteuid():
            pytest.skip("only root may write it")
    umask = os.umask(0)
    try:
        with open(filemodes.open_private(path, os.O_TRUNC), "w") as file:
            file.write("new")
    finally:
        os.umask(umask)
    assert (stat.S_IMODE(path.stat().st_mode), path.read_text()) == (0o600, "new")


def test_what_is_no_file_stays_as_it_is():
    before = os.stat(os.devnull).st_mode
    os.close(filemodes.open_private(os.devnull, os.O_TRUNC))
    assert os.stat(os.devnull).st_mode == before


@pytest.mark.parametrize(
    ("mode", "readable", "writable"), [(0o600, False, False), (0o660, False, False), (0o604, True, False), (0o602, True, True)]
)
def test_what_everybody_may_do_is_refused(tmp_path, mode, readable, writable):
    path = tmp_path / "key"
    path.touch()
    path.chmod(mode)
    for refuse, refused in ((filemodes.refuse_readable, readable), (filemodes.refuse_writable, writable)):
        if refused:
            with pytest.raises(filemodes.Exposed, match="chmod"):
                refuse(path, "the key")
        else:
            refuse(path, "the key")


def test_a_file_that_is_not_there_is_nobodys(tmp_path):
    filemodes.refuse_readable(tmp_path / "none", "the key")
    filemodes.refuse_exposed_database(f"sqlite:///{tmp_path}/none")
    filemodes.refuse_exposed_database("postgresql+psycopg://db.example/lrs")
