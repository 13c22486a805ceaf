"""Completing incomplete labels: proposals for unknown ones, doubts about known ones."""

from collections.abc import Sequence
from typing import NamedTuple, Optional

import numpy as np
import torch
import torch.nn.functional as F
from mmpretrain.structures import DataSample
from torch import Tensor

from mmscpnet.datasets.class_names import describe_difference
from mmscpnet.datasets.formats.provenance import TracedLabels
from mmscpnet.engine.hooks.label_set import find_head

from .evidence import Evidence, LabelMatch, Neighbor
from .inferencer import MultiLabelInferencer
from .outputs import scores_of
from .selection import doubtful, limit_per_image, meet_precision


class Choice(NamedTuple):
    """What a user wants proposed.

    Attributes:
        precision: expected precision of the proposals of each class; None goes by the
            inferencer's own rule (threshold, top k, or decisions file).
        classes: indices of the classes to propose; None for all.
        max_per_image: proposals of an image.
        absence: an unknown label is proposed as negative where its absence is at least
            so probable; None for never.
        doubt: a known label is disputed where the contrary is at least so probable.
    """

    precision: Optional[float] = None
    classes: Optional[Sequence[int]] = None
    max_per_image: Optional[int] = None
    absence: Optional[float] = None
    doubt: float = 0.95


class Finding(NamedTuple):
    """A proposal, or a known label that is disputed.

    Attributes:
        image: its index.
        label: its index in the annotation file.
        state: 1 or 0, what is known of the label; -1 of a proposal.
        score: of the model, in [0, 1].
        confidence: calibrated probability; None without a calibration.
        evidence: with label indices of the annotation file.
    """

    image: int
    label: int
    state: int
    score: float
    confidence: Optional[float]
    evidence: Evidence

    @property
    def probability(self) -> float:
        """The calibrated one where there is one."""
        return self.score if self.confidence is None else self.confidence


class Completion(NamedTuple):
    """Result of :func:`complete_labels`.

    Attributes:
        scores: ``(N, C)`` float32, NaN for photos that could not be read.
        confidence: ``(N, C)`` float64, calibrated; None without a calibration.
        positives: ``(N, C)`` bool, unknown labels that are proposed as positive.
        negatives: ``(N, C)`` bool, the same as negative.
        proposals: of positives, the most probable first.
        disputed: known labels, the most doubtful first.
        errors: what is wrong with photos, by index.
    """

    scores: np.ndarray
    confidence: Optional[np.ndarray]
    positives: np.ndarray
    negatives: np.ndarray
    proposals: list[Finding]
    disputed: list[Finding]
    errors: dict[int, str]

    @property
    def probability(self) -> np.ndarray:
        """``(N, C)``, the calibrated ones where there are any."""
        return self.scores if self.confidence is None else self.confidence


class FeatureInferencer(MultiLabelInferencer):
    """An inferencer whose samples also have the image's feature, ``image_feature``.

    ``(D,)``, of length 1, behind the projection of a head that matches features; not
    there for other heads.
    """

    def test_step(self, batch: dict) -> list[DataSample]:
        """Predict a batch, and watch what comes out of the projection."""
        projection = getattr(find_head(self.model), 'projection', None)
        if projection is None:
            return super().test_step(batch)
        caught: list[Tensor] = []
        handle = projection.register_forward_hook(lambda *call: caught.append(call[2]))
        try:
            samples = super().test_step(batch)
        finally:
            handle.remove()
        features = F.normalize(caught[-1].float(), dim=-1).cpu()
        for sample, feature in zip(samples, features):
            sample.set_field(feature, 'image_feature')
        return samples


