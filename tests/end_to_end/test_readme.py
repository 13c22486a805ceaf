"""A new user's way, as README.md has it: from photos and a CSV to a file to deploy."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from tests.browser import press, saved, start_chromium
from tests.distributed.forked import run_jobs
from tests.readme import BLOCK, PAGES, section_of
from tests.shared import ROOT

CLASSES = ('red', 'green', 'blue', 'circle', 'square', 'bar')
SECTION = 'From a folder of photos to all of their labels'
SPLITS = dict(train=range(1, 17), val=range(17, 27))


def draw(path: Path, labels: np.ndarray, rng: np.random.Generator) -> None:
    """A photo of the first colour and all shapes that the labels name."""
    picture = Image.new('RGB', (120, 96), tuple(rng.integers(180, 256, 3).tolist()))
    pen = ImageDraw.Draw(picture)
    for shape in np.flatnonzero(labels[3:]):
        x, y = rng.integers(5, 60, 2).tolist()
        box = (x, y, x + 30, y + (8 if shape == 2 else 30))
        draw_shape = pen.ellipse if shape == 0 else pen.rectangle
        draw_shape(box, fill=CLASSES[labels[:3].argmax()])
    picture.save(path)


@pytest.fixture
def desk(tmp_path):
    """A folder like a checkout, with photos and two CSV files in data/mine."""
    for name in ('configs', 'tools'):
        (tmp_path / name).symlink_to(ROOT / name)
    mine = tmp_path / 'data' / 'mine'
    (mine / 'photos').mkdir(parents=True)
    rng = np.random.default_rng(0)
    for split, numbers in SPLITS.items():
        with open(mine / f'{split}.csv', 'w', newline='') as file:
            rows = csv.writer(file)
            rows.writerow(['image', *CLASSES])
            for number in numbers:
                labels = np.zeros(6, int)
                labels[[number % 3, 3 + number % 2]] = 1
                labels[5] = number % 5 == 0
                draw(mine / 'photos' / f'{number:04}.jpg', labels, rng)
                cells = [str(label) for label in labels]
                if split == 'train':
                    # One positive, one negative, nothing else.
                    known = [rng.choice(np.flatnonzero(labels == s)) for s in (0, 1)]
                    cells = [c if i in known else '' for i, c in enumerate(cells)]
                rows.writerow([f'{number:04}.jpg', *cells])
    return tmp_path


def commands() -> list[str]:
    """Lines of the section's blocks that a user types."""
    lines = '\n'.join(BLOCK.findall(section_of(PAGES[0], SECTION))).splitlines()
    return [line for line in lines if line.startswith('python ')]


def review(desk: Path) -> None:
    """Accept the first proposal and reject the second, in a browser if there is one."""
    folder = desk / 'work_dirs' / 'mine'
    try:
        driver = start_chromium(desk / 'profile', folder)
    except pytest.skip.Exception:
        # The same file by hand; what the page saves has tests of its own.
        with open(folder / 'completed_review.csv') as file:
            rows = list(csv.DictReader(file))[:2]
        made = [
            dict(image=row['image'], label=row['label'], decision=word)
            for row, word in zip(rows, ('accepted', 'rejected'))
        ]
        text = json.dumps(dict(decisions=made))
        (folder / 'train_decisions.json').write_text(text)
        return
    try:
        driver.get((folder / 'review.html').as_uri())
        press(driver, 'ar')
        saved(driver, folder, '#save')
    finally:
        driver.quit()


def test_from_photos_to_a_file_to_deploy(desk):
    lines = commands()
    tools = [re.search(r'tools/(?:\w+/)*(\w+)\.py', line)[1] for line in lines]
    assert tools == [
        'from_files',
        'train',
        'choose_thresholds',
        'complete_labels',
        'from_files',
        'train',
        'export',
        'predict_onnx',
        'image_demo',
    ]
    jobs = [
        (1, 'tests.end_to_end.typed:run_line', line, desk, desk / f'{number}.out')
        for number, line in enumerate(lines)
    ]
    run_jobs(desk, *jobs[:4])
    review(desk)
    run_jobs(desk, *jobs[4:])
    mine, work = desk / 'data' / 'mine', desk / 'work_dirs' / 'mine'
    for folder in (work, desk / 'work_dirs' / 'mine-reviewed'):
        assert len(list(folder.glob('best_*.pth'))) == 1
    known = json.loads((mine / 'multilabel' / 'train.json').read_text())
    completed = json.loads((work / 'completed.json').read_text())
    reviewed = json.loads((mine / 'reviewed' / 'train.json').read_text())
    assert known['metainfo']['classes'] == list(CLASSES)
    for before, proposed, after in zip(
        known['data_list'], completed['data_list'], reviewed['data_list']
    ):
        for key in ('gt_label', 'negative_label'):
            assert set(before[key]) <= set(proposed[key]) & set(after[key])
    counts = [
        sum(len(entry['gt_label']) for entry in content['data_list'])
        for content in (known, completed, reviewed)
    ]
    assert counts[0] == len(SPLITS['train']) and counts[2] == counts[0] + 1
    assert counts[1] >= counts[0] + 2
    page = (work / 'review.html').read_text()
    assert '0001.jpg' in page and 'https://' not in page
    thresholds = json.loads((work / 'thresholds' / 'decisions.json').read_text())
    assert list(thresholds['classes']) == list(CLASSES)
    assert 'configs/own_data find these files' in (desk / '0.out').read_text()
    said = (desk / f'{tools.index("predict_onnx")}.out').read_text()
    scores = [row.split('\t') for row in said.splitlines()]
    assert [len(row) for row in scores] == [3] * 5 and scores[0][1] in CLASSES
    assert len(list((work / 'predicted').glob('*.png'))) == 26
