"""A call that does not fit a function says how to call it, of every public name."""

import enum
import inspect

import keras
import numpy as np
import pytest

import keras_dlbasic as kd

ROOMS = [name for name in kd.__all__ if inspect.ismodule(getattr(kd, name))]


def public():
    for room in ROOMS:
        for name in getattr(kd, room).__all__:
            thing = getattr(getattr(kd, room), name)
            is_ours = inspect.isfunction(thing) or inspect.isclass(thing)
            # made by Python, or by rules and records and never by users
            is_plain = inspect.isclass(thing) and issubclass(
                thing, (enum.Enum, tuple, Exception)
            )
            if is_ours and not is_plain:
                yield pytest.param(thing, id=f"{room}.{name}")


PUBLIC = list(public())


def parameters(thing):
    return list(inspect.signature(thing).parameters.values())


@pytest.mark.once
@pytest.mark.parametrize("thing", PUBLIC)
def test_every_public_name_explains_a_call_that_does_not_fit(thing):
    assert len(PUBLIC) > 150
    taken = parameters(thing)
    takes_any = any(one.kind is one.VAR_KEYWORD for one in taken)
    many = any(one.kind is one.VAR_POSITIONAL for one in taken)
    if not takes_any:
        with pytest.raises(TypeError, match="unexpected keyword argument 'no_such'"):
            thing(no_such=1)
    if not many:
        with pytest.raises(TypeError, match=r"by position, but got 60.*\nIt takes: "):
            thing(*range(60))


@pytest.mark.once
@pytest.mark.parametrize("thing", PUBLIC)
def test_signatures_stay_what_editors_show(thing):
    text = str(inspect.signature(thing))
    assert "*args" not in text
    own = thing.__init__ if inspect.isclass(thing) else thing
    # Keras asks in this way, which does not follow `__wrapped__`
    names = inspect.getfullargspec(own)
    assert names.varargs in (None, "wrong", "rules"), names


CALLS = {
    lambda: kd.callbacks.TrainingDoctor(keras.Sequential(), 1, 2): (
        r"takes at most 2 arguments by position, but got 3.*`validation_data=...`"
        r".*Leave out the model: a callback gets it from `model.fit`"
    ),
    lambda: kd.callbacks.NormalizationMonitor(model=1): "a callback gets it from",
    lambda: kd.preflight(keras.Sequential()): (
        r"preflight\(\) is missing the required argument 'x'"
    ),
    lambda: kd.diagnose(model=1): r"unexpected keyword.*'model'.* It takes no model",
    lambda: kd.layers.Dropout(ratee=0.5): "'rate'. Did you misspell it as 'ratee'",
    lambda: kd.remedies.add_dropout(1, ratio=0.5): "Did you mean 'rate'",
    lambda: kd.regularizers.L2(L2=0.5): "Did you mean 'l2'",
    lambda: kd.preflight(1, 2, model=3): "got multiple values for argument 'model'",
    lambda: kd.analysis.Interval(1.0): "arguments 'low', 'high', 'n'",
}


@pytest.mark.once
@pytest.mark.parametrize("call", CALLS)
def test_what_was_meant_is_named(call):
    with pytest.raises(TypeError, match=CALLS[call]) as caught:
        call()
    assert caught.value.__context__ is None


@pytest.mark.once
def test_an_error_of_the_function_itself_stays_what_it_is():
    with pytest.raises(TypeError, match="`record` must be a `TrainingRecord`"):
        kd.diagnose(1)


FLAGS = [
    pytest.param(param.values[0], one.name, id=f"{param.id}-{one.name}")
    for param in PUBLIC
    for one in parameters(param.values[0])
    if isinstance(one.default, bool) or one.name == "verbose"
]


@pytest.mark.once
@pytest.mark.parametrize(("thing", "flag"), FLAGS)
def test_a_flag_must_be_one(thing, flag):
    assert len(FLAGS) > 30
    given = {one.name: 1 for one in parameters(thing) if one.default is one.empty}
    given = {k: v for k, v in given.items() if k not in ("kwargs", "wrong")}
    kind = ValueError if flag == "verbose" else TypeError
    for wrong in ("yes", None, 2):
        with pytest.raises(kind, match=f"`{flag}` must be .*Received: {flag}="):
            thing(**{**given, flag: wrong})
    try:
        thing(**{flag: True})
    except (TypeError, ValueError) as error:  # of other arguments
        assert f"`{flag}`" not in str(error)


@pytest.mark.once
def test_flags_of_numpy_and_of_keras_are_flags():
    for flag in (np.True_, 1, 0, False):
        detector = kd.callbacks.OverfittingDetector(stop=flag, verbose=flag)
        assert detector.stop == flag
