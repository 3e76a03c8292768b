"""What is known of a run besides its measurements."""

from keras_dlbasic.facts.run_facts import run_facts

__all__ = ["run_facts"]
