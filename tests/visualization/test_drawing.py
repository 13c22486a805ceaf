"""Text, tiles and figures. Files of sheets: see the sheets' own tests."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmscpnet.visualization.drawing import font_of, photo_tile, save_figure, wrap_text


def test_text_is_wrapped_within_the_width():
    font = font_of(14)
    text = 'a pair of very long class names joined together'
    lines = wrap_text(text, font, 120, max_lines=9)
    assert ' '.join(lines) == text and len(lines) > 2
    assert all(font.getlength(line) <= 120 for line in lines)
    word = 'Donaudampfschifffahrtsgesellschaft'
    pieces = wrap_text(word, font, 90, max_lines=9)
    assert ''.join(pieces) == word and len(pieces) > 2
    cut = wrap_text(text, font, 120, max_lines=2)
    assert cut[0] == lines[0] and len(cut) == 2 and cut[1].endswith('\u2026')
    assert all(font.getlength(line) <= 120 for line in cut)
    assert wrap_text('', font, 120) == ['']


def test_tiles_show_photos_as_the_model_sees_them(tmp_path):
    """16 bits are scaled, and what cannot be decoded is a grey tile."""
    grey = np.full((40, 40), 100 * 257, np.uint16)
    Image.fromarray(grey).save(tmp_path / 'a.png')
    tile = np.asarray(photo_tile(tmp_path / 'a.png', 40))
    assert (tile == 100).all()
    (tmp_path / 'b.jpg').write_bytes((tmp_path / 'a.png').read_bytes()[:60])
    assert np.asarray(photo_tile(tmp_path / 'b.jpg', 40))[0, 0].tolist() == [205] * 3


@pytest.mark.parametrize('suffix', ['png', 'svg'])
def test_a_figure_is_written_whole_or_not_at_all(tmp_path, monkeypatch, suffix):
    import matplotlib

    matplotlib.use('Agg')
    import matplotlib.pyplot as plt

    path = tmp_path / 'new' / f'a.{suffix}'
    save_figure(plt.figure(), path)
    before = path.read_bytes()
    assert before[:4] == (b'\x89PNG' if suffix == 'png' else b'<?xm')

    figure = plt.figure()

    def fail(file, **options):
        Path(file).write_text('half')
        raise OSError('disk full')

    monkeypatch.setattr(figure, 'savefig', fail)
    with pytest.raises(OSError, match='disk full'):
        save_figure(figure, path)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    assert not plt.get_fignums()
