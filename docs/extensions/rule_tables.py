"""Tables of the guide that are made from the rules.

They stand in the pages themselves, between comments, so that they are read without a
build. `python docs/extensions/rule_tables.py` writes them anew; a test fails while they
are not those of the rules.
"""

import inspect
import re
from pathlib import Path

GUIDE = Path(__file__).parent.parent / "guide"
PAGES = {"diagnosis.md": ("symptoms", "thresholds"), "extending.md": ("needs",)}
BETWEEN = r"(<!-- {name}: made by .* -->\n).*?(<!-- end of {name} -->)"


def current(page, text):
    """Return the text of a page with its tables made anew."""
    for name in PAGES[page]:
        pattern = re.compile(BETWEEN.format(name=name), re.DOTALL)
        text, n = pattern.subn(rf"\g<1>\n{_escaped(TABLES[name]())}\n\n\g<2>", text)
        if n != 1:
            raise ValueError(f"{page} must have one place for the table {name!r}")
    return text


def symptoms():
    """Return a table of the symptoms with the causes that can cause them."""
    from keras_dlbasic.diagnosis import all_rules
    from keras_dlbasic.diagnosis.registry import symptoms_by_cause

    pairs = symptoms_by_cause(all_rules())
    rows = [
        (f"`{rule.name}`", _names(c for c in pairs if rule.name in pairs[c]))
        for rule in all_rules()
        if rule.kind == "symptom"
    ]
    # the last ones judge by the others: they have no cause
    rows = [(name, causes or "(none was found)") for name, causes in rows]
    rows += [("(shows in no curve)", _names(c for c in pairs if not pairs[c]))]
    return _table(("symptom", "causes"), rows)


def thresholds():
    """Return a table of what each rule looks for, with its thresholds."""
    from keras_dlbasic.diagnosis import all_rules

    rows = []
    for rule in all_rules():
        first = inspect.getdoc(rule.function).splitlines()[0]
        values = ", ".join(f"`{n}={v:g}`" for n, v in rule.thresholds.items())
        rows.append((f"`{rule.name}`", rule.kind, first, values))
    return _table(("rule", "kind", "what it does", "thresholds"), rows)


def needs():
    """Return a table of what a rule can need of a record."""
    from keras_dlbasic.diagnosis import NEEDS

    rows = [
        (f"`{name}`", need.text, f"`{need.question}`") for name, need in NEEDS.items()
    ]
    return _table(("need", "what it is", "then ask"), rows)


def _names(names):
    return ", ".join(f"`{name}`" for name in sorted(names))


def _table(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _escaped(text):
    return text.replace("\\", r"\\")


TABLES = {"symptoms": symptoms, "thresholds": thresholds, "needs": needs}


if __name__ == "__main__":
    for page in PAGES:
        path = GUIDE / page
        path.write_text(current(page, path.read_text("utf-8")), "utf-8")