def complete_labels(
    inferencer: FeatureInferencer,
    labels: TracedLabels,
    photos: Sequence[str],
    choice: Choice = Choice(),  # noqa: B008 - it cannot be changed
) -> Completion:
    """Propose labels for the unknown entries of an annotation file.

    Args:
        inferencer: the model; its decisions file, if any, calibrates.
        labels: N images with C labels, of which some are unknown.
        photos: paths of the N photos.
        choice: what to propose.

    Raises:
        ValueError: the model does not know a label of the file, no photo can be read,
            or a calibration is wanted that is not there.
    """
    columns = _columns(labels.classes, inferencer.classes)
    decisions = inferencer.rule.decisions
    calibrated = decisions is not None and decisions.calibration.method != 'none'
    for option, value in (('precision', choice.precision), ('absence', choice.absence)):
        if value is not None and not calibrated:
            raise ValueError(
                f'{option}: {value:g} takes calibrated probabilities, and there '
                + ('is no decisions file' if decisions is None else 'are none in it')
                + '. Make one with tools/analysis_tools/choose_thresholds.py '
                '(--calibration platt)'
            )
    scores, features, errors = _score(inferencer, photos)
    if len(errors) == len(photos):
        path, reason = photos[0], errors[0]
        raise ValueError(
            f'none of the {len(photos)} photos can be read. The first, {path}: {reason}'
        )
    # Photos that were not read have no score that reaches anything.
    given = inferencer.rule.decide(np.nan_to_num(scores, nan=-1.0))[:, columns]
    confidence = None
    if calibrated:
        confidence = inferencer.rule.probabilities(scores)[:, columns]
    scores = scores[:, columns]
    probability = scores if confidence is None else confidence
    read = np.ones((len(photos), 1), dtype=bool)
    read[list(errors)] = False
    wanted = np.ones(len(labels.classes), dtype=bool)
    if choice.classes is not None:
        wanted[:] = False
        wanted[list(choice.classes)] = True
    unknown = (labels.states == -1) & read & wanted
    if choice.precision is not None:
        given = meet_precision(confidence, unknown, choice.precision)
    positives = limit_per_image(given & unknown, probability, choice.max_per_image)
    negatives = np.zeros_like(positives)
    if choice.absence is not None:
        negatives = unknown & ~given & (1 - confidence >= choice.absence)
    doubted = doubtful(probability, labels.states, choice.doubt) & wanted
    explain = _Explanations(inferencer, labels, columns, features)
    return Completion(
        scores,
        confidence,
        positives,
        negatives,
        explain(positives, scores, confidence, probability),
        explain(doubted, scores, confidence, np.abs(labels.states - probability)),
        errors,
    )


def _columns(classes: Sequence[str], known: Sequence[str]) -> list[int]:
    """Where the labels of the file stand among those of the model."""
    place = {name: index for index, name in enumerate(known)}
    if any(name not in place for name in classes):
        raise ValueError(
            'the annotation file has labels that the model does not know: '
            + describe_difference(list(classes), list(known))
        )
    return [place[name] for name in classes]


def _score(inferencer: FeatureInferencer, photos: Sequence[str]) -> tuple:
    """Scores ``(N, C)``, features ``(N, D)`` or None, errors by index."""
    scores = np.full((len(photos), len(inferencer.classes)), np.nan, np.float32)
    features, errors = None, {}
    samples = inferencer.stream(list(photos), return_datasamples=True)
    for index, sample in enumerate(samples):
        if 'pred_score' not in sample:
            errors[index] = sample.metainfo['error']
            continue
        scores[index] = scores_of(sample)
        feature = sample.get('image_feature')
        if feature is not None:
            if features is None:
                features = torch.zeros(len(photos), len(feature))
            features[index] = feature
    return scores, features, errors


class _Explanations:
    """Evidence in the labels of the annotation file, which may be some of the model's.

    ``(N, C)`` bool -> findings, those of the highest ``ranking`` first.
    """

    def __init__(self, inferencer, labels: TracedLabels, columns, features) -> None:
        self.match = LabelMatch(find_head(inferencer.model))
        self.labels, self.columns, self.features = labels, columns, features
        self.back = {column: index for index, column in enumerate(columns)}
        self.present = [
            [columns[c] for c in np.flatnonzero(row == 1)] for row in labels.states
        ]

    def __call__(self, chosen, scores, confidence, ranking) -> list[Finding]:
        images, classes = np.nonzero(chosen)
        order = np.argsort(-ranking[images, classes], kind='stable')
        entries = list(zip(images[order].tolist(), classes[order].tolist()))
        evidence = self.match.explain(
            self.features, [(i, self.columns[c]) for i, c in entries], self.present
        )
        return [
            Finding(
                i,
                c,
                int(self.labels.states[i, c]),
                float(scores[i, c]),
                None if confidence is None else float(confidence[i, c]),
                found._replace(
                    neighbors=tuple(self._translated(n) for n in found.neighbors)
                ),
            )
            for (i, c), found in zip(entries, evidence)
        ]

    def _translated(self, neighbor: Neighbor) -> Neighbor:
        return neighbor._replace(label=self.back[neighbor.label])
