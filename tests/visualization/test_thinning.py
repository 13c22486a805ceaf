"""The picture of labels before and after."""

import numpy as np
import pytest
from PIL import Image

from mmscpnet.visualization import thinning
from mmscpnet.visualization.thinning import STATES, draw_thinning


def statistics(counts, images=100):
    kinds = ('positives', 'negatives', 'unknowns')
    per_class = {f'label {i}': dict(zip(kinds, row)) for i, row in enumerate(counts)}
    totals = dict(zip(kinds, np.sum(counts, axis=0).tolist()))
    return dict(images=images, per_class=per_class, **totals)


def area(path, state):
    pixels = np.asarray(Image.open(path).convert('RGB'))
    wanted = tuple(int(STATES[state][i : i + 2], 16) for i in (1, 3, 5))
    return (pixels == wanted).all(axis=-1).sum()


@pytest.mark.parametrize('after', [(10, 90, 0), (10, 40, 50), (0, 0, 100)])
def test_bars_have_the_size_of_the_shares(tmp_path, after):
    """Half of the bars is before: 10% positive, 90% negative."""
    path = tmp_path / 'a.png'
    draw_thinning(
        statistics([(10, 90, 0)] * 20), statistics([after] * 20), path, 'title'
    )
    negatives, unknowns = area(path, 'negatives'), area(path, 'unknowns')
    whole = negatives / (90 + after[1])
    # The legend has a patch of each state, too, and the edges of bars are blended.
    assert unknowns / whole == pytest.approx(after[2], abs=10)


@pytest.mark.parametrize('classes', [1, 81, 175])
def test_all_classes_have_room(tmp_path, monkeypatch, classes):
    monkeypatch.setattr(thinning, 'MAX_CLASSES', 160)
    path = tmp_path / 'a.png'
    part = statistics([(i, 100 - i % 100, 0) for i in range(classes)])
    draw_thinning(part, part, path, 'title')
    width, height = Image.open(path).size
    shown = min(classes, 160)
    columns = -(-shown // 80)
    assert width == 800 * columns
    assert height >= 20 * shown / columns
