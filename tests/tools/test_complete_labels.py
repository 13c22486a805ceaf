"""``tools/complete_labels.py``: from incomplete labels to a reviewed annotation."""

import csv
import json

import numpy as np
import pytest

from mmscpnet.datasets import IncompleteMultiLabelDataset, MultiLabelListDataset
from mmscpnet.datasets.formats.provenance import read_traced_labels
from mmscpnet.evaluation import Decisions, load_decisions
from mmscpnet.evaluation.calibration import Calibration
from tests.apis.small_models import (
    CLASSES,
    make_config,
    make_photos,
    save_model,
    scp_head,
)
from tests.browser import press, saved, start_chromium


@pytest.fixture(scope='module')
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp('model')
    make_photos(folder)
    config = make_config(folder, scp_head())
    # Where the photos are is said by the training set.
    config.train_dataloader = dict(dataset=dict(config.test_dataloader.dataset))
    files = save_model(config, folder)
    calibration = Calibration('platt', np.full(5, 0.8), np.linspace(-0.5, 0.5, 5))
    content = Decisions(tuple(CLASSES), np.full(5, 0.45), calibration).to_json()
    (folder / 'decisions.json').write_text(json.dumps(content))
    rng = np.random.default_rng(0)
    truth = json.loads((folder / 'test.json').read_text())
    for row in truth['data_list']:
        known = {*row['gt_label'], *row.pop('negative_label')}
        more = [c for c in range(5) if c not in known and rng.random() < 0.5]
        row['gt_label'] = sorted([*row['gt_label'], *more])
    truth['metainfo']['unlisted'] = 'negative'
    (folder / 'truth.json').write_text(json.dumps(truth))
    return [str(file) for file in files], folder


@pytest.fixture
def complete(tool, model):
    def run(out, *words, ann=None):
        files, folder = model
        words = [*files, '--ann', ann or folder / 'test.json', '--out', out, *words]
        tool('complete_labels.py').main([str(word) for word in words])

    return run


def rows_of(path):
    with open(path, newline='', encoding='utf-8') as file:
        return list(csv.DictReader(file))


def test_all_files(complete, model, tmp_path, capsys):
    folder = model[1]
    out, page = tmp_path / 'out' / 'done.json', tmp_path / 'page' / 'p.html'
    words = ['--thresholds', folder / 'decisions.json', '--doubt', '0.51']
    words += ['--truth', folder / 'truth.json', '--html', page, '--max-photos', '3']
    complete(out, *words)
    printed = capsys.readouterr().out
    names = ['review.csv', 'disputed.csv', 'report.md', 'per_class.csv']
    names = [f'done_{name}' for name in [*names, 'precision_recall.png']]
    assert {p.name for p in out.parent.iterdir()} == {'done.json', *names}
    assert [p.name for p in page.parent.iterdir()] == ['p.html']
    before = read_traced_labels(folder / 'test.json')
    content = json.loads(out.read_text())
    made = content['metainfo']['completion']
    assert made['command'].startswith('python tools/complete_labels.py ')
    proposed = rows_of(out.with_name('done_review.csv'))
    assert made['proposed'] == len(proposed) > 0 and made['calibrated']
    assert f'{len(proposed)} labels proposed' in printed
    # One can train on it: known labels as they were, and the proposals.
    dataset = IncompleteMultiLabelDataset(
        ann_file=str(out), data_prefix=str(folder / 'photos'), pipeline=[]
    )
    targets, known = dataset.get_targets(), before.states != -1
    assert (targets[known] == before.states[known]).all()
    assert (targets != -1).sum() == known.sum() + len(proposed)
    decisions = load_decisions(folder / 'decisions.json')
    for rank, row in enumerate(proposed, start=1):
        i, c = before.images.index(row['image']), CLASSES.index(row['label'])
        assert int(row['rank']) == rank and targets[i, c] == 1 and not known[i, c]
        assert content['data_list'][i]['provenance'][str(c)] == 'proposed'
        score = float(row['probability'])
        assert score >= 0.45
        scores = np.full(5, score)
        calibrated = decisions.probabilities(scores)[c]
        assert float(row['confidence']) == pytest.approx(calibrated, abs=1e-4)
        found = content['data_list'][i]['confidence'][str(c)]
        assert found == pytest.approx(calibrated, abs=1e-4)
        for neighbor in json.loads(row['neighbors'] or '[]'):
            assert neighbor['weight'] > 0 and isinstance(neighbor['effect'], float)
            assert before.states[i, CLASSES.index(neighbor['label'])] == 1
    assert any(row['neighbors'] for row in proposed)
    confidence = [float(row['confidence']) for row in proposed]
    assert confidence == sorted(confidence, reverse=True)
    disputed = rows_of(out.with_name('done_disputed.csv'))
    assert disputed
    for row in disputed:
        i, c = before.images.index(row['image']), CLASSES.index(row['label'])
        assert int(row['known']) == before.states[i, c] != -1
        assert abs(int(row['known']) - float(row['confidence'])) >= 0.51
    report = out.with_name('done_report.md').read_text()
    assert f'Of {len(proposed)} proposals' in report
    # A second run gives the same: what was proposed is unknown again.
    again = tmp_path / 'again.json'
    complete(again, *words[:4], ann=out)
    assert json.loads(again.read_text())['data_list'] == content['data_list']
    with pytest.raises(ValueError, match='exists already. Replace it by --overwrite'):
        complete(out, *words)
    complete(out, *words, '--overwrite')
    assert not list(tmp_path.rglob('*.part')) and not list(tmp_path.rglob('.*'))


