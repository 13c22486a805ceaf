"""``LabelProtocol`` in the pipeline of a dataset."""

import pickle
import sys

import numpy as np
import pytest
from torch.utils.data import DataLoader, Subset

from mmscpnet.datasets import ConcatDataset, IncompleteMultiLabelDataset
from mmscpnet.datasets.observed import observed_targets
from mmscpnet.datasets.protocols import PROTOCOLS, build_protocol
from mmscpnet.datasets.transforms import (
    LabelProtocol,
    PartialLabel,
    SinglePositiveLabel,
)
from tests.datasets.protocols.examples import NUM_IMAGES, options_of, write_set


def build(folder, name, **kwargs):
    pipeline = [
        dict(type='mmscpnet.LabelProtocol', protocol=name, **options_of(name, folder))
    ]
    return load(write_set(folder), pipeline, **kwargs)


def load(path, pipeline, **kwargs):
    # Serializing collects garbage, which takes half a second each time.
    kwargs = dict(serialize_data=False, **kwargs)
    return IncompleteMultiLabelDataset(ann_file=str(path), pipeline=pipeline, **kwargs)


def scores(samples):
    return {int(s['sample_idx']): s['gt_score'].tolist() for s in samples}


def only_labels(samples):
    """A collate function that needs no photos."""
    return [dict(sample_idx=s['sample_idx'], gt_score=s['gt_score']) for s in samples]


@pytest.mark.parametrize('name', list(PROTOCOLS))
def test_part_of_the_set_has_the_labels_of_the_whole(tmp_path, name):
    whole = observed_targets(build(tmp_path, name))
    assert whole.shape == (NUM_IMAGES, 5)
    chosen = [7, 3, 50, 21]
    part = build(tmp_path, name, indices=chosen)
    assert np.array_equal(observed_targets(part), whole[chosen])
    subset = Subset(build(tmp_path, name), chosen)
    assert scores(subset[i] for i in range(4)) == {i: whole[i].tolist() for i in chosen}
    # Loaded later, as lazy_init does, and sent to a process that does not fork.
    late = build(tmp_path, name, lazy_init=True)
    late.full_init()
    late.pipeline = pickle.loads(pickle.dumps(late.pipeline))
    assert np.array_equal(observed_targets(late), whole)


@pytest.mark.parametrize('name', ['partial-sarb', 'few-shot', 'biased'])
def test_workers_and_order_do_not_matter(tmp_path, name):
    dataset = build(tmp_path, name)
    expected = scores(dataset[i] for i in range(NUM_IMAGES))
    loader = DataLoader(
        dataset, batch_size=7, shuffle=True, num_workers=2, collate_fn=only_labels
    )
    assert scores(sample for batch in loader for sample in batch) == expected


@pytest.mark.parametrize('name', ['spml-uniform', 'partial-sarb', 'spml-largeloss'])
def test_parts_of_a_concatenation_keep_their_labels(tmp_path, name):
    alone = observed_targets(build(tmp_path, name))
    both = ConcatDataset([build(tmp_path, name), build(tmp_path, name)])
    second = [both[NUM_IMAGES + i] for i in range(NUM_IMAGES)]
    assert [s['sample_idx'] for s in second] == list(range(NUM_IMAGES, 2 * NUM_IMAGES))
    assert [s['gt_score'].tolist() for s in second] == alone.tolist()


def test_the_older_transforms_are_protocols_too(tmp_path):
    path = write_set(tmp_path)
    for old, name in (
        (dict(type='mmscpnet.SinglePositiveLabel', seed=4), 'spml-uniform'),
        (dict(type='mmscpnet.PartialLabel', ratio=0.5, seed=1), 'partial'),
        (dict(type='mmscpnet.FixedLabel', ann_file=f'{tmp_path}/list.txt'), 'list'),
    ):
        dataset = load(path, [old])
        expected = observed_targets(build(tmp_path, name))
        assert np.array_equal(observed_targets(dataset), expected)


def test_unlisted_labels_count_as_the_dataset_says(tmp_path):
    """A label that is unknown in the file is no negative for the protocol."""
    dataset = build(tmp_path, 'biased', unlisted='unknown')
    assert not (observed_targets(dataset) == 0).any()
    with pytest.raises(ValueError, match='unknown labels: this protocol starts from'):
        build(tmp_path, 'spml-largeloss', unlisted='unknown')


def test_a_whole_set_protocol_needs_its_dataset():
    transform = LabelProtocol('partial-sarb', ratio=0.5)
    info = dict(gt_score=np.zeros(3, np.int8), position=0, sample_idx=0, img_path='a')
    with pytest.raises(ValueError, match='has to see the labels of the whole set'):
        transform.transform(info)
    with pytest.raises(ValueError, match="protocol list does not take 'seed'"):
        LabelProtocol('list', seed=1, ann_file='x')


def test_what_workers_get_is_small(tmp_path):
    """A bit a label: SARB's numbers for COCO take 53 MB, its bits 0.8 MB."""
    transform = LabelProtocol('partial-sarb', ratio=0.5)
    path = write_set(tmp_path, num_images=4000)
    load(path, [transform])
    assert len(pickle.dumps(transform)) < 4000 * 1 + 2000


@pytest.mark.parametrize(
    'transform',
    [
        SinglePositiveLabel(0),
        PartialLabel(0.1),
        LabelProtocol('spml-uniform'),
        LabelProtocol('partial', ratio=0.1),
    ],
    ids=repr,
)
def test_masking_takes_as_many_steps_for_any_number_of_labels(transform):
    """No loop over labels, and one generator; how long it takes is a benchmark."""

    def steps(num_classes):
        score = (np.random.default_rng(0).random(num_classes) < 0.1).astype(np.int8)
        info = dict(gt_score=score, sample_idx=7, position=7, img_path='a.jpg')
        called = []

        def watch(frame, event, argument):
            if event == 'line':
                called.append((frame.f_code.co_name, frame.f_lineno))
            return watch

        former = sys.gettrace()
        sys.settrace(watch)
        try:
            transform.transform(info)
        finally:
            sys.settrace(former)
        return called

    few, many = steps(31), steps(3120)
    assert few == many and len(few) < 60
    assert sum(name == 'sample_rng' for name, _ in few) <= 3


def test_the_protocol_is_that_of_the_name():
    transform = LabelProtocol('partial', ratio=0.3, seed=5)
    assert transform.protocol == build_protocol('partial', ratio=0.3, seed=5)
    assert repr(transform) == "LabelProtocol('partial', Partial(seed=5, ratio=0.3))"
