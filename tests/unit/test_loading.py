import gc

import pytest
from voyado_operator.loading import kept_for_good


@pytest.fixture(autouse=True)
def _thawed():
    yield
    gc.unfreeze()
    gc.enable()


def test_what_is_imported_is_no_garbage_and_what_comes_afterwards_may_be():
    before = gc.get_freeze_count()
    with kept_for_good():
        assert not gc.isenabled()
    assert gc.isenabled()
    assert gc.get_freeze_count() > before


def test_an_import_that_fails_does_not_end_the_collecting():
    with pytest.raises(ImportError), kept_for_good():
        raise ImportError
    assert gc.isenabled()
