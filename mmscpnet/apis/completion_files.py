"""A completion as files: the annotation, the review list, the disputed labels."""

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from mmscpnet.datasets.formats.provenance import (
    KNOWN,
    PROPOSED,
    TracedLabels,
    TracedRecord,
)
from mmscpnet.datasets.formats.writer import AnnotationWriter
from mmscpnet.evaluation.calibration import safe_logit

from .completion import Completion, Finding

COLUMNS = (
    'rank',
    'image',
    'label',
    'probability',
    'confidence',
    'prompt_logit',
    'logit',
    'cosine',
    'neighbors',
)


def completed_records(
    labels: TracedLabels, completion: Completion
) -> Iterator[TracedRecord]:
    """The images with known and proposed labels, each with its provenance."""
    for i, states in enumerate(labels.states):
        positive = np.flatnonzero(completion.positives[i]).tolist()
        negative = np.flatnonzero(completion.negatives[i]).tolist()
        row = states.copy()
        row[positive], row[negative] = 1, 0
        provenance = {
            **labels.provenance[i],
            **dict.fromkeys(positive + negative, PROPOSED),
        }
        probability = completion.probability[i]
        confidence = {c: probability[c] for c in positive}
        confidence.update({c: 1 - probability[c] for c in negative})
        yield labels.record(i, row, provenance, confidence)


def write_completed(
    labels: TracedLabels, completion: Completion, path: Path, made: dict
) -> dict:
    """Write the completed annotation in OpenMMLab's JSON.

    Args:
        labels: of the annotation file.
        completion: of these.
        path: file to write.
        made: how, for its ``metainfo``.

    Returns:
        dict: Counts of labels, see :class:`AnnotationWriter`.
    """
    metainfo = {**labels.metainfo, 'completion': made}
    with AnnotationWriter(path, labels.classes, labels.unlisted, metainfo) as writer:
        for record in completed_records(labels, completion):
            writer.add(*record)
    return writer.statistics


def write_completed_list(
    labels: TracedLabels, completion: Completion, path: Path, provenance: Path
) -> None:
    """Write the completed annotation as a list file, and the provenance beside it.

    A line of a list has no room for it, so ``provenance`` is a CSV file with image,
    label, provenance and confidence of each positive label.
    """
    with (
        open(path, 'w', encoding='utf-8', newline='\n') as lines,
        open(provenance, 'w', encoding='utf-8', newline='') as table,
    ):
        rows = csv.writer(table, lineterminator='\n')
        rows.writerow(['image', 'label', 'provenance', 'confidence'])
        for record in completed_records(labels, completion):
            lines.write(f'{record.img_path},{" ".join(map(str, record.positives))}\n')
            sources = record.extra['provenance']
            confidence = record.extra.get('confidence', {})
            for c in map(str, record.positives):
                name = labels.classes[int(c)]
                rows.writerow(
                    [record.img_path, name, sources[c], confidence.get(c, '')]
                )


def write_findings(
    findings: Iterable[Finding],
    classes: Sequence[str],
    images: Sequence[str],
    path: Path,
    known: bool,
) -> None:
    """Write proposals or disputed labels as CSV, in their order.

    ``probability`` is the model's score, ``confidence`` the calibrated probability.
    ``neighbors`` is JSON: label, weight and effect of each, see :class:`Neighbor`.

    Args:
        findings: what to write.
        classes: C names.
        images: N paths.
        path: file to write.
        known: whether a column says what is known, for disputed labels.
    """
    with open(path, 'w', encoding='utf-8', newline='') as file:
        rows = csv.writer(file, lineterminator='\n')
        columns = list(COLUMNS)
        if known:
            columns.insert(3, KNOWN)
        rows.writerow(columns)
        for rank, finding in enumerate(findings, start=1):
            row = [
                rank,
                images[finding.image],
                classes[finding.label],
                _number(finding.score),
                _number(finding.confidence),
                _number(finding.evidence.prompt_logit),
                _number(logit_of(finding.score)),
                _number(finding.evidence.cosine),
                _neighbors(finding, classes),
            ]
            if known:
                row.insert(3, finding.state)
            rows.writerow(row)


def logit_of(score: float) -> float:
    """Logit of a score, finite for 0 and 1, too."""
    return float(safe_logit(np.float64(score)))


def _number(value) -> str:
    return '' if value is None else f'{value:.6g}'


def _neighbors(finding: Finding, classes: Sequence[str]) -> str:
    found = [
        dict(
            label=classes[n.label],
            weight=float(f'{n.weight:.4g}'),
            effect=n.effect if n.effect is None else float(f'{n.effect:.4g}'),
        )
        for n in finding.evidence.neighbors
    ]
    return json.dumps(found, ensure_ascii=False) if found else ''
