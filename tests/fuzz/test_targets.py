"""No input does harm: what reads the words of strangers reads anything, or refuses it as it promised.

`make fuzz` tries a million inputs for each target (`CLASP_FUZZ_INPUTS`), and keeps those of a new kind in
`corpus/`; here some thousand are enough, made from what is kept there.
"""

import os
import random

import pytest

from tests.fuzz.mutation import mutated
from tests.fuzz.targets import TARGETS, Target, kind_of

INPUTS = int(os.environ.get("CLASP_FUZZ_INPUTS", "2000"))
KEPT_MAX = 400
"""Inputs in the corpus of a target."""
KEPT_MAX_BYTES = 200


def read(target: Target, data: bytes) -> str:
    """What came of it; an input that does harm is named."""
    try:
        return kind_of(target.read(data))
    except Exception as harm:
        harm.add_note(f"to keep it: echo {data.hex()} >> {target.file}")
        raise


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_what_did_harm_or_was_new_once_is_read(target: Target):
    """Every input of the corpus."""
    corpus = target.corpus()
    assert corpus
    for data in corpus:
        read(target, data)


@pytest.mark.property
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_no_input_does_harm(target: Target):
    """Inputs made from the corpus at random; those of a new kind are made use of, and kept by `make fuzz`."""
    rng = random.Random(f"{target.name} {INPUTS}")
    pool = target.corpus()
    kinds = {read(target, data) for data in pool}
    for _ in range(INPUTS):
        data = mutated(rng.choice(pool), pool, target.words, rng)
        kind = read(target, data)
        if kind not in kinds and len(pool) < KEPT_MAX and len(data) <= KEPT_MAX_BYTES:
            kinds.add(kind)
            pool.append(data)
    if "CLASP_FUZZ_INPUTS" in os.environ:
        target.file.write_text("".join(f"{data.hex()}\n" for data in pool))
