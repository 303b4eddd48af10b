"""The committed CRDs are what the models give."""

from pathlib import Path

from voyado_operator.api.crd import files


def test_the_committed_crds_are_what_the_generator_gives():
    committed = {path.name: path.read_text() for path in Path("crds").iterdir()}
    assert committed == files(), "run `make generate`"
