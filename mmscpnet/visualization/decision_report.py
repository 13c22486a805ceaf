"""What was decided and how good it is: Markdown, CSV and pictures."""

import csv
import json
from pathlib import Path

import numpy as np

from mmscpnet.evaluation.decision_errors import confused_pairs, worst_entries
from mmscpnet.evaluation.decision_study import Settings, Study
from mmscpnet.evaluation.score_table import ScoreTable

from .decision_figures import (
    draw_average_precision,
    draw_class_errors,
    draw_confused_pairs,
    draw_errors,
    draw_reliability,
)
from .markdown import markdown_table

COLUMNS = (
    'class',
    'AP',
    'precision',
    'recall',
    'F1',
    'F1 held out',
    'positives',
    'negatives',
    'threshold',
    'ECE before',
    'ECE after',
)
GOAL_TEXTS = dict(
    f1='the highest F1',
    precision='a precision of at least {value:g}',
    recall='a recall of at least {value:g}',
    budget='at most {value:g} labels an image on average',
)


def write_decision_report(
    table: ScoreTable,
    study: Study,
    settings: Settings,
    folder: Path,
    title: str,
    command: str,
    num_photos: int = 24,
) -> None:
    """Write ``decisions.json``, ``report.md``, ``per_class.csv`` and the pictures.

    Args:
        table: the scores that were studied.
        study: of them.
        settings: of the study.
        folder: where to; it exists.
        title: of the report.
        command: that makes it again.
        num_photos: on each of the two sheets of errors.
    """
    content = json.dumps(
        study.decisions.to_json(), indent=1, allow_nan=False, ensure_ascii=False
    )
    (folder / 'decisions.json').write_text(content + '\n', encoding='utf-8')
    rows = class_rows(table, study)
    with open(folder / 'per_class.csv', 'w', newline='', encoding='utf-8') as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows([name, *map(_exact, values)] for name, *values in rows)
    pictures = _pictures(table, study, settings, folder, num_photos)
    lines = [
        f'# {title}',
        _goal(settings),
        *(f'**Mind:** {warning}' for warning in study.warnings),
        '## All classes',
        summary_table(study, settings),
        'Held out: each image is decided by thresholds that were chosen on others, '
        f'{settings.folds} parts; that is what to expect of new images. Percent, over '
        'known entries.',
        *(f'![{text}]({name})' for name, text in pictures),
        '## Every class',
        markdown_table(
            COLUMNS, [[r[0], *map(_short, COLUMNS[1:], r[1:])] for r in rows]
        ),
        f'Made by `{command}`. The same figures are in per_class.csv, as fractions.',
    ]
    (folder / 'report.md').write_text('\n\n'.join(lines) + '\n', encoding='utf-8')


def class_rows(table: ScoreTable, study: Study) -> list[list]:
    """A row of :data:`COLUMNS` for each class; None where there is no figure."""
    columns = (
        study.average_precision,
        study.fitted.precision,
        study.fitted.recall,
        study.fitted.f1,
        study.held_out.f1,
        study.positives,
        study.negatives,
        study.decisions.thresholds,
        *study.class_ece,
    )
    rows = []
    for name, *values in zip(table.classes, *columns):
        finite = [v.item() if np.isfinite(v) else None for v in values]
        rows.append([name, *finite])
    return rows


def summary_table(study: Study, settings: Settings) -> str:
    """Overall and mean precision, recall and F1 of each way to decide."""
    ways = [
        ('as chosen, on the same images', study.fitted),
        ('as chosen, held out', study.held_out),
    ]
    if settings.per_class:
        ways.append(('one threshold for all classes, held out', study.single))
    header = ('', 'OP', 'OR', 'OF1', 'CP', 'CR', 'mean F1', 'labels an image')
    rows = [
        [
            name,
            *(f'{100 * v:.1f}' for v in (*quality.overall, *quality.mean)),
            f'{quality.labels_an_image:.2f}',
        ]
        for name, quality in ways
    ]
    return markdown_table(header, rows)


def _goal(settings: Settings) -> str:
    goal = GOAL_TEXTS[settings.goal].format(value=settings.value)
    scope = 'A threshold for each class' if settings.per_class else 'One threshold'
    return f'{scope}, for {goal}; calibration: {settings.calibration}.'


def _pictures(table, study, settings, folder, num_photos) -> list[tuple[str, str]]:
    """File and text of each picture that was drawn."""
    classes, made = table.classes, []

    def picture(name: str, text: str, draw, *args) -> None:
        draw(*args, folder / name)
        made.append((name, text))

    picture(
        'average_precision.png',
        'Average precision',
        draw_average_precision,
        classes,
        study.average_precision,
    )
    panels = [('scores', study.before)]
    if settings.calibration != 'none':
        panels.append((f'{settings.calibration}, held out', study.after))
    picture('reliability.png', 'Reliability', draw_reliability, panels)
    if settings.calibration != 'none':
        picture(
            'class_ece.png',
            'Calibration error of each class',
            draw_class_errors,
            classes,
            *study.class_ece,
        )
    decided = study.decisions.decide(table.scores)
    pairs = confused_pairs(decided, table.targets)
    if pairs:
        picture(
            'confused_pairs.png',
            'Most confused pairs',
            draw_confused_pairs,
            pairs,
            classes,
        )
    sheets = worst_entries(study.probabilities, decided, table.targets, num_photos)
    for name, entries in zip(('false_positives', 'false_negatives'), sheets):
        if entries and any(table.img_path):
            text = f'Surest {name.replace("_", " ")}'
            draw_errors(
                entries,
                table,
                study.probabilities,
                decided,
                folder / f'{name}.png',
                text,
            )
            made.append((f'{name}.png', text))
    return made


def _exact(value) -> str:
    return '' if value is None else repr(value)


def _short(column: str, value) -> str:
    if column == 'threshold':
        return 'never' if value is None else f'{value:.3f}'
    if value is None:
        return '-'
    return str(value) if isinstance(value, int) else f'{100 * value:.1f}'
