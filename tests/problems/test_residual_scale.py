"""The scale of residuals, where they or the coupling vanish."""

import numpy as np
import pytest

from skmtl.problems.newton import fit_scale


@pytest.mark.parametrize("coupling", [4.0, 1e-200, 1e200])
def test_without_residuals_the_coupling_has_the_scale(coupling):
    """``n_rows s^2 = coupling``."""
    found = fit_scale(np.zeros(16), np.ones(16), 1.35, coupling)
    assert found == pytest.approx(np.sqrt(coupling) / 4, rel=1e-12, abs=0)


@pytest.mark.parametrize("unit", [1e-300, 1e-150, 1e150, 1e300])
def test_the_scale_is_in_units_of_the_residuals(unit):
    sizes, ones = np.array([1.0, 2.0, 3.0]), np.ones(3)
    expected = unit * fit_scale(sizes, ones, 2.0)
    found = fit_scale(unit * sizes, ones, 2.0)
    assert found == pytest.approx(expected, rel=1e-12, abs=0)


@pytest.mark.parametrize("unit", [1e-100, 1e100])
def test_the_coupling_is_in_squared_units_of_the_residuals(unit):
    sizes, ones = np.array([1.0, 2.0, 30.0]), np.ones(3)
    expected = unit * fit_scale(sizes, ones, 2.0, 5.0)
    found = fit_scale(unit * sizes, ones, 2.0, 5.0 * unit**2)
    assert found == pytest.approx(expected, rel=1e-12, abs=0)
