"""Masking: what is known is true, and depends on (seed, index) only."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmscpnet.datasets.protocols import keep_ratio, sample_rng, single_positive
from mmscpnet.datasets.transforms import (
    FixedLabel,
    PartialLabel,
    SinglePositiveLabel,
)

score_lists = st.lists(st.sampled_from([1, 0, -1]), min_size=1, max_size=40)
seeds = st.integers(0, 2**31)


def apply(transform, score, index=0, path='photos/a.jpg'):
    score = np.array(score, dtype=np.int8)
    info = dict(gt_score=score, sample_idx=index, img_path=path)
    return transform.transform(info)


@settings(max_examples=100, deadline=None)
@given(score_lists, seeds, st.integers(0, 10**6), st.floats(0, 1))
def test_what_stays_known_was_true(score, seed, index, ratio):
    for transform in (SinglePositiveLabel(seed), PartialLabel(ratio, seed)):
        result = apply(transform, score, index)
        masked = result['gt_score']
        known = masked != -1
        assert (masked[known] == np.array(score)[known]).all()
        assert result['full_gt_score'].tolist() == score
        assert result['gt_label'] == np.flatnonzero(masked == 1).tolist()
        again = apply(transform, score, index)['gt_score']
        assert masked.tolist() == again.tolist() and masked.dtype == np.int8


@settings(max_examples=50, deadline=None)
@given(score_lists, seeds)
def test_single_positive_keeps_one_or_none(score, seed):
    masked = apply(SinglePositiveLabel(seed), score)['gt_score']
    assert (masked == 1).sum() == min(1, score.count(1))
    assert (masked == 0).sum() == 0
    # Masking what is masked changes nothing.
    assert apply(SinglePositiveLabel(seed), masked)['gt_score'].tolist() == list(masked)


def test_single_positive_is_uniform():
    score = np.array([1, 0, 1, 1, -1], dtype=np.int8)
    counts = sum(
        (single_positive(score, sample_rng(0, i)) == 1).astype(int) for i in range(3000)
    )
    assert counts[[1, 4]].tolist() == [0, 0]
    assert np.abs(counts[[0, 2, 3]] / 3000 - 1 / 3).max() < 0.03


def test_ratio_holds_for_positives_and_negatives():
    score = np.array([1] * 500 + [0] * 500, dtype=np.int8)
    for ratio in (0.0, 0.1, 0.9, 1.0):
        kept = np.stack([keep_ratio(score, sample_rng(1, i), ratio) for i in range(40)])
        assert abs((kept[:, :500] == 1).mean() - ratio) < 0.02
        assert abs((kept[:, 500:] == 0).mean() - ratio) < 0.02


def test_seed_and_index_matter():
    score = [1] * 64

    def chosen(seed, index):
        return apply(SinglePositiveLabel(seed), score, index)['gt_label'][0]

    assert len({chosen(0, i) for i in range(64)}) > 30
    assert [chosen(0, i) for i in range(20)] != [chosen(1, i) for i in range(20)]


def test_fixed_label(tmp_path):
    file = tmp_path / 'list.txt'
    file.write_text('a.jpg,1\nsub/b.jpg,0 2\n')
    transform = FixedLabel(str(file))
    assert apply(transform, [0, 1, 1])['gt_score'].tolist() == [-1, 1, -1]
    found = apply(transform, [1, 1, 1], path='x/sub/b.jpg')['gt_score']
    assert found.tolist() == [1, -1, 1]
    with pytest.raises(ValueError, match=r'list.txt has no line for x/b.jpg'):
        apply(transform, [1, 1, 1], path='x/b.jpg')
    with pytest.raises(ValueError, match='label 1 is listed as positive, but is neg'):
        apply(transform, [1, 0, 1])
    with pytest.raises(ValueError, match=r'label 1 of photos/a.jpg is outside 0..0'):
        apply(transform, [1])


def test_bad_input():
    with pytest.raises(ValueError, match='ratio must lie'):
        PartialLabel(1.2)
    with pytest.raises(ValueError, match='no gt_score'):
        SinglePositiveLabel().transform(dict(sample_idx=0))
