"""A toy model, data and runner that train in a blink on a CPU."""

import itertools

import pytest
import torch
import torch.nn as nn
from mmengine.evaluator import BaseMetric, Evaluator
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch.utils.data import Dataset

import mmscpnet.engine  # noqa: F401  registers the hooks and schedulers

COUNTER = itertools.count()


class ToyData(Dataset):
    """Eight points on a line with their targets."""

    metainfo = dict(classes=('a', 'b'))

    def __len__(self):
        return 8

    def __getitem__(self, index):
        x = torch.linspace(-1, 1, 8)[index]
        return dict(x=x[None].repeat(3), y=2 * x[None] + 0.5, index=index)


class ToyState(nn.Module):
    """Keeps something per image that is not a weight."""

    def __init__(self):
        super().__init__()
        self.seen = torch.zeros(8, dtype=torch.uint8)
        self.loads = 0

    def get_extra_state(self):
        return self.seen

    def set_extra_state(self, state):
        self.seen = state.clone()
        self.loads += 1


class ToyModel(BaseModel):
    """Linear regression with a BatchNorm, one value per image remembered."""

    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
        self.head = nn.Linear(4, 1)
        self.state = ToyState()
        self.register_buffer('mask', torch.tensor([0.0, float('-inf')]))
        self.register_buffer('derived', torch.zeros(1), persistent=False)
        self.epochs = []
        self.modes = []

    def init_weights(self):
        torch.manual_seed(3)
        for parameter in self.parameters():
            nn.init.normal_(parameter, std=0.3)

    def set_epoch(self, epoch):
        self.epochs.append(epoch)

    def forward(self, x, y, index, mode='tensor'):
        x = torch.stack(list(x)) if isinstance(x, (list, tuple)) else x
        y = torch.stack(list(y)) if isinstance(y, (list, tuple)) else y
        out = self.head(self.backbone(x))
        if mode == 'loss':
            self.modes.append([m.training for m in self.modules()])
            self.state.seen[torch.as_tensor(index)] += 1
            return dict(loss=((out - y) ** 2).mean())
        if mode == 'predict':
            return [dict(error=e) for e in ((out - y) ** 2).flatten().tolist()]
        return out


class ToyMetric(BaseMetric):
    """Scores each evaluation from a list, or by the negative error."""

    default_prefix = 'toy'

    def __init__(self, scores=None):
        super().__init__()
        self.scores = None if scores is None else list(scores)

    def process(self, data_batch, data_samples):
        self.results.extend(sample['error'] for sample in data_samples)

    def compute_metrics(self, results):
        error = sum(results) / len(results)
        score = -error if self.scores is None else self.scores.pop(0)
        return dict(score=score, error=error)


def _loader(shuffle):
    return dict(
        dataset=ToyData(),
        batch_size=4,
        num_workers=0,
        sampler=dict(type='DefaultSampler', shuffle=shuffle),
        collate_fn=dict(type='default_collate'),
    )


@pytest.fixture
def toy_model():
    """The class of the toy model."""
    return ToyModel


@pytest.fixture
def make_runner(tmp_path):
    """Build a Runner; two iterations an epoch."""

    def make(scores=None, epochs=2, hooks=(), work_dir=None, model=None, **kwargs):
        optim = kwargs.pop(
            'optim_wrapper', dict(optimizer=dict(type='SGD', lr=0.1, momentum=0.9))
        )
        train_cfg = kwargs.pop('train_cfg', None)
        checkpoint = dict(type='CheckpointHook', interval=1)
        checkpoint.update(kwargs.pop('checkpoint', {}))
        return Runner(
            model=model or ToyModel(),
            work_dir=str(work_dir or tmp_path / 'work'),
            train_dataloader=_loader(True),
            val_dataloader=_loader(False),
            test_dataloader=_loader(False),
            train_cfg=train_cfg or dict(by_epoch=True, max_epochs=epochs),
            val_cfg=dict(),
            test_cfg=dict(),
            optim_wrapper=optim,
            val_evaluator=Evaluator(ToyMetric(scores)),
            test_evaluator=Evaluator(ToyMetric()),
            default_hooks=dict(checkpoint=checkpoint),
            custom_hooks=list(hooks),
            randomness=dict(seed=0),
            default_scope='mmscpnet',
            experiment_name=f'toy{next(COUNTER)}',
            log_level='WARNING',
            **kwargs,
        )

    return make
