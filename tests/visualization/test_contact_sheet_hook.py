"""ContactSheetHook in real runs of mmengine's Runner."""

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.model import BaseModel
from mmengine.runner import Runner
from mmpretrain.structures import DataSample
from PIL import Image
from torch.utils.data import Dataset

from mmscpnet.registry import HOOKS
from mmscpnet.visualization import ContactSheetHook, contact_sheet_hook
from mmscpnet.visualization.drawing import NO_IMAGE

CLASSES = ('cow', 'pig', 'kite')


class Photos(Dataset):
    metainfo = {'classes': CLASSES}

    def __init__(self, folder, length):
        self.folder, self.length = folder, length

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        sample = DataSample().set_gt_score(torch.tensor([1.0, 0.0, -1.0]))
        path = str(self.folder / f'{index}.png')
        sample.set_metainfo({'img_path': path, 'sample_idx': index})
        return {'inputs': torch.full((3,), float(index)), 'data_samples': sample}


class Scorer(BaseModel):
    """Scores that tell the photo and how often the model was trained."""

    def __init__(self):
        super().__init__()
        self.bias = torch.nn.Parameter(torch.zeros(()))

    def forward(self, inputs, data_samples=None, mode='tensor'):
        if mode == 'loss':
            return {'loss': self.bias + torch.stack(inputs).sum() * 0}
        for values, sample in zip(inputs, data_samples):
            sample.set_pred_score(values / 100 - self.bias.detach())
        return data_samples


@pytest.fixture
def drawn(monkeypatch):
    """Record what is drawn."""
    calls = []
    draw = contact_sheet_hook.draw_contact_sheet

    def record(items, out_file, **kwargs):
        calls.append((items, out_file, kwargs))
        return draw(items, out_file, **kwargs)

    monkeypatch.setattr(contact_sheet_hook, 'draw_contact_sheet', record)
    return calls


def run(tmp_path, phase, hook, length=11, batch_size=4, name='run'):
    evaluator = Evaluator([])
    evaluator.evaluate = lambda size: {}
    loader = dict(
        dataset=Photos(tmp_path, length),
        batch_size=batch_size,
        sampler=dict(type='DefaultSampler', shuffle=False),
        collate_fn=dict(type='pseudo_collate'),
    )
    options = {}
    if phase == 'train':
        options = dict(
            train_dataloader=dict(loader),
            train_cfg=dict(by_epoch=True, max_epochs=2, val_interval=1),
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.5)),
        )
    if phase in ('train', 'val'):
        options.update(val_dataloader=loader, val_evaluator=evaluator, val_cfg={})
    else:
        options.update(test_dataloader=loader, test_evaluator=evaluator, test_cfg={})
    runner = Runner(
        Scorer(),
        str(tmp_path / 'work'),
        default_scope='mmscpnet',
        custom_hooks=[hook],
        default_hooks=dict(checkpoint=None),
        experiment_name=f'{name}-{tmp_path.name}',
        **options,
    )
    getattr(runner, phase)()
    return runner


@pytest.mark.parametrize('phase', ['val', 'test'])
def test_photos_are_spread_over_the_data(tmp_path, drawn, phase):
    Image.new('RGB', (8, 8), (250, 10, 10)).save(tmp_path / '5.png')
    hook = HOOKS.build(dict(type='ContactSheetHook', num_images=3, tile=64))
    runner = run(tmp_path, phase, hook)
    ((items, path, kwargs),) = drawn
    assert [item.title for item in items] == ['0.png', '5.png', '10.png']
    assert [item.scores[0] for item in items] == pytest.approx([0, 0.05, 0.1])
    assert list(items[0].classes) == list(CLASSES)
    assert items[0].targets.tolist() == [1, 0, -1]
    assert str(path) == f'{runner.log_dir}/contact_sheet_{phase}.png'
    assert phase in kwargs['title']
    # One photo is there, the other two are grey tiles.
    picture = np.asarray(Image.open(path))
    assert (picture == (250, 10, 10)).all(-1).sum() > 1000
    assert (picture == NO_IMAGE).all(-1).sum() > 1000


def test_training_shows_its_last_validation_once(tmp_path, drawn):
    runner = run(tmp_path, 'train', ContactSheetHook(num_images=2, tile=64))
    ((items, path, _),) = drawn
    bias = runner.model.bias.item()
    assert bias < -1
    assert [item.scores[0] for item in items] == pytest.approx([-bias, 0.1 - bias])
    assert path.name == 'contact_sheet_val.png' and path.is_file()


def test_fewer_photos_than_wanted(tmp_path, drawn):
    run(tmp_path, 'test', ContactSheetHook(num_images=16, tile=64), length=3)
    assert len(drawn[0][0]) == 3


def test_only_the_first_process_draws(tmp_path, drawn, monkeypatch):
    monkeypatch.setattr('mmengine.dist.utils.get_rank', lambda group=None: 1)
    run(tmp_path, 'test', ContactSheetHook(tile=64))
    assert not drawn


def test_without_names_paths_and_labels():
    sample = DataSample().set_pred_score(torch.tensor([0.25, 0.5]))
    item = contact_sheet_hook._make_item(sample, None)
    assert item.image is None and item.title == ''
    assert item.classes == ['class 0', 'class 1']
    assert item.targets.tolist() == [-1, -1]


def test_arguments_are_checked():
    with pytest.raises(ValueError, match='`num_images`'):
        ContactSheetHook(num_images=0)
    with pytest.raises(ValueError, match='`threshold`'):
        ContactSheetHook(topk=3)
    assert ContactSheetHook(threshold=None, topk=3).topk == 3
