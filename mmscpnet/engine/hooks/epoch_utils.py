"""Which epoch it is, for both of mmengine's training loops."""

from typing import Optional

from mmengine.runner import IterBasedTrainLoop


def check_epoch_length(hook, runner, epoch_length: Optional[int]) -> None:
    """Refuse an iteration-based loop whose epochs nobody has defined.

    Args:
        hook (Hook): Named in the error.
        runner (Runner): The runner.
        epoch_length (int, optional): Iterations that count as an epoch.

    Raises:
        ValueError: If the loop is an ``IterBasedTrainLoop`` and
            ``epoch_length`` is None.
    """
    if isinstance(runner.train_loop, IterBasedTrainLoop) and epoch_length is None:
        raise ValueError(
            f'{type(hook).__name__} counts epochs, but train_cfg has an '
            'IterBasedTrainLoop: give the hook epoch_length, the number of '
            'iterations that count as one'
        )


def current_epoch(runner, epoch_length: Optional[int] = None) -> int:
    """The 0-based epoch of the coming iteration.

    Args:
        runner (Runner): The runner.
        epoch_length (int, optional): Iterations that count as an epoch; only
            used with an ``IterBasedTrainLoop``.

    Returns:
        int: The epoch.
    """
    if isinstance(runner.train_loop, IterBasedTrainLoop):
        return runner.iter // epoch_length
    return runner.epoch


def validate_epoch_length(epoch_length: Optional[int]) -> Optional[int]:
    """Check the option ``epoch_length`` of a hook.

    Raises:
        ValueError: If it is neither None nor a whole number >= 1.
    """
    if epoch_length is not None and (
        not isinstance(epoch_length, int) or epoch_length < 1
    ):
        raise ValueError(
            f'epoch_length must be a whole number >= 1, found {epoch_length!r}'
        )
    return epoch_length
