"""What every head that trains on incomplete labels has in common: the losses."""

from collections.abc import Sequence
from typing import Optional

import torch
from mmpretrain.models.heads import MultiLabelClsHead
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from mmscpnet.datasets.class_names import load_class_names
from mmscpnet.label_graph import LabelGraph
from mmscpnet.models.losses import IncompleteLabelLoss, PerImageLoss
from mmscpnet.models.losses.global_batch import (
    count_images,
    global_losses,
    mean_over_processes,
)
from mmscpnet.registry import MODELS


class IncompleteLabelHead(MultiLabelClsHead):
    """Base of the heads: ``loss`` over one, two or three views of each image.

    A subclass maps the backbone's feature to logits in ``forward``. Views are
    concatenated along the batch, in this order: (labelled), (weak, strong), where the
    labelled view serves as the weak one too, or (labelled, weak, strong).

    Model, losses and optimiser never read a number back from the device. In a step the
    host waits for it only

    - for the log: mmengine's RuntimeInfoHook reads the losses, and ``clip_grad`` its
      norm, at each iteration, and mixed precision whether gradients are infinite;
    - while images, labels and indices are copied to it (``pin_memory`` and
      ``data_preprocessor.non_blocking=True`` spare the images);
    - with several processes, for the number of images of each: PESSL and the losses
      that look beyond their own images (:mod:`~mmscpnet.models.losses.global_batch`);
    - with ``FiniteLossHook(action='skip')``, before the backward pass.

    Args:
        classes: C label names, or a file with one name a line.
        loss: config of the classification loss, on the labelled view. Either a loss
            of this package, or one of mmpretrain, which only takes full labels.
        pessl: config of :class:`PESSLLoss`, on (weak, strong); None for none.
        label_graph: config of the label graph (``StaticLabelGraph`` or
            ``DynamicLabelGraph``); ``classes`` is filled in.
        pessl_label_graph: another graph for ``pessl`` alone; None for the same.
        thr, topk, init_cfg: as in mmpretrain's ``MultiLabelClsHead``.
    """

    def __init__(
        self,
        classes,
        loss: dict,
        pessl: Optional[dict] = None,
        label_graph: Optional[dict] = None,
        pessl_label_graph: Optional[dict] = None,
        thr: Optional[float] = None,
        topk: Optional[int] = None,
        init_cfg: Optional[dict] = None,
    ) -> None:
        super().__init__(loss=MODELS.build(loss), thr=thr, topk=topk, init_cfg=init_cfg)
        self.classes = load_class_names(classes, 'model.head.classes')
        self.num_classes = len(self.classes)
        self.label_graph = self._build_graph(label_graph)
        self.pessl_label_graph = self._build_graph(pessl_label_graph)
        self.pessl: Optional[nn.Module] = None
        if pessl is not None:
            if label_graph is None and pessl_label_graph is None:
                raise ValueError(
                    f'{type(self).__name__}: pessl needs label_graph or '
                    'pessl_label_graph (a graph with topk=1 is "no prior")'
                )
            pessl = {'type': 'PESSLLoss', **pessl, 'num_classes': self.num_classes}
            self.pessl = MODELS.build(pessl)
        self.epoch = 0

    def _build_graph(self, cfg: Optional[dict]) -> Optional[nn.Module]:
        return cfg and MODELS.build({'classes': self.classes, **cfg})

    def set_classes(self, classes) -> None:
        """Take other labels without training, where a head can; for inference only.

        Args:
            classes: label names, or a file with one name a line.

        Raises:
            ValueError: the weights are tied to the labels they were trained for.
        """
        raise ValueError(
            f'{type(self).__name__} has weights for each of the {self.num_classes} '
            'labels that it was trained for, and cannot take others. A SCPHead whose '
            'label features come from a text encoder can'
        )

    def set_epoch(self, epoch: int) -> None:
        """Tell the losses the epoch, 0-based (see ``SetEpochHook``)."""
        self.epoch = epoch

    def label_features(self) -> Optional[Tensor]:
        """Features ``(C, D)`` that a dynamic graph is built from; None without."""
        return None

    def loss(
        self,
        feats: tuple[Tensor],
        data_samples: list[DataSample],
        num_views: int = 1,
        **kwargs,
    ) -> dict[str, Tensor]:
        """Losses from the features of all views.

        Args:
            feats: the last is ``(num_views * N, D)``.
            data_samples: N samples with ``gt_score`` ``(C,)`` in {1, 0, -1} and,
                for PESSL and losses that remember images, ``sample_idx``.
            num_views: 1, 2 or 3.

        Returns:
            ``loss_cls``, and with PESSL ``loss_cst``, ``loss_dstl`` and the
            statistics of the pseudo-labels. Losses are sums over labels and the images
            of all processes.
        """
        self._check_views(num_views)
        if self.pessl is None:
            # Only the labelled view is read; batch norm has seen all, as in SCPNet.
            feats, num_views = tuple(f[: len(f) // num_views] for f in feats), 1
        z = self.label_features()
        logits = self._logits(feats, z).float()
        targets = stack_targets(data_samples, self.num_classes).to(logits.device)
        views = logits.chunk(num_views)
        idx = None
        if self.pessl is not None or isinstance(self.loss_module, PerImageLoss):
            idx = torch.tensor([sample.sample_idx for sample in data_samples])
        loss = self._classification_loss(views[0], targets, idx, **kwargs)
        losses = {'loss_cls': loss}
        if self.pessl is not None:
            graph = self._graph(self.pessl_label_graph or self.label_graph, z)
            losses.update(
                self.pessl(views[-2], views[-1], targets, idx, graph.normalized)
            )
        losses = global_losses(losses)
        if self.pessl is not None:
            losses.update(mean_over_processes(self.pessl.statistics))
        return losses

    def _logits(self, feats: tuple[Tensor], label_features: Optional[Tensor]) -> Tensor:
        return self(feats)

    @staticmethod
    def _graph(module: nn.Module, label_features: Optional[Tensor]) -> LabelGraph:
        return module(label_features)

    def _check_views(self, num_views: int) -> None:
        if num_views > 3 or (self.pessl is not None and num_views < 2):
            raise ValueError(
                f'{type(self).__name__}: {num_views} view(s) an image, but training '
                'takes (labelled), (weak, strong) or (labelled, weak, strong), and '
                'PESSL one of the latter two. See MultiView in the train pipeline'
            )

    def _classification_loss(
        self, logits: Tensor, targets: Tensor, idx: Optional[Tensor], **kwargs
    ) -> Tensor:
        if isinstance(self.loss_module, PerImageLoss):
            return self.loss_module(logits, targets, self.epoch, idx)
        if isinstance(self.loss_module, IncompleteLabelLoss):
            return self.loss_module(logits, targets, epoch=self.epoch)
        if (targets < 0).any():
            raise ValueError(
                f'{type(self.loss_module).__name__} does not understand unknown labels '
                '(-1). Use a loss of mmscpnet.models.losses, for example '
                "loss=dict(type='AssumeNegativeLoss')"
            )
        # mmpretrain's losses refuse an avg_factor where they add up.
        if getattr(self.loss_module, 'reduction', 'mean') == 'mean':
            kwargs['avg_factor'] = count_images(logits)
        return self.loss_module(logits, targets, **kwargs)


def stack_targets(data_samples: Sequence[DataSample], num_classes: int) -> Tensor:
    """``gt_score`` of N samples -> ``(N, C)`` float in {1, 0, -1}.

    Raises:
        ValueError: a sample without ``gt_score``, or of another number of classes.
    """
    for sample in data_samples:
        if 'gt_score' not in sample:
            raise ValueError(
                'a data sample has no gt_score. Use a dataset of mmscpnet, which '
                'gives every label its state (1, 0 or -1)'
            )
        if len(sample.gt_score) != num_classes:
            raise ValueError(
                f'a data sample has {len(sample.gt_score)} labels, but the head has '
                f'{num_classes}: {sample.metainfo.get("img_path", "")}'
            )
    return torch.stack([sample.gt_score for sample in data_samples]).float()