def test_reviewed_by_a_file(complete, tool, model, tmp_path):
    folder = model[1]
    out = tmp_path / 'done.json'
    complete(out, '--threshold', '0.3')
    proposed = rows_of(tmp_path / 'done_review.csv')
    yes, no, *rest = proposed
    table = tmp_path / 'down loads' / 'd.csv'
    table.parent.mkdir()
    with open(table, 'w', newline='') as file:
        writer = csv.writer(file)
        writer.writerow(['image', 'label', 'decision'])
        writer.writerow([yes['image'], yes['label'], 'accepted'])
        writer.writerow([no['image'], no['label'], 'rejected'])
    words = ['review', table, '--ann', out, '--images', folder / 'photos']
    main = tool('dataset_converters/from_files.py').main
    main([*map(str, words), '--verify-images'])
    labels = read_traced_labels(tmp_path / 'reviewed' / 'train.json')
    before = read_traced_labels(folder / 'test.json')
    want = before.states.copy()
    sources = {}
    for row, state, source in ((yes, 1, 'accepted'), (no, 0, 'rejected')):
        place = before.images.index(row['image']), CLASSES.index(row['label'])
        want[place], sources[place] = state, source
    assert rest and (labels.states == want).all() and labels.unlisted == 'unknown'
    for (i, c), source in sources.items():
        assert labels.provenance[i][c] == source
    with pytest.raises(ValueError, match='not empty'):
        main([*map(str, words)])
    with pytest.raises(SystemExit):
        main(['review', str(table)])


