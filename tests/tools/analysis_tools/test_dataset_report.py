"""``tools/analysis_tools/dataset_report.py``: configs, annotation files, bad input."""

import json
import re

import pytest
from PIL import Image

from mmscpnet.datasets.formats import AnnotationWriter
from tests.shrunken_configs import shrink

MASKED = 'scpnet/scpnet_clip-rn101_1xb32_voc07-partial.py'


@pytest.fixture
def report(tool):
    return tool('analysis_tools/dataset_report.py').main


def figures(out):
    """First column of the summary -> its other columns."""
    summary = (out / 'report.md').read_text().split('## Warnings')[0]
    lines = summary.splitlines()
    rows = [line.split('|')[1:-1] for line in lines if line.startswith('|')]
    return {row[0].strip(): [cell.strip() for cell in row[1:]] for row in rows}


def dumped(tmp_path, name):
    config = shrink(name, tmp_path)
    # Labels are enough: there need not be a photo.
    for photo in tmp_path.rglob('*.jpg'):
        photo.unlink()
    file = tmp_path / 'config.py'
    config.dump(file)
    return config, str(file)


def test_config_with_20_classes(report, tmp_path, capsys):
    config, file = dumped(tmp_path, MASKED)
    out = tmp_path / 'out'
    report([file, '--out', str(out), '--few', '2'])
    entries = json.loads(
        (tmp_path / config.train_dataloader.dataset.ann_file).read_text()
    )
    rows = figures(out)
    assert rows['images'] == ['10', '10', '10']
    total = sum(len(row['gt_label']) for row in entries['data_list'])
    assert rows['known positives'][1] == str(total)
    assert rows['share of unknown labels'][1:] == ['0.0%', '0.0%']
    assert 80 < float(rows['share of unknown labels'][0][:-1]) < 100
    text = (out / 'report.md').read_text()
    # Validation and test are one; training and test share their photos only where
    # they lie in the same folder, as VOC's do.
    assert 'The test images are the validation images' in text
    assert 'train and val overlap: all of the 10 images' in text
    assert text.count('only because of the label masking') == 1
    for name in set(re.findall(r'!\[\]\((.*?)\)', text)):
        assert max(Image.open(out / name).size) < 2000
    assert 'warning: train and val overlap' in capsys.readouterr().out
    # Another ratio leaves other labels.
    options = ['--cfg-options', 'train_dataloader.dataset.pipeline.1.ratio=1.0']
    report([file, '--out', str(out), '--overwrite', '--splits', 'train', *options])
    assert figures(out)['known positives'] == [str(total)] * 2


def test_config_with_312_classes(report, tmp_path):
    _, file = dumped(tmp_path, 'scpnet/scpnet_clip-rn50_1xb96_cub-spml.py')
    out = tmp_path / 'out'
    report([file, '--out', str(out), '--splits', 'train'])
    assert figures(out)['classes'] == ['312']
    # Lists without masking: known positives, the rest unknown.
    assert figures(out)['known negatives'] == ['0']
    # Rows of 17 pixels or more; the classes stand in four columns.
    for name in ('known_train.png', 'frequencies.png'):
        assert 312 / 4 * 17 < Image.open(out / name).height < 2000


def write(path, rows, unlisted='unknown'):
    with AnnotationWriter(path, ['cat', 'dog', 'sea'], unlisted) as writer:
        for row in rows:
            writer.add(*row)
    return str(path)


def test_files(report, tmp_path, monkeypatch):
    rows = [(f'{i}.jpg', [i % 2], [2]) for i in range(30)]
    files = [
        write(tmp_path / 'mine.json', rows),
        write(tmp_path / 'other.json', [('29.jpg', [0, 1]), ('x.jpg', [])], 'negative'),
    ]
    monkeypatch.chdir(tmp_path)
    report(files)
    out = tmp_path / 'work_dirs' / 'dataset_report' / 'mine'
    found = figures(out)
    assert found[''] == ['mine', 'other']
    assert found['known negatives'] == ['30', '4']
    assert found['unknown'] == ['30', '0']
    text = (out / 'report.md').read_text()
    assert 'mine and other overlap: 1 of the 2 images of other is in mine too' in text
    assert 'mine: 1 of 3 classes is never positive: sea.' in text
    assert '| cat | dog | 1 |' in text
    with pytest.raises(ValueError, match='not empty.*--overwrite'):
        report(files)


@pytest.mark.parametrize(
    'source, message',
    [
        (['a.txt'], 'one config'),
        (['a.py', 'b.py'], 'one config'),
        (['a.json', 'b.py'], 'one config'),
        (['a.json', '--splits', 'train'], 'belong to a config'),
        (['a.json', 'b/a.json'], 'of different names'),
    ],
)
def test_sources_that_do_not_fit(report, capsys, source, message):
    with pytest.raises(SystemExit):
        report(source)
    assert message in capsys.readouterr().err


def test_failures_leave_nothing(report, tmp_path):
    out = tmp_path / 'out'
    with pytest.raises(FileNotFoundError, match='none.json'):
        report([str(tmp_path / 'none.json'), '--out', str(out)])
    bad = tmp_path / 'bad.json'
    bad.write_text(
        '{"metainfo": {"classes": ["a"]}, "data_list": [{"img_path": "x", '
        '"gt_label": [1]}]}'
    )
    with pytest.raises(ValueError, match=r'bad.json, data_list\[0\]: label 1 is'):
        report([str(bad), '--out', str(out)])
    config = tmp_path / 'config.py'
    config.write_text('train_dataloader = None')
    with pytest.raises(ValueError, match='has no val_dataloader'):
        report([str(config), '--splits', 'val', '--out', str(out)])
    with pytest.raises(ValueError, match='has no dataloader'):
        report([str(config), '--out', str(out)])
    assert not out.exists() and not list(tmp_path.glob('.out*'))
