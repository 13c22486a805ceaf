"""Options for each protocol, and a small set to thin."""

import json
from pathlib import Path

import numpy as np

CLASSES = ['cat', 'dog', 'sea', 'sky', 'tree']
OPTIONS = {
    'spml-uniform': dict(seed=4),
    'spml-largeloss': {},
    'list': dict(ann_file='{folder}/list.txt'),
    'keep-positives': dict(ratio=0.4),
    'partial': dict(ratio=0.5, seed=1),
    'partial-sarb': dict(ratio=0.5),
    'partial-dualcoop': dict(ratio=0.5, seed=2),
    'partial-per-image': dict(ratio=0.5),
    'few-shot': dict(shots=3),
    'biased': dict(ratio=0.4, power=0.5),
    'noisy': dict(wrong_positives=0.2, wrong_negatives=0.3),
    'at-least-one': dict(ratio=0.2),
}
NUM_IMAGES = 60


def write_set(folder: Path, num_images: int = NUM_IMAGES) -> Path:
    """``train.json`` with complete labels, and ``list.txt`` with one of each image."""
    rng = np.random.default_rng(0)
    rows, lines = [], []
    for index in range(num_images):
        labels = np.flatnonzero(rng.random(5) < [0.6, 0.4, 0.3, 0.2, 0.1]).tolist()
        # The order of the names is not that of the file.
        name = f'COCO_train2014_{(index * 37) % 101:012d}.jpg'
        rows.append(dict(img_path=name, gt_label=labels))
        lines.append(f'{name},{labels[0] if labels else ""}')
    content = dict(metainfo=dict(classes=CLASSES), data_list=rows)
    (folder / 'train.json').write_text(json.dumps(content))
    (folder / 'list.txt').write_text('\n'.join(lines) + '\n')
    return folder / 'train.json'


def options_of(name: str, folder: Path) -> dict:
    """Options of a protocol, with the folder filled in."""
    return {
        key: value.format(folder=folder) if isinstance(value, str) else value
        for key, value in OPTIONS[name].items()
    }
