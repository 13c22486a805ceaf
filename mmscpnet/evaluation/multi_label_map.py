"""The metric: mAP, precision, recall and F1 of multi-label recognition."""

import logging
import os
from collections.abc import Sequence
from functools import partial
from typing import Optional, Union

import torch
from mmengine.logging import MMLogger, print_log
from torch import Tensor

from mmscpnet.registry import METRICS

from .average_precision import AP_MODES, multilabel_average_precision
from .checks import ArrayLike, as_scores_and_targets, stack_samples
from .gathering import ArrayMetric
from .per_class_table import format_per_class_table
from .precision_recall import (
    count_in_blocks,
    per_class_precision_recall_f1,
    precision_recall_f1,
    threshold_decisions,
    topk_decisions,
)
from .results_file import write_results

MODE_KEYS = dict(
    non_interpolated='mAP', voc2012='mAP_voc2012', voc2007_11point='mAP_11point'
)


@METRICS.register_module()
class MultiLabelMAP(ArrayMetric):
    """Mean average precision, and CP CR CF1 OP OR OF1, in percent.

    Unknown entries (-1 in ``gt_score``) are left out everywhere. Logged are

    - ``mAP``: mean over classes of the non-interpolated average precision;
      ``mAP_voc2012`` and ``mAP_11point`` if asked for;
    - ``CP CR CF1 CF1_mean OP OR OF1`` with scores of at least ``thr`` taken as
      positive; ``CF1`` is made from CP and CR, ``CF1_mean`` is the mean of the
      classes' F1;
    - the same with the ``topk`` highest scores of an image as positive, named
      ``CP_top3`` and so on.

    With ``per_class_table=True``, meant for ``test_evaluator``, a table of all
    classes is logged at the end and everything is written to a JSON file. Classes
    without known positives or negatives are named in a warning, once.

    Args:
        thr (float): Threshold of a positive decision. Defaults to 0.5.
        topk (int, optional): Number of top decisions an image; None for none.
            Defaults to 3.
        average_mode (Sequence[str]): Kinds of average precision, see
            :func:`multilabel_average_precision`; ``mAP`` is always there.
        empty (str): ``'zero'`` counts a class without known positives as 0 in
            the means of average precision, ``'skip'`` leaves it out.
        per_class_table (bool): Whether to report classes and write the file.
            Defaults to False.
        out_file (str, optional): The JSON file. An existing one is kept, the
            time is then added to the name. Defaults to None:
            ``multi_label_map.json`` in the log folder of the run, if there is
            one.
        prefix (str, optional): Defaults to ``'multi-label'``.

    Raises:
        ValueError: If an option is unknown or out of range; later, if samples
            have not as many scores as labels, or not as many as the data set
            has classes, or there is no sample.
    """

    default_prefix: Optional[str] = 'multi-label'
    fields = dict(scores=torch.float32, targets=torch.int8)

    def __init__(
        self,
        thr: float = 0.5,
        topk: Optional[int] = 3,
        average_mode: Sequence[str] = ('non_interpolated',),
        empty: str = 'zero',
        per_class_table: bool = False,
        out_file: Optional[str] = None,
        prefix: Optional[str] = None,
    ) -> None:
        super().__init__(prefix=prefix)
        average_mode = [average_mode] if isinstance(average_mode, str) else average_mode
        _check_options(thr, topk, average_mode, empty)
        if out_file is not None and not per_class_table:
            raise ValueError(
                f'out_file={out_file!r} is written together with the table of '
                'classes: set per_class_table=True too'
            )
        self.thr = thr
        self.topk = topk
        self.average_mode = tuple(average_mode)
        self.empty = empty
        self.per_class_table = per_class_table
        self.out_file = out_file
        self._labels_told = False

    def process(self, data_batch, data_samples: Sequence[dict]) -> None:
        """Keep scores and labels of a batch.

        Args:
            data_batch: Not used.
            data_samples (Sequence[dict]): With ``pred_score`` (C,) and
                ``gt_score`` (C,), or ``gt_label``, whose other classes are then
                negative.
        """
        if data_samples:
            scores, targets, _ = stack_samples(data_samples, self.num_rows)
            self.keep(scores=scores, targets=targets)

    def compute_metrics(self, results: dict[str, Tensor]) -> dict[str, float]:
        """All measures; the report too, if it is time for it.

        Args:
            results (dict[str, Tensor]): ``scores`` and ``targets`` (N, C), of all
                processes.

        Returns:
            dict[str, float]: Percentages.
        """
        scores, targets = results['scores'], results['targets']
        if not len(scores):
            raise ValueError(
                'MultiLabelMAP has no sample to evaluate: is the data set empty?'
            )
        names = (self.dataset_meta or {}).get('classes')
        if names is not None and len(names) != scores.shape[1]:
            raise ValueError(
                f'the model scores {scores.shape[1]} classes, the data set has '
                f'{len(names)}: set num_classes of the model'
            )
        if not self._labels_told:
            self._tell_labels(targets, names)
        options = dict(topk=self.topk, average_mode=self.average_mode, empty=self.empty)
        metrics = self.calculate(scores, targets, thr=self.thr, **options)
        if self.per_class_table:
            self._report(metrics, scores, targets, names)
        return metrics

    @staticmethod
    def calculate(
        scores: ArrayLike,
        targets: ArrayLike,
        thr: float = 0.5,
        topk: Optional[int] = 3,
        average_mode: Sequence[str] = ('non_interpolated',),
        empty: str = 'zero',
    ) -> dict[str, float]:
        """All measures of scores against labels.

        Args:
            scores (Tensor | ndarray): (N, C).
            targets (Tensor | ndarray): (N, C) in {1, 0, -1}.
            thr (float): See the class; so are the others.

        Returns:
            dict[str, float]: Percentages, named as in the class.
        """
        average_mode = [average_mode] if isinstance(average_mode, str) else average_mode
        _check_options(thr, topk, average_mode, empty)
        scores, targets = as_scores_and_targets(scores, targets)
        metrics = {}
        for mode in dict.fromkeys(['non_interpolated', *average_mode]):
            ap = multilabel_average_precision(scores, targets, mode, empty)
            # every class may be without positives, and skipped
            metrics[MODE_KEYS[mode]] = float(ap.mean()) if len(ap) else 0.0
        rules = {'': partial(threshold_decisions, thr=thr)}
        if topk is not None:
            rules[f'_top{topk}'] = partial(topk_decisions, topk=topk)
        for suffix, rule in rules.items():
            values = precision_recall_f1(count_in_blocks(scores, targets, rule))
            metrics.update({f'{key}{suffix}': v for key, v in values.items()})
        return {key: 100 * value for key, value in metrics.items()}

    @staticmethod
    def per_class_rows(
        scores: ArrayLike,
        targets: ArrayLike,
        thr: float = 0.5,
        names: Optional[Sequence[str]] = None,
    ) -> list[dict[str, Union[str, int, float, None]]]:
        """Results of each class, in the order of the classes.

        Args:
            scores (Tensor | ndarray): (N, C).
            targets (Tensor | ndarray): (N, C) in {1, 0, -1}.
            thr (float): Threshold of a positive decision.
            names (Sequence[str], optional): Class names; indices if None.

        Returns:
            list[dict]: ``index``, ``name``, ``AP`` (None without positives),
            ``num_positive``, ``num_known``, ``precision``, ``recall``, ``f1``;
            percent.
        """
        scores, targets = as_scores_and_targets(scores, targets)
        rule = partial(threshold_decisions, thr=thr)
        counts = count_in_blocks(scores, targets, rule)
        values = per_class_precision_recall_f1(counts)
        aps = multilabel_average_precision(scores, targets, empty='nan').tolist()
        known = (targets != -1).sum(dim=0).tolist()
        return [
            dict(
                index=i,
                name=str(i) if names is None else str(names[i]),
                AP=None if ap != ap else 100 * ap,
                num_positive=int(counts.positive[i]),
                num_known=known[i],
                **{key: 100 * float(value[i]) for key, value in values.items()},
            )
            for i, ap in enumerate(aps)
        ]

    def _tell_labels(self, targets: Tensor, names) -> None:
        """Warn, once, of classes whose average precision says nothing."""
        self._labels_told = True
        counted = 'count as 0 in mAP' if self.empty == 'zero' else 'are left out of mAP'
        positive = (targets == 1).any(dim=0)
        negative = (targets == 0).any(dim=0)
        for which, meaning in (
            (~positive, f'have no known positive and {counted}'),
            (
                positive & ~negative,
                'have no known negative, and any ranking of theirs has an AP of 100',
            ),
        ):
            found = which.nonzero().flatten().tolist()
            if found:
                shown = [str(names[i]) if names else str(i) for i in found[:10]]
                more = ', ...' if len(found) > 10 else ''
                print_log(
                    f'{self.prefix}: {len(found)} of {targets.shape[1]} classes '
                    f'{meaning}: {", ".join(shown)}{more}',
                    'current',
                    logging.WARNING,
                )

    def _report(self, metrics: dict, scores: Tensor, targets: Tensor, names) -> None:
        rows = self.per_class_rows(scores, targets, self.thr, names)
        title = f'Per class, in percent; P, R and F1 at a threshold of {self.thr}:'
        # mmengine's formatter puts the date in front of the first line
        print_log('\n' + format_per_class_table(rows, title), logger='current')
        path = self.out_file or _default_file()
        if path is None:
            return
        written = write_results(
            path,
            dict(
                num_samples=len(scores),
                thr=self.thr,
                topk=self.topk,
                empty=self.empty,
                metrics=metrics,
                per_class=rows,
            ),
        )
        if os.path.abspath(path) != written:
            print_log(f'{path} exists and is kept', 'current', logging.WARNING)
        print_log(f'results are in {written}', logger='current')


def _default_file() -> Optional[str]:
    """In the folder of the current log file."""
    for handler in MMLogger.get_current_instance().handlers:
        if isinstance(handler, logging.FileHandler):
            folder = os.path.dirname(handler.baseFilename)
            return os.path.join(folder, 'multi_label_map.json')
    return None


def _check_options(
    thr: float, topk: Optional[int], average_mode: Sequence[str], empty: str
) -> None:
    if not isinstance(thr, (int, float)):
        raise ValueError(f'thr must be a number, found {thr!r}')
    if topk is not None and (not isinstance(topk, int) or topk < 1):
        raise ValueError(f'topk must be a whole number >= 1 or None, found {topk!r}')
    unknown = [mode for mode in average_mode if mode not in AP_MODES]
    if unknown:
        raise ValueError(f'average_mode must be among {AP_MODES}, found {unknown}')
    if empty not in ('zero', 'skip'):
        raise ValueError(f"empty must be 'zero' or 'skip', found {empty!r}")
