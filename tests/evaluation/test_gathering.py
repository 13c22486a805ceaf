"""Rows of several processes come together in the order of the data set."""

import numpy as np
import pytest
import torch

from mmscpnet.evaluation import gathering
from tests.distributed import jobs
from tests.distributed.forked import run_jobs

# Three processes: one sample too many, one too few, and fewer than processes.
SIZES = (7, 8, 9, 2)


@pytest.fixture(scope='module')
def folders(tmp_path_factory):
    folders = {size: tmp_path_factory.mktemp(f'of{size}') for size in SIZES}
    call = 'tests.distributed.jobs:evaluate'
    run_jobs(folders[7], *((3, call, folders[size], size) for size in SIZES))
    return folders


@pytest.mark.parametrize('size', SIZES)
def test_one_and_three_processes_agree_to_the_bit(folders, size, tmp_path):
    expected = jobs.evaluation(str(tmp_path / 'one.npz'), size)
    assert 0 < expected['multi-label/mAP'] < 100
    for rank in range(3):
        assert (
            torch.load(folders[size] / f'metrics3_{rank}.pth', weights_only=True)
            == expected
        )
    one, three = np.load(tmp_path / 'one.npz'), np.load(folders[size] / 'scores3.npz')
    assert list(one) == list(three)
    for key in one:
        np.testing.assert_array_equal(one[key], three[key])
    assert one['img_path'][size - 1] == 'ü' * (size - 1) + f'/{size - 1}.jpg'


@pytest.mark.parametrize('counts', [(4,), (3, 3, 2), (1, 0, 0), (5, 2, 3), (2, 2)])
def test_place_of_a_row(counts):
    dealt = sorted((i, r) for r, count in enumerate(counts) for i in range(count))
    for rank, count in enumerate(counts):
        found = gathering._place(torch.arange(count), rank, torch.tensor(counts))
        assert found.tolist() == [n for n, (_, r) in enumerate(dealt) if r == rank]


def test_rows_beyond_the_data_set_and_wider_types():
    table = gathering.RowTable(torch.float32)
    for rows in (torch.ones(2, 3), torch.zeros(1, 3).double(), torch.ones(2, 3)):
        table.append(rows)
    found = gathering.gather_rows(table, 4)
    assert found.dtype == torch.float64 and found[:, 0].tolist() == [1, 1, 0, 1]
    with pytest.raises(ValueError, match=r'numbers of classes: \[3, 4\]'):
        table.append(torch.ones(1, 4))
    assert gathering.gather_rows(gathering.RowTable(torch.int8), 4).shape == (0, 0)


def test_many_rows_one_by_one():
    rows = torch.rand(300, 5)
    table = gathering.RowTable(torch.float32)
    for row in rows:
        table.append(row[None])
    assert torch.equal(gathering.gather_rows(table, 300), rows)


def test_names_as_bytes():
    names = ['a.jpg', '', 'ünï/ß.png']
    assert gathering.bytes_to_names(gathering.names_to_bytes(names)) == names
