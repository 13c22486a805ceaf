"""Text of the picture sheets. Tiles and files: see the sheets' own tests."""

from mmscpnet.visualization.drawing import font_of, wrap_text


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
