"""Targets far from all others."""

import numpy as np

from keras_dlbasic.inspection.target_facts import target_facts


def test_a_few_values_far_from_all_others():
    y = np.random.default_rng(0).normal(size=1000)
    assert target_facts(y).far_share == 0
    y[:10] = 400.0
    facts = target_facts(y)
    assert facts.far_share == 0.01
    assert facts.far_part > 0.98
    assert target_facts(np.where(y > 2, y, 0.0)).far_share == 0  # most are the same
    assert target_facts(np.exp(y[10:])).far_share == 0  # prices, incomes
