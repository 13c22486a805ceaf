"""Damaged photos among those that a run trains and tests on."""

import re

from tests.end_to_end.test_train_resume_test import run
from tests.shrunken_configs import shrink


def test_a_run_leaves_them_out_and_says_so(tmp_path):
    config = shrink('scpnet/scpnet_clip-rn50_1xb128_voc12-spml.py', tmp_path)
    for key in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        config[key].num_workers = 2
        dataset = config[key].dataset
        while 'dataset' in dataset:
            dataset = dataset.dataset
        dataset.bad_photos = 'skip'
    photos = sorted(tmp_path.rglob('3.jpg')) + sorted(tmp_path.rglob('7.jpg'))
    for photo in photos:
        photo.write_bytes(photo.read_bytes()[:-40])
    config.dump(tmp_path / 'config.py')
    output = run('train.py', tmp_path / 'config.py', '--seed', 0)
    skipped = re.findall(r'2 of 10 photos are skipped', output)
    assert len(skipped) >= 2 and 'no measure counts them' in output
    assert all(str(photo.name) in output for photo in photos)
    assert 'multi-label/mAP' in output
