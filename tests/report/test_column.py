import pytest

from sim.report.column import VariantColumn


def test_a_variant_needs_as_many_results_as_seeds() -> None:
    with pytest.raises(ValueError, match="'fixed' needs metrics, a digest and verdicts for each of its seeds"):
        VariantColumn("fixed", [1, 2], [{}], ["aa"], [[]])
