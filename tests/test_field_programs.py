"""The programs of `benchmarks/field.py` are described fully; none is fitted here."""

from collections import Counter
from pathlib import Path

import pytest

from keras_dlbasic.diagnosis import all_rules

FOLDER = Path(__file__).parent.parent / "benchmarks"
pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def field():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))
        import field_programs
        from field_programs import registry

        yield field_programs.PROGRAMS, registry


@pytest.fixture(scope="module")
def faulty(field):
    return [p for p in field[0].values() if not p.is_healthy]


@pytest.fixture(scope="module")
def healthy(field):
    return [p for p in field[0].values() if p.is_healthy]


def test_there_are_enough_programs_of_many_kinds(faulty, healthy):
    assert len(faulty) >= 60
    assert len(healthy) >= 40
    assert len({p.kind for p in faulty}) >= 30
    assert len({p.family for p in faulty + healthy}) >= 30


def test_no_kind_of_fault_and_family_is_in_both_halves(field):
    halves = {}
    programs, registry = field
    for p in programs.values():
        halves.setdefault((p.kind, p.family), set()).add(p.half)
        assert p.half in registry.HALVES
    assert [pair for pair, found in halves.items() if len(found) > 1] == []


def test_the_halves_are_of_similar_size(faulty, healthy):
    for part in (faulty, healthy):
        sizes = Counter(p.half for p in part if p.half in ("tune", "look"))
        assert min(sizes.values()) >= 0.4 * sum(sizes.values())


def test_there_are_enough_fresh_programs_of_kinds_and_families(faulty, healthy):
    broken, sound = (
        [p for p in part if p.half == "fresh"] for part in (faulty, healthy)
    )
    assert len(broken) >= 36
    assert len(sound) >= 24
    assert len({p.kind for p in broken}) >= 24
    assert len({p.family for p in broken + sound}) >= 36


@pytest.mark.parametrize(
    "half", ["unseen", "held", "blind", "sealed", "eighth", "ninth"]
)
def test_there_are_enough_unseen_programs_of_kinds_and_families(half, faulty, healthy):
    broken, sound = ([p for p in part if p.half == half] for part in (faulty, healthy))
    assert len(broken) >= 24
    assert len(sound) >= 12
    assert len({p.kind for p in broken}) >= 20
    assert len({p.family for p in broken + sound}) >= 24


def test_every_fault_has_an_address_of_its_own_and_a_truth(faulty):
    # two people may have rebuilt the same report without knowing of each other
    assert len({(p.half, p.address) for p in faulty}) == len(faulty)
    for p in faulty:
        assert p.address.startswith(("https://", "http://")), p.name
        assert p.symptom, p.name
        assert p.cause, p.name
        assert p.truth, p.name
        assert not set(p.truth) & set(p.also), p.name


def test_names_of_findings_are_rules_or_listed_as_future(field, faulty):
    known = {rule.name for rule in all_rules()} | set(field[1].FUTURE_NAMES)
    for p in faulty:
        assert set(p.truth) | set(p.also) <= known, p.name


def test_no_future_name_is_unused(field, faulty):
    used = {name for p in faulty for name in (*p.truth, *p.also)}
    assert set(field[1].FUTURE_NAMES) <= used


def test_programs_are_dealt_to_all_backends(field):
    programs, registry = field
    dealt = Counter(registry.backend_of(name) for name in programs)
    assert set(dealt) == set(registry.BACKENDS)
    assert min(dealt.values()) >= 0.25 * len(programs)
    assert all(registry.backend_of(p.name) in p.backends for p in programs.values())


def test_names_are_unique(field):
    programs, registry = field
    entry = next(iter(programs.values()))
    again = registry.program(kind="x", family="y", half="tune")
    with pytest.raises(ValueError, match="two programs"):
        again(entry.build)


def said(*findings):
    row = {"truth": ("cause_a",), "also": ("cause_b",), "judged": True}
    return row | {"findings": [[*f, 0.9] for f in findings]}


@pytest.mark.parametrize(
    ("findings", "found", "first", "false_first", "silent"),
    [
        ([], False, False, False, True),
        ([("cause_a", "cause", "info")], False, False, False, True),
        ([("cause_a", "cause", "warning")], True, True, False, False),
        (
            [("cause_c", "cause", "info"), ("cause_a", "cause", "critical")],
            *(True, True, False, False),
        ),
        (
            [("cause_c", "cause", "warning"), ("cause_a", "cause", "warning")],
            *(True, False, True, False),
        ),
        ([("cause_b", "cause", "warning")], False, False, False, False),
        ([("plateau", "symptom", "warning")], False, False, False, False),
    ],
)
def test_a_verdict_compares_with_the_truth(
    field, findings, found, first, false_first, silent, monkeypatch
):
    monkeypatch.syspath_prepend(str(FOLDER))
    from field import verdict

    result = verdict(said(*findings))
    assert result["found"] == found
    assert result["first"] == first
    assert result["false cause first"] == false_first
    assert result["silent"] == silent
