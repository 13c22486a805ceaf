"""Keep the scores of an evaluation, for whatever is computed from them later."""

import io
import os
from collections.abc import Sequence

import numpy as np
import torch
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from mmscpnet.registry import METRICS

from .checks import labels_of
from .results_file import write_bytes


@METRICS.register_module()
class SaveScores(BaseMetric):
    """Write scores and labels of all images to a NumPy file (``.npz``).

    It holds ``scores`` (N, C) float32, ``targets`` (N, C) int8 in {1, 0, -1},
    ``img_path`` (N,) and ``classes`` (C,), and is read by
    ``numpy.load(file, allow_pickle=False)``. It reports no measure.

    Args:
        out_file (str): The file. An existing one is kept, the time is then added
            to the name.
        collect_device (str): See :class:`mmengine.evaluator.BaseMetric`.
    """

    def __init__(self, out_file: str, collect_device: str = 'cpu') -> None:
        super().__init__(collect_device=collect_device)
        self.out_file = out_file

    def process(self, data_batch, data_samples: Sequence[dict]) -> None:
        """Keep scores and labels of a batch.

        Args:
            data_batch: Not used.
            data_samples (Sequence[dict]): With ``pred_score`` (C,) and
                ``gt_score`` (C,) or ``gt_label``.
        """
        for sample in data_samples:
            name = str(sample.get('img_path', f'sample {len(self.results)}'))
            scores = torch.as_tensor(sample['pred_score']).detach().float().cpu()
            labels = labels_of(sample, len(scores), name).cpu()
            self.results.append((scores.numpy(), labels.numpy().astype(np.int8), name))

    def compute_metrics(self, results: list) -> dict:
        """Write the file.

        Args:
            results (list): What :meth:`process` kept, of all processes.

        Returns:
            dict: Nothing.
        """
        scores, targets, names = zip(*results, strict=True)
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            scores=np.stack(scores),
            targets=np.stack(targets),
            img_path=np.array(names),
            classes=np.array((self.dataset_meta or {}).get('classes', [])),
        )
        written = write_bytes(self.out_file, buffer.getvalue())
        if os.path.abspath(self.out_file) != written:
            print_log(f'{self.out_file} exists and is kept', logger='current')
        return {}
