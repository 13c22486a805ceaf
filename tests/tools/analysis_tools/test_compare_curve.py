import json

import pytest

from mmscpnet.benchmarks.curves import published_curve
from tests.shared import shared_file

CURVE = [(0, 40.0, 30.0), (1, 50.0, 60.5), (2, 55.0, 60.0)]


@pytest.fixture
def compare(tool, tmp_path):
    """Compare a run of given validations with the curve above."""
    curves = tmp_path / 'curves.json'
    points = [dict(epoch=e, regular=p, ema=a) for e, p, a in CURVE]
    curves.write_text(json.dumps(dict(coco=dict(curve=points))))
    main = tool('analysis_tools/compare_curve.py').main

    def run(lines, *options, parts=1):
        for part in range(parts):
            log = tmp_path / 'run' / f'2025010{part}_000000' / 'vis_data'
            log.mkdir(parents=True, exist_ok=True)
            own = [json.dumps(line) for line in lines[part::parts]]
            (log / 'scalars.json').write_text('\n'.join(own))
        return main([str(tmp_path / 'run'), str(curves), 'coco', *options])

    return run


def entry(step, plain, ema):
    return {
        'step': step,
        'multi-label/mAP': max(plain, ema),
        'multi-label/mAP_plain': plain,
        'multi-label/mAP_ema': ema,
    }


TRAIN_LINE = dict(loss=3.0, step=1)
TEST_LINE = {'multi-label/mAP': 99.0}


@pytest.mark.parametrize('best, code', [(60.1, 0), (59.9, 1), (70.0, 0)])
def test_verdict(compare, tmp_path, capsys, best, code):
    lines = [TRAIN_LINE, entry(1, 40, 20), entry(2, 50, best), entry(3, 1, 2)]
    assert compare([*lines, TEST_LINE]) == code
    out = capsys.readouterr().out
    assert f'{"PASS" if code == 0 else "FAIL"}: best {best:.2f}, published 60.50' in out
    assert (tmp_path / 'run' / 'compare_coco.png').stat().st_size
    with pytest.raises(ValueError, match='exists: give --overwrite'):
        compare(lines)
    assert compare(lines, '--overwrite', '--target', '70.2') == (best < 69.7)


def test_unfinished_and_resumed(compare, capsys):
    """The lines of a resumed run lie in two folders."""
    assert compare([entry(1, 40, 20), entry(2, 50, 55)], parts=2) == 1
    assert 'FAIL so far, at epoch 2 of 3: best 55.00' in capsys.readouterr().out


def test_run_without_average(compare, capsys):
    lines = [{'step': e, 'multi-label/mAP': 60.0 + e} for e in (1, 2, 3)]
    assert compare(lines) == 0
    assert 'best 63.00' in capsys.readouterr().out


def test_bad_input(compare, tmp_path):
    with pytest.raises(ValueError, match='not the work folder of a run'):
        compare([TRAIN_LINE])
    curves = tmp_path / 'curves.json'
    with pytest.raises(ValueError, match=r"no curve 'voc'; it has \['coco'\]"):
        published_curve(curves, 'voc')
    curves.write_text('{"coco": {"curve": [{"epoch": 1}]}}')
    with pytest.raises(ValueError, match='KeyError: .regular'):
        published_curve(curves, 'coco')
    with pytest.raises(FileNotFoundError, match='none.json'):
        published_curve(tmp_path / 'none.json', 'coco')


def test_published_logs():
    """Their best figures are those of the paper's Table 3."""
    path = shared_file('reference/scpnet_curves.json')
    published = dict(coco=76.42, voc=91.16, nuswide=62.04, cub=25.71)
    assert {n: published_curve(path, n).best[0] for n in published} == published
