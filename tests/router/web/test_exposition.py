"""The text format: what is written is what a strict reader reads."""

from hypothesis import given
from hypothesis import strategies as st

from router.web.exposition import format_metric, histogram, sample
from tests.router.web.prometheus import read

texts = st.text(st.characters(exclude_categories=("C", "Z")) | st.sampled_from('"\\\n ,}'), max_size=10)


@given(st.dictionaries(texts, st.floats(-1e6, 1e6) | st.integers(0, 10**12), max_size=4))
def test_labels_hold_anything(values):
    """Quotes, backslashes and line ends included."""
    text = format_metric("a_total", "counter", "Some\nhelp.", (sample(v, what=k) for k, v in values.items()))
    family = read(text)["a_total"]
    assert {labels[0][1]: value for (_, labels), value in family.samples.items()} == values


def test_a_histogram_counts_upwards():
    """Each bucket holds those before it, the last all."""
    family = read(format_metric("s", "histogram", "Spans.", histogram((0.1, 1.0), (3, 0, 2), 9.5)))["s"]
    assert [value for (suffix, _), value in family.samples.items() if suffix == "_bucket"] == [3, 3, 5]
    assert family.samples["_sum", ()] == 9.5
