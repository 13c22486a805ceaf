"""Are the pseudo-labels right? Known where training hides labels itself."""

import inspect
from pathlib import Path
from typing import Optional

import torch
from mmengine.dist import all_reduce, master_only
from mmengine.hooks import Hook
from mmengine.runner import IterBasedTrainLoop
from torch import Tensor

from mmscpnet.datasets.hidden_labels import HiddenLabels
from mmscpnet.evaluation.pseudo_labels import (
    COUNTS,
    count_selection,
    selection_figures,
)
from mmscpnet.models.losses.pessl import calibrate, confident_labels
from mmscpnet.registry import HOOKS

from .bare_model import bare_model
from .epoch_utils import check_epoch_length, current_epoch, validate_epoch_length
from .label_check_hook import built_dataset
from .label_set import find_head

# Which probabilities choose: the weak view's own, or after SASC.
PREDICTIONS = ('plain', 'calibrated')
# All entries, as in the paper; the hidden ones, which is what training gains; all
# again, but without threshold, so that both predictions choose equally many.
ENTRIES = ('', 'hidden_', 'top_')
HISTORY = 'pseudo_label_history'


@HOOKS.register_module()
class PseudoLabelDiagnosticsHook(Hook):
    """Log precision, recall and number of PESSL's pseudo-labels each epoch.

    Figure 4, left, of the paper. The truth is what the label masking of the training
    pipeline hides. It is read from the dataset when training starts; no loss gets it,
    and training is the same to the bit with this hook or without. One line of a config
    switches it on, or ``--cfg-options
    default_hooks.pseudo_labels.type=PseudoLabelDiagnosticsHook``::

        default_hooks = dict(pseudo_labels=dict(type='PseudoLabelDiagnosticsHook'))

    Two predictions are judged, at the thresholds and top-K of the loss:

    - ``plain``: probabilities of the weak view. Their choice is O(x) of Eq. 10, which
      the consistency loss trains with;
    - ``calibrated``: the same after SASC over the label graph (Eq. 11).

    So the paper's three curves are those of two runs: the full model's ``plain``
    ("SCPNet"), and both of a model without prior ("CMP + L_cst" and "SASC(CMP +
    L_cst)"), which is the same config with ``--cfg-options model.head.association=None
    model.head.pessl.loss_weight_dstl=0``; its label graph is then used by this hook
    alone (``optim_wrapper.paramwise_cfg.gcn_lr=None`` goes with it: no SAM, no lr for
    it). ``tools/visualization/training_curves.py`` draws them together.

    Scalars, of step ``epoch``, in percent, for ``plain`` and ``calibrated`` (``*``)
    each:

    - ``pseudo_labels/*/precision``, ``recall`` and ``per_image``: of all labels, known
      ones too;
    - ``pseudo_labels/*/hidden_precision``, ``hidden_recall``, ``hidden_per_image``: of
      the labels that training does not know;
    - ``pseudo_labels/*/top_precision``: of the ``hard_k`` most probable labels without
      known negatives, whatever their threshold.

    Pseudo-labels are judged as they arise, so a figure is that of an epoch's steps; in
    the epoch in which a run is resumed it is that of the rest. Where the truth is
    unknown, too, nothing is judged. Training ends with ``pseudo_labels.png`` and
    ``.svg`` in the log folder.

    Args:
        epoch_length: iterations that count as an epoch; only with an
            ``IterBasedTrainLoop``, which has none.

    Raises:
        ValueError: when training starts, if the head has no PESSL, or no label of the
            training set is hidden.
    """

    # A picture after all epochs of a run; its scalars before the next validation's.
    priority = 'NORMAL'

    def __init__(self, epoch_length: Optional[int] = None) -> None:
        self.epoch_length = validate_epoch_length(epoch_length)
        self._hidden: Optional[HiddenLabels] = None
        self._handle = None
        self._clear()

    def _clear(self) -> None:
        self._images = 0
        self._counts: dict[str, Tensor] = {}

    def before_train(self, runner) -> None:
        """Read the hidden labels and watch the loss."""
        check_epoch_length(self, runner, self.epoch_length)
        head = find_head(bare_model(runner.model))
        if head is None or head.pessl is None:
            raise ValueError(
                'PseudoLabelDiagnosticsHook: the model has no pseudo-labels. It needs '
                'model.head.pessl; take the hook out of custom_hooks otherwise'
            )
        try:
            self._hidden = HiddenLabels(built_dataset(runner, 'train'))
        except ValueError as error:
            raise ValueError(f'PseudoLabelDiagnosticsHook: {error}') from error
        self._clear()
        self._handle = head.pessl.register_forward_hook(self._observe, with_kwargs=True)

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        """Close an epoch of an iteration-based loop."""
        if isinstance(runner.train_loop, IterBasedTrainLoop):
            if (runner.iter + 1) % self.epoch_length == 0:
                self._close_epoch(runner)

    def after_train_epoch(self, runner) -> None:
        """Close an epoch."""
        if not isinstance(runner.train_loop, IterBasedTrainLoop):
            self._close_epoch(runner)

    def after_train(self, runner) -> None:
        """Draw all epochs; let go of the loss."""
        self._handle.remove()
        self._handle = self._hidden = None
        self._draw(runner)

    @torch.no_grad()
    def _observe(self, pessl, args: tuple, kwargs: dict, losses: dict) -> None:
        """Count the pseudo-labels of a step, right after its loss."""
        call = inspect.signature(pessl.forward).bind(*args, **kwargs).arguments
        targets = call['targets']
        prior = call.get('label_graph', pessl.prior)
        truth = torch.from_numpy(self._hidden(call['sample_idx'].cpu()))
        truth = truth.to(targets.device)
        plain = call['logits_weak'].float().sigmoid()
        every = torch.ones_like(truth, dtype=torch.bool)
        for name, probability in zip(PREDICTIONS, (plain, calibrate(plain, prior))):
            chosen, _ = pessl.select(probability, targets)
            # Known negatives are out of the question.
            top = confident_labels(
                probability.masked_fill(targets == 0, -1),
                torch.full_like(pessl.threshold, -1),
                pessl.hard_k,
            )
            judged = ((chosen, every), (chosen, targets == -1), (top, every))
            for entries, (selected, among) in zip(ENTRIES, judged):
                key = f'{name}/{entries}'
                counts = count_selection(selected, truth, among)
                self._counts[key] = self._counts.get(key, 0) + counts
        self._images += len(targets)

    def _close_epoch(self, runner) -> None:
        device = next(runner.model.parameters()).device
        images = torch.tensor(self._images, device=device)
        keys = [f'{name}/{entries}' for name in PREDICTIONS for entries in ENTRIES]
        none = torch.zeros(len(COUNTS), dtype=torch.int64, device=device)
        counts = torch.stack([self._counts.get(key, none) for key in keys])
        all_reduce(images)
        all_reduce(counts)
        self._clear()
        if not images:
            return
        figures = {
            f'pseudo_labels/{key}{name}': value
            for key, row in zip(keys, counts)
            for name, value in selection_figures(row, int(images)).items()
            if not key.endswith('top_') or name == 'precision'
        }
        epoch = current_epoch(runner, self.epoch_length) + 1
        # Saved in checkpoints, so a resumed run draws all its epochs.
        history = runner.message_hub.runtime_info.get(HISTORY, {})
        runner.message_hub.update_info(HISTORY, {**history, epoch: figures})
        runner.logger.info(_describe(epoch, figures))
        # As the LoggerHook does, for results of a validation.
        runner.visualizer.add_scalars(
            figures, step=epoch, file_path=f'{runner.timestamp}.json'
        )

    @master_only
    def _draw(self, runner) -> None:
        from mmscpnet.visualization.pseudo_label_figure import draw_pseudo_labels

        history = runner.message_hub.runtime_info.get(HISTORY)
        if history:
            for suffix in ('svg', 'png'):
                path = Path(runner.log_dir) / f'pseudo_labels.{suffix}'
                draw_pseudo_labels(history, path, runner.experiment_name)
            runner.logger.info(f'Picture of the pseudo-labels: {path}')


def _describe(epoch: int, figures: dict[str, float]) -> str:
    parts = []
    for name in PREDICTIONS:
        shown = [
            f'{text} {figures[f"pseudo_labels/{name}/{key}"]:.1f}%'
            for key, text in (
                ('precision', 'precision'),
                ('hidden_precision', 'of hidden labels'),
                ('hidden_recall', 'their recall'),
            )
            if f'pseudo_labels/{name}/{key}' in figures
        ]
        number = figures[f'pseudo_labels/{name}/per_image']
        parts.append(f'{name} {", ".join(shown)}, {number:.2f} an image')
    return f'Pseudo-labels of epoch {epoch}: {"; ".join(parts)}'
