"""What notebooks show of records, diagnoses and results."""

from __future__ import annotations

import base64
import io
from html import escape

import numpy as np

from keras_dlbasic._display import Displayed, html_of, is_plotted, plot_of
from keras_dlbasic._fields import known_fields
from keras_dlbasic.diagnosis import Diagnosis, Finding, RemedySuggestion
from keras_dlbasic.records import TrainingRecord
from keras_dlbasic.reports import cell


@html_of.register(Displayed)
def result_html(result: Displayed) -> str:
    """Return a result in its own words, and its picture if there is a plot of it.

    One that has no words of its own is a table of its fields. Of a study that ends in a
    recommendation, that comes first, and the numbers are there to open.
    """
    advice = getattr(result, "recommendation", None)
    if advice is not None:
        parts = [cell.words(str(advice))]
        parts.append(cell.folded("What was measured", cell.words(str(result))))
    elif type(result).__str__ is Displayed.__str__ and list(known_fields(result)):
        parts = [cell.table((), known_fields(result))]
    else:
        parts = [cell.words(str(result))]
    if is_plotted(result):
        name = escape(type(result).__name__)
        parts.append(
            f'<img src="data:image/png;base64,{_picture(result)}" alt="{name}">'
        )
    return cell.cell(*parts)


@html_of.register(Diagnosis)
def diagnosis_cell(diagnosis: Diagnosis) -> str:
    """Return the headline and the findings."""
    return cell.cell(cell.diagnosis(diagnosis))


@html_of.register(Finding)
def finding_cell(finding: Finding) -> str:
    """Return a finding with what to try."""
    return cell.cell(cell.finding(finding))


@html_of.register(RemedySuggestion)
def suggestion_cell(suggestion: RemedySuggestion) -> str:
    """Return what to try, with the code."""
    return cell.cell(cell.remedy(suggestion))


@html_of.register(TrainingRecord)
def record_table(record: TrainingRecord) -> str:
    """Return a table of what was recorded."""
    epochs = {name: values for name, values in record.epochs.items() if len(values)}
    rows = {
        "sampled steps": f"{len(record.steps)} of {record.trained_steps}",
        "layers": f"{len(record.layers)}, of {len(record.variables)} variables",
        "tables": ", ".join(record.tables) or "none",
        "model": record.facts.model_name or "not known",
        "backend": record.facts.backend or "not known",
    }
    for name, values in epochs.items():
        if name != "epoch":
            first, last = values[0], values[-1]
            rows[name] = f"{first:.4g} at first, {last:.4g} in the end"
    title = f"Training record, {len(epochs.get('epoch', ()))} epochs"
    return cell.cell(cell.paragraph(title), cell.table((), rows.items()))


def _picture(result: Displayed) -> str:
    import matplotlib.pyplot as plt

    from keras_dlbasic.plots.style import style

    # not interactive, and closed: a notebook would show the figure once more below
    with plt.ioff(), style("light"):
        figure = np.ravel(plot_of(result))[0].figure
        try:
            file = io.BytesIO()
            figure.savefig(file, format="png")
        finally:
            plt.close(figure)
    return base64.b64encode(file.getvalue()).decode("ascii")
