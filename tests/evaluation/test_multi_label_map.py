import json
import os

import numpy as np
import pytest
import torch
import torch.nn as nn
from mmengine.evaluator import Evaluator
from mmengine.logging import MMLogger
from mmengine.model import BaseModel
from mmengine.runner import Runner
from mmpretrain.structures import DataSample

from mmscpnet.evaluation import MultiLabelMAP, multilabel_average_precision
from mmscpnet.registry import METRICS

SCORES = torch.tensor(
    [[0.9, 0.2, 0.6], [0.8, 0.7, 0.1], [0.3, 0.6, 0.4], [0.1, 0.5, 0.2]]
)
TARGETS = torch.tensor([[1, 0, 1], [0, 1, -1], [1, 1, 0], [0, -1, 0]])


def samples(scores=SCORES, targets=TARGETS):
    result = []
    for score, target in zip(scores, targets):
        sample = DataSample().set_pred_score(score)
        sample.set_gt_score(target)
        result.append(sample)
    return result


def evaluate(metric, data_samples=None, classes=('a', 'b', 'c')):
    evaluator = Evaluator(metric)
    evaluator.dataset_meta = dict(classes=classes)
    data_samples = samples() if data_samples is None else data_samples
    evaluator.process(data_samples[:3])
    evaluator.process(data_samples[3:])
    return evaluator.evaluate(len(data_samples))


def test_hand_computed_through_evaluator():
    metrics = evaluate(MultiLabelMAP(topk=1))
    # ranked: a + - + -; b + + (?) -; c + - - (one unknown)
    aps = [(1 + 2 / 3) / 2, 1.0, 1.0]
    expected = {
        'mAP': np.mean(aps),
        # at 0.5: a 1 of 2 right, 1 of 2 found; b 2 of 2 and 2 of 2 (the decision
        # on the unknown entry does not count); c 1 of 1 and 1 of 1
        'CP': (1 / 2 + 1 + 1) / 3,
        'CR': (1 / 2 + 1 + 1) / 3,
        'CF1': (1 / 2 + 1 + 1) / 3,
        'CF1_mean': (1 / 2 + 1 + 1) / 3,
        'OP': 4 / 5,
        'OR': 4 / 5,
        'OF1': 4 / 5,
        # the top one: a, a, b, b(unknown)
        'CP_top1': (1 / 2 + 1 + 0) / 3,
        'CR_top1': (1 / 2 + 1 / 2 + 0) / 3,
        'CF1_top1': 2 * (1 / 2) * (1 / 3) / (1 / 2 + 1 / 3),
        'CF1_mean_top1': (1 / 2 + 2 / 3) / 3,
        'OP_top1': 2 / 3,
        'OR_top1': 2 / 5,
        'OF1_top1': 1 / 2,
    }
    assert metrics == pytest.approx(
        {f'multi-label/{key}': 100 * value for key, value in expected.items()}
    )


def test_names_of_the_further_averages():
    modes = ('non_interpolated', 'voc2012', 'voc2007_11point')
    metrics = MultiLabelMAP.calculate(SCORES, TARGETS, average_mode=modes)
    for key, mode in zip(('mAP', 'mAP_voc2012', 'mAP_11point'), modes):
        ap = multilabel_average_precision(SCORES, TARGETS, mode)
        assert metrics[key] == pytest.approx(100 * ap.mean().item())
    only = MultiLabelMAP.calculate(SCORES, TARGETS, average_mode='voc2012', topk=None)
    assert 'mAP' in only and 'mAP_voc2012' in only and 'mAP_11point' not in only
    assert not [key for key in only if 'top' in key]


def test_empty_classes():
    targets = TARGETS.clone()
    targets[:, 1] = 0
    zero = MultiLabelMAP.calculate(SCORES, targets)['mAP']
    skip = MultiLabelMAP.calculate(SCORES, targets, empty='skip')['mAP']
    assert skip == pytest.approx(zero * 3 / 2)
    unknown = torch.full((4, 3), -1)
    for empty in ('zero', 'skip'):
        values = MultiLabelMAP.calculate(SCORES, unknown, empty=empty)
        assert set(values.values()) == {0.0}


def test_classes_that_say_nothing_are_named_once(caplog):
    targets = torch.tensor([[1, 0, -1], [1, 0, 1], [0, -1, -1], [1, 0, 1]])
    logger = MMLogger.get_current_instance()
    logger.addHandler(caplog.handler)
    try:
        metric = MultiLabelMAP(empty='skip')
        for _ in range(2):
            evaluate(metric, samples(SCORES, targets), ('cat', 'dog', 'cow'))
    finally:
        logger.removeHandler(caplog.handler)
    assert [record.getMessage() for record in caplog.records] == [
        'multi-label: 1 of 3 classes have no known positive and are left out of mAP: '
        'dog',
        'multi-label: 1 of 3 classes have no known negative, and any ranking of theirs '
        'has an AP of 100: cow',
    ]


def test_gt_label_and_half_precision_samples():
    data_samples = []
    for score, label in zip(SCORES.half(), [[0, 2], [1], [0, 1], []]):
        data_samples.append(
            dict(
                pred_score=score,
                gt_label=torch.tensor(label, dtype=torch.long),
                num_classes=3,
            )
        )
    full = torch.tensor([[1, 0, 1], [0, 1, 0], [1, 1, 0], [0, 0, 0]])
    expected = MultiLabelMAP.calculate(SCORES.half().float(), full)
    found = evaluate(MultiLabelMAP(), data_samples)
    assert found == pytest.approx({f'multi-label/{k}': v for k, v in expected.items()})


