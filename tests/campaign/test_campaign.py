"""A campaign: random sequences of everything that can happen around runs, judged by the invariants.

CAMPAIGN= how many sequences, CAMPAIGN_SEED= the first one's seed. The test suite plays the same hundred every time, as
a test that fails now and then tells nothing of the change it fails on; `make chaos` plays others each time.
"""

import os
from collections.abc import Iterator

import pytest

from tests.campaign.drawing import SLICES, Sequence, drawn
from tests.campaign.playing import Theatre, shortened

SEQUENCES = int(os.environ.get("CAMPAIGN", "100"))
FIRST = int(os.environ.get("CAMPAIGN_SEED", "1"))
PARTS = 10  # so that a failure of one does not hide those of the others


@pytest.fixture(scope="module")
def theatre() -> Iterator[Theatre]:
    running = Theatre()
    yield running
    running.close()


@pytest.mark.parametrize("part", range(PARTS))
def test_no_sequence_breaks_an_invariant(part: int, theatre: Theatre) -> None:
    seeds = range(FIRST + part, FIRST + SEQUENCES, PARTS)
    print(f"seeds {seeds.start} to {seeds.stop - 1}, every {PARTS}th")
    for seed in seeds:
        sequence = drawn(seed)
        broken, _ = theatre.play(sequence)
        if broken:
            pytest.fail(told(seed, sequence, broken, theatre), pytrace=False)


def told(seed: int, sequence: Sequence, broken: dict[str, list[str]], theatre: Theatre) -> str:
    """The failure in words: what is broken, the shortest sequence that breaks it, and how to repeat it."""
    rule = next(iter(broken))
    short = shortened(sequence, lambda one: rule in theatre.play(one)[0])
    how = theatre.play(short)[0].get(rule, broken[rule])
    steps = "\n".join(f"  {number}. {' '.join(map(str, step))}" for number, step in enumerate(short.steps, 1))
    slice_of = list(SLICES)[seed % len(SLICES)]
    return (
        f"{rule}: {how[0]}\nseed {seed} ({slice_of}), {len(short.steps)} of {len(sequence.steps)} steps:\n"
        f"{short.described()}\n{steps}\n"
        "Then all faults are repaired, what waits is approved, and whose target another activation has gets it by the "
        "other's deletion.\n"
        f"repeat: CAMPAIGN_SEED={seed} CAMPAIGN=1 pytest tests/campaign/test_campaign.py"
    )
