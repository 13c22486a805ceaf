"""How right proposals for unknown labels are, where the truth is known."""

from pathlib import Path
from typing import NamedTuple, Union

import numpy as np
import torch

from mmscpnet.datasets.class_names import describe_difference
from mmscpnet.datasets.formats.provenance import TracedLabels, read_traced_labels

from .precision_recall import count_decisions, per_class_precision_recall_f1


class CompletionStudy(NamedTuple):
    """Proposals against the truth, over entries that were unknown.

    Attributes:
        correct: ``(C,)`` proposals that are right.
        judged: ``(C,)`` proposals whose truth is known.
        hidden: ``(C,)`` positives among the unknown entries.
        precision: ``(C,)``; NaN without a judged proposal.
        recall: ``(C,)``; NaN without a hidden positive.
        expected: ``(C,)`` mean calibrated probability of the proposals; NaN without
            proposals or calibration.
        overall: precision and recall of all proposals, NaN as above.
        expected_overall: the same as ``expected`` of all proposals.
        negatives: how many proposed negatives are judged and right.
        disputed: known labels that are disputed, judged, and wrong by the truth.
        wrong: known labels that are wrong by the truth.
        curve: see :func:`precision_recall_curve`, of the probabilities.
    """

    correct: np.ndarray
    judged: np.ndarray
    hidden: np.ndarray
    precision: np.ndarray
    recall: np.ndarray
    expected: np.ndarray
    overall: tuple[float, float]
    expected_overall: float
    negatives: tuple[int, int]
    disputed: tuple[int, int]
    wrong: int
    curve: tuple[np.ndarray, np.ndarray, np.ndarray]


def read_truth(path: Union[str, Path], labels: TracedLabels) -> np.ndarray:
    """The labels of a second annotation file, for the images and classes of a first.

    Args:
        path: JSON or list file; it may have further images and classes.
        labels: of the first file.

    Returns:
        ``(N, C)`` int8 in {1, 0, -1}.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it lacks an image or a class, or has an image twice.
    """
    truth = read_traced_labels(path, labels.classes)
    if not set(labels.classes) <= set(truth.classes):
        raise ValueError(
            f'{path} has other labels than the annotation file: '
            + describe_difference(truth.classes, labels.classes)
        )
    row_of: dict[str, int] = {}
    for row, image in enumerate(truth.images):
        if image in row_of:
            raise ValueError(f'{path}: image {image} occurs twice')
        row_of[image] = row
    missing = [image for image in labels.images if image not in row_of]
    if missing:
        raise ValueError(
            f'{path} lacks {len(missing)} of {len(labels.images)} images of the '
            f'annotation file; the first is {missing[0]}'
        )
    columns = [truth.classes.index(name) for name in labels.classes]
    rows = [row_of[image] for image in labels.images]
    return truth.states[rows][:, columns]


def study_completion(
    states: np.ndarray,
    truth: np.ndarray,
    positives: np.ndarray,
    negatives: np.ndarray,
    disputed: np.ndarray,
    probability: np.ndarray,
    calibrated: bool,
) -> CompletionStudy:
    """Compare proposals with the truth.

    Args:
        states: ``(N, C)`` in {1, 0, -1}, what was known.
        truth: the same, of which more is known.
        positives: ``(N, C)`` bool, proposed as positive.
        negatives: ``(N, C)`` bool, proposed as negative.
        disputed: ``(N, C)`` bool, known labels that are doubted.
        probability: ``(N, C)``; NaN for photos that were not read.
        calibrated: whether these are calibrated.
    """
    hidden = np.where(states == -1, truth, -1)
    counts = count_decisions(torch.as_tensor(positives), torch.as_tensor(hidden))
    measures = per_class_precision_recall_f1(counts)
    correct, judged, positive = (count.numpy() for count in counts)
    absent = negatives & (hidden == 0)
    wrong = (states != -1) & (truth != -1) & (states != truth)
    expected = np.full(len(judged), np.nan)
    if calibrated:
        proposed = positives.sum(0)
        total = np.where(positives, probability, 0).sum(0)
        np.divide(total, proposed, out=expected, where=proposed > 0)
    sums = correct.sum(), judged.sum(), positive.sum()
    return CompletionStudy(
        correct,
        judged,
        positive,
        np.where(judged > 0, measures['precision'].numpy(), np.nan),
        np.where(positive > 0, measures['recall'].numpy(), np.nan),
        expected,
        (_share(sums[0], sums[1]), _share(sums[0], sums[2])),
        float(probability[positives].mean())
        if calibrated and positives.any()
        else np.nan,
        (int((negatives & (hidden != -1)).sum()), int(absent.sum())),
        (int((disputed & (truth != -1)).sum()), int((disputed & wrong).sum())),
        int(wrong.sum()),
        precision_recall_curve(probability, hidden),
    )


def precision_recall_curve(
    probability: np.ndarray, truth: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Precision of all entries together, if more and more of them are proposed.

    Args:
        probability: ``(N, C)``; NaN is never proposed.
        truth: ``(N, C)`` in {1, 0, -1}; -1 is left out.

    Returns:
        recall, precision, and mean probability of what is proposed, ``(K,)`` each,
        from the highest probability on; empty without a positive.
    """
    use = (truth != -1) & ~np.isnan(probability)
    values, positive = probability[use].astype(np.float64), truth[use] == 1
    total = int((truth == 1).sum())
    if not total or not len(values):
        return np.zeros(0), np.zeros(0), np.zeros(0)
    order = np.argsort(-values, kind='stable')
    values, positive = values[order], positive[order]
    # Entries of equal probability are proposed together.
    ends = np.flatnonzero(np.append(np.diff(values) != 0, True))
    correct, number = np.cumsum(positive)[ends], ends + 1
    return correct / total, correct / number, np.cumsum(values)[ends] / number


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float('nan')
