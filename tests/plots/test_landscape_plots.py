import matplotlib.pyplot as plt
import numpy as np
import pytest

import keras_dlbasic as kd
from keras_dlbasic.analysis.landscape.critical_point import MEASURES, VERDICTS
from keras_dlbasic.records import LayerTable
from keras_dlbasic.records.facts import CurvatureFacts

U, V = np.linspace(-1, 1, 9), np.linspace(-2, 2, 5)


def surface(loss):
    return kd.analysis.LossSurface(U, V, loss, ("one, a", "two"), {"model": (0.0, 1.0)})


SADDLE = U**2 - V[:, None] ** 2
BOWL = 1e-4 + U**2 + V[:, None] ** 2


@pytest.mark.parametrize("loss", [SADDLE, BOWL, np.ones((5, 9)), np.zeros((5, 9))])
@pytest.mark.parametrize("kind", ["contour", "3d"])
def test_surfaces(loss, kind):
    ax = kd.plots.plot_loss_surface(surface(loss), kind=kind)
    ax.figure.canvas.draw()
    assert ax.get_xlabel().replace("\n", " ") == "one, a"
    if kind == "contour":
        assert [text.get_text() for text in ax.texts if text.get_text() == "model"]
        assert ax.get_xlim() == (-1, 1)
        assert ax.get_ylim() == (-2, 2)
    elif loss is BOWL:
        assert "log10" in ax.get_zlabel()
    else:
        assert ax.get_zlabel() == "loss"


def test_what_is_not_finite_is_left_out():
    loss = SADDLE.copy()
    loss[0, :4] = np.nan, np.inf, -np.inf, 3.0
    for kind in ("contour", "3d"):
        kd.plots.plot_loss_surface(surface(loss), kind=kind).figure.canvas.draw()
    ax = kd.plots.plot_loss_surface(surface(np.full((5, 9), np.nan)))
    assert "nowhere finite" in ax.texts[0].get_text()


def test_axes_must_suit():
    _, ax = plt.subplots()
    with pytest.raises(ValueError, match="projection"):
        kd.plots.plot_loss_surface(surface(SADDLE), kind="3d", ax=ax)
    with pytest.raises(ValueError, match="kind"):
        kd.plots.plot_loss_surface(surface(SADDLE), kind="map")
    assert kd.plots.plot_loss_surface(surface(SADDLE), ax=ax) is ax


def test_lines():
    t = np.linspace(-0.25, 1.25, 31)
    hill = kd.analysis.LossLine(t, 1 + np.exp(-20 * (t - 0.5) ** 2), ("old", "new"))
    assert hill.barrier == pytest.approx(1 - np.exp(-5), rel=1e-6)
    ax = kd.plots.plot_loss_line(hill)
    assert [text.get_text() for text in ax.texts] == ["old", "new", "barrier 0.993"]
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), hill.loss)
    valley = kd.analysis.LossLine(t, 1e-4 + (t - 0.5) ** 2)
    ax = kd.plots.plot_loss_line(valley)
    assert ax.texts[-1].get_text() == "no barrier"
    assert ax.get_yscale() == "log"
    nothing = kd.analysis.LossLine(t, np.full(31, np.nan))
    assert "nowhere finite" in kd.plots.plot_loss_line(nothing).texts[0].get_text()


def test_curvature_over_the_epochs():
    measures = (*MEASURES, "verdict")
    record = kd.records.TrainingRecord()
    table = record.tables["curvature"] = LayerTable(("model",), measures)
    for look, (largest, verdict) in enumerate([(3.0, 4), (40.0, 1)]):
        row = {measure: [0.0] for measure in measures} | {
            "largest": [largest],
            "smallest": [-1.0],
            "largest_residual": [0.5],
            "stability_limit": [20.0],
            "verdict": [verdict],
        }
        table.append(10 * look, 5 * look, row)
    record.note(curvature=CurvatureFacts(verdicts=VERDICTS))
    ax = kd.plots.plot_curvature(record)
    lines = {bar.get_label(): bar.lines[0] for bar in ax.containers}
    assert lines["largest eigenvalue"].get_ydata().tolist() == [3.0, 40.0]
    assert lines["smallest eigenvalue"].get_xdata().tolist() == [1, 6]
    said = {text.get_text() for text in ax.texts}
    assert said == {VERDICTS[4].replace("_", " "), VERDICTS[1].replace("_", " ")}
    assert "2 / learning rate" in {line.get_label() for line in ax.get_lines()}


