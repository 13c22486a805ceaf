"""All protocols: what they keep is true, and depends on (seed, index) only."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmscpnet.datasets.protocols import (
    PROTOCOLS,
    LabelTable,
    build_protocol,
    protocol_options,
)
from tests.datasets.protocols.examples import OPTIONS, options_of, write_set

DRAWN = [name for name in PROTOCOLS if name != 'list']
# Protocols that mask what is masked once more as they did, with the same seed; the
# others draw from what is left, or see other frequencies.
IDEMPOTENT = ['spml-uniform', 'partial', 'partial-sarb', 'partial-dualcoop']
full_labels = st.lists(
    st.lists(st.sampled_from([0, 1]), min_size=4, max_size=4), min_size=1, max_size=12
)


def table_of(rows, images=()):
    rows = np.array(rows)
    labels = ((np.flatnonzero(r == 1), np.flatnonzero(r == 0)) for r in rows)
    return LabelTable(labels, rows.shape[1], -1, images)


def masked_by(name, rows, **changes):
    protocol = build_protocol(name, **{**OPTIONS[name], **changes})
    table = table_of(rows, [f'{i}.jpg' for i in range(len(rows))])
    protocol.prepare(table)
    return np.stack([protocol.mask(row, i, '') for i, row in enumerate(table.rows())])


def test_the_examples_are_complete():
    assert set(OPTIONS) == set(PROTOCOLS)
    for name, protocol in PROTOCOLS.items():
        assert protocol.name == name and protocol.source and protocol.__doc__


@settings(max_examples=25, deadline=None)
@pytest.mark.parametrize('name', DRAWN)
@given(rows=full_labels, seed=st.integers(0, 2**31))
def test_what_stays_known_was_true(name, rows, seed):
    rows = np.array(rows, dtype=np.int8)
    masked = masked_by(name, rows, seed=seed)
    assert masked.dtype == np.int8
    assert set(np.unique(masked).tolist()) <= {-1, 0, 1}
    if name == 'noisy':
        assert (masked != -1).all()
        return
    known = masked != -1
    assert (masked[known] == rows[known]).all()
    assert np.array_equal(masked_by(name, rows, seed=seed), masked)
    if name in IDEMPOTENT:
        assert np.array_equal(masked_by(name, masked, seed=seed), masked)


@pytest.mark.parametrize('name', DRAWN)
def test_order_does_not_matter_and_nothing_is_changed(name):
    rows = (np.random.default_rng(0).random((30, 4)) < 0.5).astype(np.int8)
    before = rows.copy()
    expected = masked_by(name, rows)
    protocol = build_protocol(name, **OPTIONS[name])
    protocol.prepare(table_of(rows, [f'{i}.jpg' for i in range(30)]))
    for index in np.random.default_rng(1).permutation(30).tolist() * 2:
        assert np.array_equal(protocol.mask(rows[index], index, ''), expected[index])
    assert np.array_equal(rows, before)


@pytest.mark.parametrize('name', DRAWN)
def test_seeds_differ(name):
    rows = (np.random.default_rng(0).random((30, 4)) < 0.5).astype(np.int8)
    assert not np.array_equal(
        masked_by(name, rows, seed=1), masked_by(name, rows, seed=2)
    )


@pytest.mark.parametrize(
    'name',
    ['partial', 'partial-sarb', 'partial-dualcoop', 'partial-per-image', 'biased'],
)
def test_ratios_hold(name):
    rows = (np.random.default_rng(0).random((4000, 4)) < [0.6, 0.3, 0.2, 0.1]).astype(
        int
    )
    for ratio in (0.25, 0.75):
        masked = masked_by(name, rows, ratio=ratio)
        assert abs((masked != -1).mean() - ratio) < 0.01
        if name == 'biased':
            assert (np.diff((masked != -1).mean(axis=0)) < 0.01).all()
            continue
        for value in (0, 1):
            kept = (masked == value).sum() / (rows == value).sum()
            assert abs(kept - ratio) < 0.02


def test_list(tmp_path):
    write_set(tmp_path)
    protocol = build_protocol('list', **options_of('list', tmp_path))
    first = (tmp_path / 'list.txt').read_text().splitlines()[0]
    name, label = first.split(',')
    score = np.ones(5, dtype=np.int8)
    masked = protocol.mask(score, 0, f'somewhere/{name}')
    assert np.flatnonzero(masked == 1).tolist() == [int(label)]
    with pytest.raises(ValueError, match=r'list.txt has no line for b.jpg'):
        protocol.mask(score, 0, 'b.jpg')


@pytest.mark.parametrize(
    ('name', 'options', 'message'),
    [
        ('none', {}, r"protocol must be one of \['spml-uniform'.*found 'none'"),
        ('partial', {}, "protocol partial needs 'ratio'"),
        ('partial', dict(ratio=2), r'partial: ratio must lie in \[0, 1\], found 2'),
        ('spml-uniform', dict(ratio=0.5), "spml-uniform does not take 'ratio'; its op"),
        ('few-shot', dict(shots=0), 'shots must be at least 1'),
        ('biased', dict(ratio=0.5, power=-1), 'power must be >= 0'),
        ('noisy', {}, 'noisy: give wrong_positives'),
        (
            'keep-positives',
            dict(ratio=0.5),
            r'lists with \[0.75, 0.4\].*found ratio 0.5',
        ),
        ('keep-positives', dict(ratio=0.4, rule='x'), "rule must be 'splc' or 'each'"),
        ('spml-largeloss', dict(held_out=-0.1), 'held_out must lie'),
    ],
)
def test_bad_options(name, options, message):
    with pytest.raises(ValueError, match=message):
        build_protocol(name, **options)


def test_options_have_defaults_where_documented():
    assert protocol_options('spml-largeloss')['seed'].default == 1200
    assert protocol_options('partial-sarb')['seed'].default == 0
