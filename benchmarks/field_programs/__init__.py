"""Programs after public reports, their repaired twins, and healthy ones."""

# importing a module registers its programs
from field_programs import (  # noqa: F401
    capacity,
    fresh_data,
    fresh_healthy,
    fresh_healthy_signals,
    fresh_layers,
    fresh_models,
    fresh_outputs,
    fresh_rates,
    fresh_targets,
    healthy_signals,
    healthy_tables,
    held_data,
    held_healthy,
    held_models,
    held_outputs,
    inputs,
    leaks,
    losses,
    models,
    numerics,
    outputs,
    rates,
    sealed_healthy,
    sealed_healthy_more,
    sealed_inputs,
    sealed_layers,
    sealed_outputs,
    sealed_rates,
    splits,
    unseen_data,
    unseen_healthy,
    unseen_inputs,
    unseen_outputs,
    unseen_rates,
)
from field_programs.registry import PROGRAMS, Program, backend_of

__all__ = ["PROGRAMS", "Program", "backend_of"]