class _Line:
    def predict(self, points, **_):
        return (points[:, 0] > 0).astype(float)[:, None]


def test_decision_regions_name_axes_and_classes():
    x = np.random.default_rng(0).normal(size=(30, 2))
    y = (x[:, 0] > 0).astype(int)
    draw = kd.plots.plot_decision_regions
    ax = draw(_Line(), x, y)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("first feature", "second feature")
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["class 0", "class 1"]
    models = {"a": _Line(), "b": _Line()}
    axes = draw(models, x, y, feature_names=("age", "height"))
    assert [ax.get_xlabel() for ax in axes] == ["age", "age"]
    assert [ax.get_ylabel() for ax in axes] == ["height", ""]
    with pytest.raises(ValueError, match="feature_names"):
        draw(_Line(), x, y, feature_names=("age",))


class _Answers:
    """A model, as a plot sees it, that answers whatever it was given."""

    def __init__(self, answer):
        self.answer = answer

    def predict(self, points, **_):
        return self.answer(points)


PLANE = np.random.default_rng(0).normal(size=(6, 2))
HALVES = (PLANE[:, 0] > 0).astype(int)
REGIONS = {
    "a list of models": (([_Line()],), TypeError, ["method `predict`", "list"]),
    "no models": (({},), ValueError, ["at least one model"]),
    "three features": (
        (_Line(), np.ones((6, 3))),
        ValueError,
        ["two features", "(6, 3)", "Choose two columns"],
    ),
    "words": (
        (_Line(), [["a", "b"]] * 6),
        ValueError,
        ["array of numbers", "list", "Encode words"],
    ),
    "NaN": (
        (_Line(), [*PLANE[:5], [0.0, np.nan]]),
        ValueError,
        ["`x` must be finite", "1 of 6 rows", "Leave these rows out"],
    ),
    "fewer targets": (
        (_Line(), PLANE, HALVES[:4]),
        ValueError,
        ["same number of rows", "6 in `x` and 4 in `y`"],
    ),
    "names of classes": (
        (_Line(), PLANE, ["cat", "dog"] * 3),
        ValueError,
        ["class numbers", "cat in row 0", "numpy.unique"],
    ),
    "values": (
        (_Line(), PLANE, [0, 1, 0, 1, 0.25, 1]),
        ValueError,
        ["class numbers", "0.25 in row 4", "numpy.unique"],
    ),
    "classes of -1 and 1": (
        (_Line(), PLANE, 2 * HALVES - 1),
        ValueError,
        ["class numbers", "-1 in row", "numpy.unique"],
    ),
    "a model of three features": (
        ({"mine": _Answers(lambda points: points @ np.ones(3))},),
        ValueError,
        ["'mine' cannot predict for rows with two features", "trained on these two"],
    ),
    "two outputs": (
        (_Answers(lambda points: [points, points]),),
        ValueError,
        ["must have one output", "2 outputs"],
    ),
    "one answer to all": (
        (_Answers(lambda points: points[:1]),),
        ValueError,
        ["a row for each sample", "of 22500 rows: (1, 2)"],
    ),
}
"""What was given, the error, and what it says."""


@pytest.mark.parametrize("mistake", REGIONS)
def test_what_no_decision_regions_can_be_drawn_of(mistake):
    given, error, said = REGIONS[mistake]
    given = (*given, *(PLANE, HALVES)[len(given) - 1 :])
    with pytest.raises(error) as caught:
        kd.plots.plot_decision_regions(*given)
    for words in said:
        assert words in str(caught.value)
    assert not plt.get_fignums()


def test_a_table_of_three_columns_is_no_mistake_of_names():
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(np.ones((6, 3)), columns=["age", "height", "weight"])
    with pytest.raises(ValueError, match="`x` must have two features"):
        kd.plots.plot_decision_regions(_Line(), table, HALVES)
    ax = kd.plots.plot_decision_regions(_Line(), table[["age", "height"]], HALVES)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("age", "height")
