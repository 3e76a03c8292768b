"""What rules may ask of the facts of a run."""

from __future__ import annotations

from abc import ABC, abstractmethod

from keras_dlbasic.diagnosis.reasons import Reasons
from keras_dlbasic.diagnosis.skipped import Skipped
from keras_dlbasic.records import (
    DataFacts,
    InputFacts,
    LayerFacts,
    ModelFacts,
    OutputFacts,
    RunFacts,
    TargetFacts,
    ValidationFacts,
)


class KnownFacts(ABC):
    """The facts of a run, where what is not known raises `Skipped` with the reason.

    Attributes:
        facts: What is known; what is not known is None.
    """

    facts: RunFacts

    @property
    @abstractmethod
    def reasons(self) -> Reasons:
        """Why something is not known, as text for a `Skipped`."""

    @property
    def model(self) -> ModelFacts:
        """What is known of the model: `.layers`, `.outputs`, `.n_weights`, ...

        Raises:
            Skipped: If nothing is known of it.
        """
        if self.facts.model is None:
            raise Skipped(self.reasons.network)
        return self.facts.model

    @property
    def layers(self) -> tuple[LayerFacts, ...]:
        """What is known of the layers, from input to output.

        Each has `.label`, `.class_name`, `.trainable`, `.normalizes`, and, where there
        is such a thing, `.activation`, `.units`, `.gain` (deviation of the kernel times
        the root of its fan-in), `.penalty`, `.dropout`; see `records.LayerFacts`.

        Raises:
            Skipped: If nothing is known of the model.
        """
        return self.model.layers

    @property
    def n_trainable_weights(self) -> int:
        """Number of weights that are trained.

        Raises:
            Skipped: If it is not known.
        """
        n = self.model.n_trainable_weights
        if n is None:
            raise Skipped("the number of weights is not known")
        return n

    @property
    def output(self) -> OutputFacts:
        """What is known of the output: `.name`, `.activation`, `.units`, `.rank`.

        Raises:
            Skipped: If there are several, or it is not known.
        """
        outputs = self.model.outputs
        if len(outputs) != 1:
            raise Skipped(self.reasons.output)
        return outputs[0]

    @property
    def data(self) -> DataFacts:
        """What is known of the data: `.inputs`, `.targets`, `.n_rows`, ...

        Raises:
            Skipped: If nothing is known of them.
        """
        if self.facts.data is None:
            raise Skipped(self.reasons.data)
        return self.facts.data

    @property
    def targets(self) -> tuple[TargetFacts, ...]:
        """What is known of the targets, one an output.

        Raises:
            Skipped: If there are none.
        """
        if not self.data.targets:
            raise Skipped(self.reasons.targets)
        return self.data.targets

    @property
    def target(self) -> TargetFacts:
        """What is known of the target: `.kind`, `.min`, `.max`, `.std`, ...

        Raises:
            Skipped: If there are several or none, or these are no numbers.
        """
        targets = self.data.targets
        if len(targets) != 1 or targets[0].kind is None:
            raise Skipped(self.reasons.targets)
        return targets[0]

    @property
    def inputs(self) -> tuple[InputFacts, ...]:
        """What is known of the arrays of inputs: `.rms`, `.offset`, ...

        Raises:
            Skipped: If there are none.
        """
        inputs = tuple(facts for facts in self.data.inputs if facts.dtype is not None)
        if not inputs:
            raise Skipped(self.reasons.inputs)
        return inputs

    @property
    def validation(self) -> ValidationFacts:
        """What is known of the validation data: `.n_rows`, `.overlap`, ...

        Raises:
            Skipped: If nothing is known of them.
        """
        if self.facts.validation is None:
            raise Skipped(self.reasons.validation)
        return self.facts.validation
