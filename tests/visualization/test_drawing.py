"""Text and tiles of the picture sheets. Files: see the sheets' own tests."""

import numpy as np
from PIL import Image

from mmscpnet.visualization.drawing import font_of, photo_tile, wrap_text


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
