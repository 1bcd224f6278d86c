"""lrs_soap.importing: no garbage is looked for while modules are imported, and it is again afterwards."""

import gc

import pytest

from lrs_soap import importing


@pytest.fixture(autouse=True)
def as_it_was():
    yield
    gc.unfreeze()
    gc.enable()


def test_garbage_is_looked_for_again_afterwards():
    made = gc.get_freeze_count()
    with importing.quickly():
        assert not gc.isenabled()
        kept = [[] for _ in range(100)]
    assert gc.isenabled() and gc.get_freeze_count() >= made + len(kept)


def test_also_after_a_module_that_cannot_be_imported():
    with pytest.raises(ImportError), importing.quickly():
        raise ImportError
    assert gc.isenabled()


def test_who_switched_it_off_keeps_it_off():
    gc.disable()
    with importing.quickly():
        pass
    assert not gc.isenabled()