def test_reviewed_in_a_browser(complete, tool, model, tmp_path):
    """From incomplete labels through a real browser to labels that can be trained."""
    out, page = tmp_path / 'done.json', tmp_path / 'page.html'
    complete(out, '--threshold', '0.3', '--html', page)
    downloads = tmp_path / 'downloads'
    downloads.mkdir()
    driver = start_chromium(tmp_path / 'profile', downloads)
    try:
        driver.get(page.as_uri())
        assert driver.find_element('css selector', '.photo img').size['width'] > 50
        images = 'return [...document.images].every((i) => i.naturalWidth > 0)'
        assert driver.execute_script(images)
        press(driver, 'araua')
        path = saved(driver, downloads, '#save')
        assert driver.get_log('browser') == []
    finally:
        driver.quit()
    decisions = json.loads(path.read_text())['decisions']
    words = [d['decision'] for d in decisions]
    assert sorted(words) == ['accepted', 'accepted', 'rejected']
    tool('dataset_converters/from_files.py').main(
        ['review', str(path), '--ann', str(out), '--images', str(model[1] / 'photos')]
    )
    before = read_traced_labels(model[1] / 'test.json')
    dataset = IncompleteMultiLabelDataset(
        ann_file=str(tmp_path / 'reviewed' / 'train.json'), pipeline=[]
    )
    want = before.states.copy()
    for entry in decisions:
        place = before.images.index(entry['image']), CLASSES.index(entry['label'])
        assert want[place] == -1
        want[place] = int(entry['decision'] == 'accepted')
    assert (dataset.get_targets() == want).all()


def test_lists(complete, model, tmp_path):
    folder = model[1]
    names = read_traced_labels(folder / 'test.json').images
    ann = tmp_path / 'a.txt'
    ann.write_text('\n'.join(f'{name},{i % 5}' for i, name in enumerate(names)))
    out = tmp_path / 'b.txt'
    words = ['--threshold', '0.4', '--max-per-image', '1']
    complete(out, *words, '--unlisted', 'unknown', ann=ann)
    dataset = MultiLabelListDataset(ann_file=str(out), classes=CLASSES, pipeline=[])
    rows = rows_of(tmp_path / 'b_provenance.csv')
    sources = [row['provenance'] for row in rows]
    assert sources.count('known') == 6
    assert sources.count('proposed') == len(rows_of(tmp_path / 'b_review.csv')) > 0
    assert dataset.get_targets().sum() == len(rows)
    for row in dataset:
        assert 1 <= len(row['gt_label']) <= 2
    # Without it a list says that everything else is absent.
    complete(tmp_path / 'c.txt', *words, ann=ann)
    assert rows_of(tmp_path / 'c_review.csv') == []
    with pytest.raises(ValueError, match='no room for negative'):
        decisions = ['--thresholds', folder / 'decisions.json']
        complete(tmp_path / 'd.txt', *decisions, '--negatives', '0.9', ann=ann)
    with pytest.raises(ValueError, match='must not end with .json'):
        complete(tmp_path / 'd.json', ann=ann)


def test_photos_that_are_missing_or_bad(complete, model, tmp_path, capsys):
    folder = model[1]
    content = json.loads((folder / 'test.json').read_text())
    rows = content['data_list']
    # Windows wrote this file.
    rows[1]['img_path'] = rows[1]['img_path'].replace('/', '\\')
    rows[2]['img_path'] = 'none.png'
    rows[3]['img_path'] = 'bad.png'
    (folder / 'photos' / 'bad.png').write_bytes(b'no photo')
    ann = tmp_path / 'a.json'
    ann.write_text(json.dumps(content))
    out = tmp_path / 'b.json'
    complete(out, '--threshold', '0.2', '--html', tmp_path / 'p.html', ann=ann)
    printed = capsys.readouterr().out
    assert 'none.png: cannot be used' in printed and 'bad.png: cannot be us' in printed
    images = [row['image'] for row in rows_of(tmp_path / 'b_review.csv')]
    assert 'more\\1.png' in images and not {'none.png', 'bad.png'} & set(images)
    done = json.loads(out.read_text())['data_list']
    assert [row['img_path'] for row in done] == [row['img_path'] for row in rows]
    (tmp_path / 'empty').mkdir()
    with pytest.raises(ValueError, match='none of the 6 photos can be read'):
        complete(tmp_path / 'c.json', '--images', tmp_path / 'empty')
    with pytest.raises(FileNotFoundError, match='--images: there is no folder'):
        complete(tmp_path / 'c.json', '--images', tmp_path / 'nowhere')
    assert not (tmp_path / 'c.json').exists()


