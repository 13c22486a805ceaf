"""Keep the scores of an evaluation, for whatever is computed from them later."""

import io
import os
from collections.abc import Sequence

import numpy as np
import torch
from mmengine.logging import print_log
from torch import Tensor

from mmscpnet.registry import METRICS

from .checks import stack_samples
from .gathering import ArrayMetric, bytes_to_names, names_to_bytes
from .results_file import write_bytes


@METRICS.register_module()
class SaveScores(ArrayMetric):
    """Write scores and labels of all images to a NumPy file (``.npz``).

    It holds ``scores`` (N, C) float32, ``targets`` (N, C) int8 in {1, 0, -1},
    ``img_path`` (N,) and ``classes`` (C,), and is read by
    ``numpy.load(file, allow_pickle=False)``. It reports no measure.

    Args:
        out_file (str): The file. An existing one is kept, the time is then added
            to the name.
        overwrite (bool): Whether to replace an existing file instead.
    """

    fields = dict(scores=torch.float32, targets=torch.int8, names=torch.uint8)

    def __init__(self, out_file: str, overwrite: bool = False) -> None:
        super().__init__()
        self.out_file = out_file
        self.overwrite = overwrite

    def process(self, data_batch, data_samples: Sequence[dict]) -> None:
        """Keep scores and labels of a batch.

        Args:
            data_batch: Not used.
            data_samples (Sequence[dict]): With ``pred_score`` (C,) and
                ``gt_score`` (C,) or ``gt_label``.
        """
        if data_samples:
            scores, targets, names = stack_samples(data_samples, self.num_rows)
            self.keep(scores=scores, targets=targets, names=names_to_bytes(names))

    def compute_metrics(self, results: dict[str, Tensor]) -> dict:
        """Write the file.

        Args:
            results (dict[str, Tensor]): What :meth:`process` kept, of all processes.

        Returns:
            dict: Nothing.
        """
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            scores=results['scores'].float().numpy(),
            targets=results['targets'].numpy(),
            img_path=np.array(bytes_to_names(results['names'])),
            classes=np.array((self.dataset_meta or {}).get('classes', [])),
        )
        written = write_bytes(self.out_file, buffer.getvalue(), self.overwrite)
        if os.path.abspath(self.out_file) != written:
            print_log(f'{self.out_file} exists and is kept', logger='current')
        return {}