def test_kept_scores_are_not_the_models_tensors():
    score = torch.tensor([0.1, 0.2])
    metric = MultiLabelMAP()
    metric.process(None, [dict(pred_score=score, gt_score=torch.tensor([1, 0]))])
    score.fill_(0.9)
    assert metric.tables['scores'].rows(1).tolist() == [pytest.approx([0.1, 0.2])]


@pytest.mark.parametrize(
    'data_samples,classes,match',
    [
        ([], None, 'no sample'),
        ([dict(gt_score=torch.ones(2), img_path='x.jpg')], None, 'x.jpg.*pred_score'),
        ([dict(pred_score=torch.ones(2), img_path='x.jpg')], None, 'x.jpg.*neither'),
        (
            [dict(pred_score=torch.ones(2), gt_score=torch.ones(3), img_path='x.jpg')],
            None,
            r'x.jpg: \(2,\) scores for \(3,\) labels',
        ),
        (
            [dict(pred_score=torch.ones(2), gt_label=torch.tensor([2]))],
            None,
            'class index 2, but there are 2',
        ),
        (
            [dict(pred_score=torch.ones(2), gt_score=torch.ones(2))],
            ('a', 'b', 'c'),
            'scores 2 classes, the data set has 3',
        ),
        (
            [
                dict(pred_score=torch.ones(2), gt_score=torch.ones(2)),
                dict(pred_score=torch.ones(3), gt_score=torch.ones(3)),
            ],
            None,
            r'\[2, 3\]',
        ),
    ],
)
def test_refused_samples(data_samples, classes, match):
    with pytest.raises(ValueError, match=match):
        evaluate(MultiLabelMAP(), data_samples, classes)


@pytest.mark.parametrize(
    'kwargs,match',
    [
        (dict(thr='a'), 'thr'),
        (dict(topk=0), 'topk'),
        (dict(average_mode=['voc']), 'average_mode'),
        (dict(empty='nan'), 'empty'),
        (dict(out_file='a.json'), 'per_class_table=True'),
    ],
)
def test_refused_options(kwargs, match):
    with pytest.raises(ValueError, match=match):
        MultiLabelMAP(**kwargs)


def test_report_table_and_file(tmp_path, caplog):
    path = tmp_path / 'results.json'
    targets = TARGETS.clone()
    targets[:, 2] = -1
    logger = MMLogger.get_current_instance()
    logger.addHandler(caplog.handler)
    try:
        for _ in range(2):
            metrics = evaluate(
                MultiLabelMAP(per_class_table=True, out_file=str(path)),
                samples(SCORES, targets),
                ('cat', 'dog', 'cow [a]'),
            )
    finally:
        logger.removeHandler(caplog.handler)
    assert 'cow [a]' in caplog.text and 'exists and is kept' in caplog.text
    assert len(os.listdir(tmp_path)) == 2
    content = json.loads(path.read_text())
    assert content['num_samples'] == 4 and content['thr'] == 0.5
    assert metrics == pytest.approx(
        {f'multi-label/{k}': v for k, v in content['metrics'].items()}
    )
    cat, dog, cow = content['per_class']
    assert cat['name'] == 'cat' and cat['AP'] == pytest.approx(100 * 5 / 6)
    assert (dog['num_positive'], dog['num_known']) == (2, 3)
    assert (dog['precision'], dog['recall'], dog['f1']) == (100, 100, 100)
    assert cow['AP'] is None and cow['num_known'] == 0


def test_default_file_is_in_the_log_folder(tmp_path):
    MMLogger.get_instance('map-log', log_file=str(tmp_path / 'run.log'))
    evaluate(MultiLabelMAP())
    assert not (tmp_path / 'multi_label_map.json').exists()
    evaluate(MultiLabelMAP(per_class_table=True))
    assert (tmp_path / 'multi_label_map.json').exists()


def test_built_from_the_registry():
    metric = METRICS.build(dict(type='MultiLabelMAP', thr=0.3))
    assert isinstance(metric, MultiLabelMAP) and metric.thr == 0.3


class Echo(BaseModel):
    """Predicts the scores above, in the order of the samples."""

    def __init__(self):
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, index, mode='tensor'):
        return [s for i in index for s in samples()[int(i) : int(i) + 1]]


class Indices(torch.utils.data.Dataset):
    metainfo = dict(classes=('a', 'b', 'c'))

    def __len__(self):
        return 4

    def __getitem__(self, index):
        return dict(index=index)


def test_runner_reports_where_it_is_asked_to(tmp_path):
    loader = dict(
        dataset=Indices(),
        batch_size=2,
        num_workers=0,
        sampler=dict(type='DefaultSampler', shuffle=False),
        collate_fn=dict(type='default_collate'),
    )
    runner = Runner(
        Echo(),
        str(tmp_path),
        val_dataloader=loader,
        val_cfg=dict(),
        val_evaluator=dict(type='MultiLabelMAP'),
        test_dataloader=loader,
        test_cfg=dict(),
        test_evaluator=dict(type='MultiLabelMAP', per_class_table=True),
        default_scope='mmscpnet',
        experiment_name='map-runner',
    )
    path = os.path.join(runner.log_dir, 'multi_label_map.json')
    metrics = runner.val()
    assert not os.path.exists(path)
    assert runner.test() == metrics
    assert metrics['multi-label/mAP'] == pytest.approx(
        100 * multilabel_average_precision(SCORES, TARGETS).mean().item()
    )
    with open(path) as file:
        assert [row['name'] for row in json.load(file)['per_class']] == ['a', 'b', 'c']
