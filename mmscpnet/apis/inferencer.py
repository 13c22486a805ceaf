"""Which labels does a photo have? The answer of a trained model."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Optional, Union

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, default_collate
from mmengine.infer import BaseInferencer
from mmengine.registry import DefaultScope
from mmpretrain.structures import DataSample
from rich.console import Console
from rich.progress import track
from torch import nn

from mmscpnet.datasets.class_names import load_class_names
from mmscpnet.engine.hooks.label_set import find_head
from mmscpnet.registry import SCOPE
from mmscpnet.visualization.prediction import shrink_photo

from .inputs import Item, Photo, list_inputs, read_photo
from .known_labels import KnownLabels
from .loading import build_model, build_pipeline, find_classes, find_config
from .loading import read_weights as _read_weights
from .outputs import as_dict, check_picture_folder, draw_result, scores_of
from .rules import DecisionRule


class MultiLabelInferencer(BaseInferencer):
    """Scores and labels of photos, by any multi-label model.

    .. code-block:: python

        inferencer = MultiLabelInferencer('config.py', 'best.pth', top_k=3)
        for result in inferencer('photos'):
            print(result['img_path'], result['labels'])

    Photos are prepared as the config's test pipeline says, so the scores are those of
    ``tools/test.py``. A model that is trained on a feature bank is given the photos
    themselves. (A bank keeps half precision by default, so a test on it differs from
    this by what rounding makes, about 1e-4.)

    Args:
        model: A config or its path, of this package or of MMPretrain, or the name of a
            model of MMPretrain's zoo. A config is code: trust it before running it.
        weights: Path or address of the checkpoint, which is read as data only. None
            takes the weights that the config names: with CLIP's, zero-shot prediction.
        device: None takes a GPU if there is one.
        threshold: A label is given from this score on. Without any of the three, the
            setting of the model's head, which is 0.5 by default.
        top_k: The labels of the k highest scores are given.
        thresholds: A file of ``tools/analysis_tools/choose_thresholds.py``.
        batch_size: Photos that go through the model at once.
        show_progress: Whether a bar shows the progress, if there is more than a batch.

    Attributes:
        classes (list[str]): C label names; ``class 0`` and so on where none are known.
        known_labels (KnownLabels, optional): Labels that are known; pictures then tell
            known, proposed and rejected ones apart. None by default.

    Raises:
        FileNotFoundError: A file is missing.
        ValueError: The model is not a multi-label one, the weights do not fit it, or an
            argument is out of range.
    """

    def __init__(
        self,
        model: Union[str, Path, dict, Config],
        weights: Union[str, Path, None] = None,
        device: Optional[str] = None,
        threshold: Optional[float] = None,
        top_k: Optional[int] = None,
        thresholds: Union[str, Path, None] = None,
        batch_size: int = 16,
        show_progress: bool = True,
    ) -> None:
        _check_batch_size(batch_size)
        given = dict(threshold=threshold, top_k=top_k, thresholds=thresholds)
        chosen = any(value is not None for value in given.values())
        # Before the model is read, which takes long.
        rule = DecisionRule(**given) if chosen else None
        cfg, known_weights = find_config(model)
        scope = cfg.get('default_scope', SCOPE)
        with DefaultScope.overwrite_default_scope(scope):
            super().__init__(
                cfg, weights or known_weights, device, scope, show_progress
            )
        self.batch_size = batch_size
        self.known_labels: Optional[KnownLabels] = None
        head = getattr(self.model, 'head', None)
        if rule is None and getattr(head, 'thr', 0.5) is None:
            rule = DecisionRule(top_k=head.topk)
        self.rule = rule or DecisionRule(threshold=getattr(head, 'thr', 0.5))
        if self.classes is None and self.rule.decisions is not None:
            self.classes = list(self.rule.decisions.classes)
        self.rule.check_classes(self.classes)
        if self.classes is None:
            # No names are known: an empty photo shows how many labels there are.
            blank = Item(0, np.zeros((64, 64, 3), np.uint8), 'blank')
            self.forward(self.preprocess([blank])[0])

    def set_labels(self, labels: Union[str, Path, Sequence[str]]) -> None:
        """Predict other labels from here on, without training.

        Prompts, label graph and features are rebuilt. Labels may be trained ones, new
        ones, or both; an order of the trained ones gives the same scores in that order.
        With other labels in its graph, SAM gives trained ones other scores, too. The
        graph keeps the K neighbours it had, or all labels where there are fewer. If
        this fails, the inferencer goes on with the labels it had.

        Args:
            labels: Names, or a file with one name a line, or ``'coco80'``, ``'voc20'``,
                ``'nus81'``.

        Raises:
            ValueError: The model is tied to the labels it was trained for, or the
                thresholds of the inferencer are for others.
        """
        names = load_class_names(labels, 'labels')
        head = find_head(self.model)
        if head is None:
            kind = type(getattr(self.model, 'head', self.model)).__name__
            raise ValueError(
                f'{kind} has weights for each label that it was trained for, and '
                'cannot take others. A SCPHead with a text encoder can'
            )
        self.rule.check_classes(names)
        with DefaultScope.overwrite_default_scope(self.scope), torch.no_grad():
            head.set_classes(names)
        self.classes = names

    def __call__(
        self,
        inputs: Union[Photo, Iterable[Photo]],
        return_datasamples: bool = False,
        batch_size: Optional[int] = None,
        show_dir: Union[str, Path, None] = None,
        overwrite: bool = False,
    ) -> list[Union[dict, DataSample]]:
        """Predict; see :meth:`stream` for arguments and results."""
        return list(
            self.stream(inputs, return_datasamples, batch_size, show_dir, overwrite)
        )

    def stream(
        self,
        inputs: Union[Photo, Iterable[Photo]],
        return_datasamples: bool = False,
        batch_size: Optional[int] = None,
        show_dir: Union[str, Path, None] = None,
        overwrite: bool = False,
    ) -> Iterator[Union[dict, DataSample]]:
        """Predict photo by photo, in memory for one batch.

        Args:
            inputs: A path, an address of mmengine's file client, an array ``(H, W, 3)``
                uint8 in the order **B, G, R** (as mmcv and OpenCV read), an image of
                Pillow, a folder (with its sub-folders), or a list or generator of them.
            return_datasamples: Whether to give a ``DataSample`` a photo.
            batch_size: None for that of the inferencer.
            show_dir: Folder for a picture of each photo with its labels.
            overwrite: Whether pictures that are there may be replaced.

        Yields:
            dict: For each photo, in order, ``img_path`` (None of an array), ``labels``
            (names, highest score first), ``scores`` ``(C,)`` float32, ``decisions``
            ``(C,)`` bool, with a decisions file ``probabilities`` ``(C,)``, and
            ``error``: None, or why the photo could not be read. Then the others, but
            ``img_path``, are missing. A ``DataSample`` has ``pred_score``,
            ``pred_label``, and ``error`` if there is one.

        Raises:
            ValueError: The inputs are no photos, or ``show_dir`` holds files.
        """
        batch_size = self.batch_size if batch_size is None else batch_size
        _check_batch_size(batch_size)
        items, total = list_inputs(inputs, self.pipeline[0].backend_args)
        folder = None if show_dir is None else check_picture_folder(show_dir, overwrite)
        items = track(
            items,
            'Inference',
            total,
            console=Console(stderr=True),
            disable=not self.show_progress or (total or np.inf) <= batch_size,
        )
        chunks = self._get_chunk_data(items, batch_size)
        return (
            result
            for chunk in chunks
            for result in self._predict(chunk, folder, return_datasamples)
        )

    def _predict(
        self, items: list[Item], folder: Optional[Path], return_datasamples: bool
    ) -> list[Union[dict, DataSample]]:
        data, errors = self.preprocess(items, keep_photos=folder is not None)
        samples = self.forward(data)
        if folder is not None:
            self.visualize(items, samples, data, folder)
        return self.postprocess(items, samples, errors, return_datasamples)

    def preprocess(
        self, items: list[Item], keep_photos: bool = False
    ) -> tuple[dict[int, dict], dict[int, str]]:
        """Read and prepare photos.

        Returns:
            tuple: what the model takes, with a small copy of the photo as ``photo`` if
            asked for, and what is wrong with the others, by position in ``items``.
        """
        loader, transforms = self.pipeline
        data, errors = {}, {}
        for position, item in enumerate(items):
            # Decoders raise whatever a broken file leads them to.
            try:
                results = read_photo(item, loader)
                photo = shrink_photo(results['img']) if keep_photos else None
                data[position] = {**transforms(results), 'photo': photo}
            except Exception as error:
                errors[position] = str(error) or type(error).__name__
        return data, errors

    @torch.no_grad()
    def forward(self, data: dict[int, dict]) -> dict[int, DataSample]:
        """Samples with ``pred_score`` ``(C,)``; photos of one size go together."""
        sizes: dict[tuple, list[int]] = {}
        for position, entry in data.items():
            sizes.setdefault(tuple(entry['inputs'].shape), []).append(position)
        samples = {}
        for positions in sizes.values():
            batch = [
                {key: data[p][key] for key in ('inputs', 'data_samples')}
                for p in positions
            ]
            predicted = self.test_step(self.collate_fn(batch))
            samples.update(zip(positions, predicted))
        for sample in samples.values():
            self._check_scores(sample)
            scores = scores_of(sample)[None]
            sample.set_pred_label(np.flatnonzero(self.rule.decide(scores)[0]))
        return samples

    def test_step(self, batch: dict) -> list[DataSample]:
        """Predict a batch of photos of one size."""
        return self.model.test_step(batch)

    def _check_scores(self, sample: DataSample) -> None:
        if 'pred_score' not in sample:
            raise ValueError(
                f'{type(self.model).__name__} gives no pred_score: it is not a '
                'classifier'
            )
        count = len(sample.pred_score)
        if self.classes is None:
            self.classes = [f'class {index}' for index in range(count)]
        if len(self.classes) != count:
            raise ValueError(
                f'the model scores {count} labels, but {len(self.classes)} names of '
                'labels were found: set num_classes of the head, or the classes of the '
                'test dataset'
            )

    def visualize(
        self,
        items: list[Item],
        samples: dict[int, DataSample],
        data: dict[int, dict],
        folder: Path,
    ) -> None:
        """Draw each photo with its labels."""
        for position, sample in samples.items():
            photo = data[position]['photo']
            item, known = items[position], None
            if self.known_labels is not None:
                known = self.known_labels.find(item.path, self.classes)
            draw_result(item, photo, sample, self.classes, folder, known)

    def postprocess(
        self,
        items: list[Item],
        samples: dict[int, DataSample],
        errors: dict[int, str],
        return_datasamples: bool = False,
    ) -> list[Union[dict, DataSample]]:
        """Results in the order of the items; see :meth:`stream`."""
        results = []
        for position, item in enumerate(items):
            sample = samples.get(position)
            if sample is None:
                failed = dict(img_path=item.path, error=errors[position])
                results.append(
                    DataSample(metainfo=failed) if return_datasamples else failed
                )
            elif return_datasamples:
                results.append(sample)
            else:
                results.append(as_dict(item, sample, self.classes, self.rule))
        return results

    def _init_model(
        self, cfg: Config, weights: Optional[str], device: str = 'cpu'
    ) -> nn.Module:
        checkpoint = None if weights is None else _read_weights(weights)
        model = build_model(cfg, checkpoint)
        self.classes = find_classes(cfg, model, checkpoint)
        return model.to(device)

    def _init_pipeline(self, cfg: Config) -> tuple[Callable, Compose]:
        return build_pipeline(cfg)

    def _init_collate(self, cfg: Config) -> Callable:
        # mmengine's version takes no dict(type=...), as configs have it.
        return default_collate

    def _init_visualizer(self, cfg: Config) -> None:
        """None: pictures are drawn by :func:`draw_result`."""


def _check_batch_size(batch_size: int) -> None:
    if not isinstance(batch_size, int) or batch_size < 1:
        raise ValueError(f'batch_size must be a whole number >= 1, found {batch_size}')
