"""How right proposals are: Markdown, CSV and a picture."""

import csv
from pathlib import Path

import numpy as np

from mmscpnet.apis.completion import Completion
from mmscpnet.datasets.formats.provenance import TracedLabels
from mmscpnet.evaluation.completion_study import CompletionStudy, study_completion

from .decision_figures import BLUE, GREY, ORANGE
from .drawing import save_figure
from .label_figures import shortened
from .markdown import markdown_table

COLUMNS = ('class', 'proposed', 'correct', 'hidden', 'precision', 'recall', 'expected')
_NAMED = 8


def write_completion_report(
    labels: TracedLabels,
    completion: Completion,
    truth: np.ndarray,
    files: dict[str, Path],
    command: str,
) -> CompletionStudy:
    """Write the report of a completion whose truth is known.

    Args:
        labels: of the annotation file.
        completion: of these.
        truth: ``(N, C)`` in {1, 0, -1}.
        files: ``report``, ``per_class`` and ``picture``.
        command: that makes it again.
    """
    disputed = np.zeros(labels.states.shape, dtype=bool)
    for finding in completion.disputed:
        disputed[finding.image, finding.label] = True
    calibrated = completion.confidence is not None
    study = study_completion(
        labels.states,
        truth,
        completion.positives,
        completion.negatives,
        disputed,
        completion.probability,
        calibrated,
    )
    rows = class_rows(labels.classes, completion, study)
    with open(files['per_class'], 'w', newline='', encoding='utf-8') as file:
        writer = csv.writer(file, lineterminator='\n')
        writer.writerow(COLUMNS)
        writer.writerows(
            ['' if isinstance(v, float) and np.isnan(v) else v for v in row]
            for row in rows
        )
    draw_completion(labels.classes, study, files['picture'])
    text = _text(completion, study, rows, files['picture'].name, command)
    files['report'].write_text(text, encoding='utf-8')
    return study


def class_rows(classes, completion: Completion, study: CompletionStudy) -> list[list]:
    """A row of :data:`COLUMNS` for each class; NaN where there is no figure."""
    columns = (
        completion.positives.sum(0),
        study.correct,
        study.hidden,
        study.precision,
        study.recall,
        study.expected,
    )
    return [
        [name, *(value.item() for value in values)]
        for name, *values in zip(classes, *columns)
    ]


def _text(completion, study: CompletionStudy, rows, picture: str, command: str) -> str:
    precision, recall = (_percent(value) for value in study.overall)
    judged, hidden = int(study.judged.sum()), int(study.hidden.sum())
    lines = [
        '# Proposals against the truth',
        f'Of {int(completion.positives.sum())} proposals {judged} can be judged, and '
        f'{int(study.correct.sum())} of these are right: precision {precision}. Of '
        f'{hidden} positives among the unknown labels they find {recall} (recall).',
        f'Mean over classes: precision {_percent(_mean(study.precision))} (of '
        f'{int((study.judged > 0).sum())} classes with proposals), recall '
        f'{_percent(_mean(study.recall))} (of {int((study.hidden > 0).sum())} classes '
        'with hidden positives).',
    ]
    if not np.isnan(study.expected_overall):
        lines.append(
            'Expected by the calibration: precision '
            f'{_percent(study.expected_overall)}. The calibration knows nothing of '
            'which labels are unknown: where positives are known already, those that '
            'are left are fewer than it expects.'
        )
    if study.negatives[0]:
        lines.append(
            f'Of {study.negatives[0]} labels that are proposed as negative '
            f'{_percent(study.negatives[1] / study.negatives[0])} are.'
        )
    lines.append(
        f'Disputed: {study.disputed[0]} known labels, of which {study.disputed[1]} are '
        f'wrong; {study.wrong} known labels are wrong in all.'
    )
    if completion.errors:
        lines.append(
            f'{len(completion.errors)} photos could not be used; their positives count '
            'as not found.'
        )
    shown = [
        [row[0], *map(str, row[1:4]), *(_percent(v) for v in row[4:])] for row in rows
    ]
    lines += [
        f'![Precision and recall]({picture})',
        '## Every class',
        markdown_table(COLUMNS, shown),
        'hidden: positives among the unknown labels; expected: precision by the '
        f'calibration. Made by `{command}`.',
    ]
    return '\n\n'.join(lines) + '\n'


def draw_completion(classes, study: CompletionStudy, path: Path) -> None:
    """Precision against recall: of all entries as a curve, of each class as a dot.

    Args:
        classes: C names.
        study: of the proposals.
        path: PNG to write.
    """
    import matplotlib

    matplotlib.use('Agg')
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(
        1, 2, figsize=(11, 5), layout='constrained', sharey=True
    )
    recall, precision, expected = (100 * part for part in study.curve)
    left.plot(recall, precision, color=BLUE, linewidth=2, label='found')
    if not np.isnan(study.expected_overall):
        left.plot(
            recall, expected, '--', color=GREY, label='expected by the calibration'
        )
    op, orr = (100 * value for value in study.overall)
    if not np.isnan([op, orr]).any():
        left.plot(
            orr,
            op,
            'o',
            color=ORANGE,
            markersize=9,
            label=f'proposed: precision {op:.1f}%, recall {orr:.1f}%',
        )
    left.set_title('All unknown labels, by probability')
    left.set_ylabel('precision, %')
    if len(recall):
        left.legend(loc='best')
    drawn = ~np.isnan(study.precision) & ~np.isnan(study.recall)
    x, y = 100 * study.recall[drawn], 100 * study.precision[drawn]
    size = 12 + 160 * np.sqrt(study.hidden[drawn] / max(1, study.hidden.max()))
    right.scatter(x, y, size, color=BLUE, alpha=0.55, linewidth=0)
    names = [name for name, use in zip(classes, drawn) if use]
    for index in _named(study.hidden[drawn], x, y):
        right.annotate(
            shortened(names[index], 20),
            (x[index], y[index]),
            xytext=(6, 4),
            textcoords='offset points',
            fontsize=9,
        )
    missing = int((~drawn).sum())
    right.set_title(
        'Each class; area by its hidden positives'
        + (f' ({missing} without a dot)' if missing else '')
    )
    for axis in (left, right):
        axis.set(xlim=(-2, 104), ylim=(-2, 104), xlabel='recall, %')
        axis.grid(alpha=0.3)
    save_figure(figure, path)


def _named(hidden: np.ndarray, x: np.ndarray, y: np.ndarray) -> list[int]:
    """The largest classes whose names do not cover each other."""
    chosen: list[int] = []
    for index in np.argsort(-hidden, kind='stable').tolist():
        apart = all(
            abs(y[index] - y[i]) > 5 or abs(x[index] - x[i]) > 26 for i in chosen
        )
        # Names stand to the right of their dots.
        if apart and x[index] < 85:
            chosen.append(index)
        if len(chosen) == _NAMED:
            break
    return chosen


def _mean(values: np.ndarray) -> float:
    return float(np.nanmean(values)) if not np.isnan(values).all() else float('nan')


def _percent(value: float) -> str:
    return '\u2013' if np.isnan(value) else f'{100 * value:.1f}%'
