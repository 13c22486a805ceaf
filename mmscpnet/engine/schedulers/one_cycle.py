"""The curve of the 1cycle policy."""

import math
from collections.abc import Sequence


def one_cycle_value(
    step: int,
    phase_ends: Sequence[float],
    values: Sequence[float],
    anneal_strategy: str = 'cos',
) -> float:
    """Value of a piecewise annealed curve at one step.

    Phase ``i`` runs from the end of the phase before it (0 for the first) to
    ``phase_ends[i]`` and goes from ``values[i]`` to ``values[i + 1]``. Steps
    after the last phase have the last value.

    Args:
        step (int): 0-based step.
        phase_ends (Sequence[float]): Ends of the P phases, in steps, need not
            be whole numbers.
        values (Sequence[float]): The P + 1 corner values.
        anneal_strategy (str): ``'cos'`` or ``'linear'``.

    Returns:
        float: The value at ``step``.
    """
    step = min(step, phase_ends[-1])
    phase = next(i for i, end in enumerate(phase_ends) if step <= end)
    start_step, end_step = phase_ends[phase - 1] if phase else 0.0, phase_ends[phase]
    length = end_step - start_step
    # A warm-up that is one step long has length 0: that step is the peak.
    done = (step - start_step) / length if length else 1.0
    start, end = values[phase], values[phase + 1]
    if anneal_strategy == 'linear':
        return (end - start) * done + start
    return end + (start - end) / 2.0 * (math.cos(math.pi * done) + 1)