def test_all_known_and_some_classes(complete, model, tmp_path, capsys):
    folder = model[1]
    complete(tmp_path / 'a.json', '--unlisted', 'negative')
    assert 'No label is unknown' in capsys.readouterr().out
    assert rows_of(tmp_path / 'a_review.csv') == []
    words = ['--threshold', '0.2', '--classes', 'wine glass', 'cat']
    complete(tmp_path / 'b.json', *words)
    found = {row['label'] for row in rows_of(tmp_path / 'b_review.csv')}
    assert found == {'wine glass', 'cat'}
    names = tmp_path / 'names.txt'
    names.write_text('wine glass\ncat\n')
    complete(tmp_path / 'c.json', *words[:3], names)
    same = (tmp_path / f'{stem}_review.csv' for stem in 'bc')
    assert len({path.read_text() for path in same}) == 1
    with pytest.raises(ValueError, match="--classes: .* 'wine' .*mean wine glass"):
        complete(tmp_path / 'd.json', '--classes', 'wine')
    other = json.loads((folder / 'test.json').read_text())
    other['metainfo']['classes'][0] = 'zebra'
    (tmp_path / 'other.json').write_text(json.dumps(other))
    with pytest.raises(ValueError, match="does not know: label 0 is 'zebra'"):
        complete(tmp_path / 'd.json', ann=tmp_path / 'other.json')


@pytest.mark.parametrize(
    'words, message',
    [
        ('--precision-target 0.9', 'give --thresholds a file'),
        ('--negatives 0.9', 'give --thresholds a file'),
        ('--thresholds d --negatives 0.2', '--negatives must lie between 0.5 and 1'),
        ('--thresholds d --precision-target 2', 'must lie between 0 and 1'),
        ('--thresholds d --threshold 0.5', 'one of --threshold and --thresholds'),
        ('--precision-target 0.9 --threshold 0.5', 'one of --precision-target'),
        ('--doubt 0.1', '--doubt must lie between'),
        ('--max-per-image 0', '--max-per-image must be at least 1'),
        ('--max-photos 5', '--max-photos goes with --html'),
    ],
)
def test_wrong_words(complete, tmp_path, capsys, words, message):
    with pytest.raises(SystemExit):
        complete(tmp_path / 'a.json', *words.split())
    assert message in capsys.readouterr().err


def test_files_are_not_mixed_up(complete, model, tmp_path):
    ann = tmp_path / 'a.json'
    ann.write_text((model[1] / 'test.json').read_text())
    with pytest.raises(ValueError, match='would replace another file'):
        complete(ann, '--overwrite', ann=ann)
    with pytest.raises(ValueError, match='would replace another file'):
        complete(tmp_path / 'b.json', '--html', tmp_path / 'b_review.csv')
    with pytest.raises(ValueError, match='must end with .json'):
        complete(tmp_path / 'b.txt')
    (tmp_path / 'c_review.csv').write_text('mine')
    with pytest.raises(ValueError, match='c_review.csv exists already'):
        complete(tmp_path / 'c.json')
    assert (tmp_path / 'c_review.csv').read_text() == 'mine'


def test_precision_target(complete, model, tmp_path):
    words = ['--thresholds', model[1] / 'decisions.json', '--precision-target', '0.5']
    complete(tmp_path / 'a.json', *words, '--negatives', '0.55')
    rows = rows_of(tmp_path / 'a_review.csv')
    assert rows
    for name in CLASSES:
        values = [float(r['confidence']) for r in rows if r['label'] == name]
        assert not values or np.mean(values) >= 0.5 - 1e-6
    entries = json.loads((tmp_path / 'a.json').read_text())['data_list']
    absent = [
        entry['confidence'][str(c)]
        for entry in entries
        for c in entry['negative_label']
        if entry['provenance'][str(c)] == 'proposed'
    ]
    assert absent and min(absent) >= 0.55
