"""A rare class that is never predicted is named, and no other."""

import numpy as np
import pytest
from made_runs import STUCK, edited_facts, made_run
from sklearn.metrics import roc_auc_score

import keras_dlbasic as kd
from keras_dlbasic.analysis.missed_class import missed_class, ranked_above

CLASSES = np.repeat([0, 1, 2], [70, 40, 12])
ONE_HOT = np.eye(3)[CLASSES]
NEVER_2 = np.where(ONE_HOT[:, 2:] > 0, np.eye(3)[:1], ONE_HOT)
RARE = {"missed": 1, "missed_class": 2, "missed_rows": 12, "missed_ratio": 9.0}


@pytest.mark.parametrize("targets", [CLASSES, CLASSES[:, None], ONE_HOT])
def test_classes(targets):
    said = missed_class(targets, NEVER_2, "classes")
    assert (said["missed"], said["missed_class"], said["missed_rows"]) == (1, 2, 12)
    assert said["missed_ratio"] == pytest.approx(70 / 12)
    said = missed_class(targets, ONE_HOT, "classes")
    assert (said["missed"], said["rare_class"], said["rare_right"]) == (0, 2, 1.0)
    # the rare class must be in the probe often enough
    said = missed_class(targets[:115], NEVER_2[:115], "classes")
    assert (said["missed"], said["rare_class"], said["rare_right"]) == (0, 1, 1.0)


def test_the_rarest_class():
    answers = ONE_HOT.copy()
    answers[110:119] = np.eye(3)[0]
    said = missed_class(CLASSES, answers, "classes")
    assert (said["rare_class"], said["rare_right"]) == (2, 0.25)
    assert said["rare_ratio"] == pytest.approx(70 / 12)


def test_labels_pixels_and_logits():
    said = missed_class(
        ONE_HOT, np.where(NEVER_2 > 0, 2.0, -2.0), "labels", from_logits=True
    )
    assert (said["missed"], said["missed_class"]) == (1, 2)
    assert said["missed_ratio"] == pytest.approx(110 / 12)
    masks = np.zeros((4, 5, 5, 1))
    masks[:, 2, 1:4] = 1
    said = missed_class(masks, np.full(masks.shape, 0.4), "labels")
    assert (said["missed_class"], said["missed_rows"]) == (1, 12)


def test_where_there_are_no_few_classes():
    assert missed_class(CLASSES, np.zeros((122, 1)), "values") == {}
    words = np.arange(500) % 50
    assert missed_class(words, np.zeros((500, 50)), "classes") == {}


def severity(**changes):
    found = [
        f for f in kd.diagnose(made_run(**changes)) if f.name == "imbalanced_classes"
    ]
    return found[0].severity if found else None


def test_what_is_said_of_it():
    assert severity(missed=RARE) == "warning"
    assert severity(missed={"missed": 0}) is None
    assert severity(missed={**RARE, "missed_ratio": 1.5}) is None
    # a model that gives the same to all rows has another fault
    assert severity(missed=RARE, **{**STUCK, "spread": 1e-4}) is None


def test_a_class_that_may_be_learned_next():
    falling = {"loss": np.linspace(1.3, 0.9, 16), "skill": 0.3}
    assert severity(missed=RARE, **falling) is None
    assert severity(missed={**RARE, "missed_ratio": 30.0}, **falling) == "warning"
    still = {"loss": np.full(16, 0.9), "skill": 0.3}
    assert severity(missed=RARE, **still) == "warning"


SELDOM = {"missed": 0, "rare_right": 0.2, "rare_class": 2, "rare_ratio": 9.0}


def test_a_rare_class_that_is_seldom_recognized():
    behind = {"skill": 0.3, "reference": 0.8}
    assert severity(missed=SELDOM, **behind) == "warning"
    assert severity(missed={**SELDOM, "rare_right": 0.5}, **behind) is None
    assert severity(missed={**SELDOM, "rare_ratio": 2.0}, **behind) is None
    # where classes overlap no model can do better, and this one learns
    assert severity(missed=SELDOM, skill=0.3, reference=0.3) is None


def test_where_seldom_begins():
    behind = {"skill": 0.3, "reference": 0.8}
    assert severity(missed={**SELDOM, "rare_right": 0.29}, **behind) == "warning"
    assert severity(missed={**SELDOM, "rare_right": 0.31}, **behind) is None
    assert severity(missed={**SELDOM, "rare_ratio": 3.9}, **behind) is None
    # a model that ignores its inputs has another fault
    assert severity(missed=SELDOM, **{**STUCK, "spread": 1e-4}) is None


def test_ten_rows_are_enough():
    classes = np.repeat([0, 1], [70, 10])
    said = missed_class(classes, np.eye(2)[0 * classes], "classes")
    assert (said["missed"], said["rare_class"]) == (1, 1)
    labels = np.zeros((122, 2))
    labels[:12, 0] = labels[:50, 1] = 1
    said = missed_class(labels, np.where(labels > 0, 0.9, 0.1), "labels")
    assert said["rare_ratio"] == pytest.approx(110 / 12)


@pytest.mark.parametrize(
    ("rank", "right", "expected"),
    [(0.91, 0.39, "warning"), (0.89, 0.29, None), (0.95, 0.41, None)],
)
def test_a_rare_class_that_the_scores_tell_apart(rank, right, expected):
    rare = {**SELDOM, "rare_right": right, "rare_rank": rank}
    assert severity(missed=rare, skill=0.3, reference=0.3) == expected
    record = made_run(skill=0.3, reference=0.3)
    with edited_facts(record) as facts:
        facts["probe"]["rare"] = {
            "label": 1,
            "ratio": 9.0,
            "right": right,
            "rank": rank,
        }
    found = [f for f in kd.diagnose(record) if f.name == "imbalanced_classes"]
    assert [f.severity for f in found] == ([] if expected is None else [expected])
    if found:
        assert "use class weights or a lower threshold" in found[0].message


def test_the_rank_is_the_area_under_the_curve():
    rng = np.random.default_rng(0)
    scores, own = rng.normal(size=90).round(1), rng.random(90) < 0.3
    area = roc_auc_score(own, scores)
    assert ranked_above(scores, own) == pytest.approx(area)
    assert np.isnan(ranked_above(scores, own & False))
    said = missed_class(own.astype(int), scores[:, None], "labels")
    assert said["rare_rank"] == pytest.approx(area)
    labels = np.stack([own, ~own], 1).astype(float)
    said = missed_class(labels, np.stack([scores, scores], 1), "labels")
    assert said["rare_rank"] == pytest.approx(area)
    classes = np.where(own, 2, rng.integers(0, 2, 90))
    table = np.stack([0 * scores, 0 * scores, scores], 1)
    said = missed_class(classes, table, "classes")
    assert (said["rare_class"], said["rare_rank"]) == (2, pytest.approx(area))
