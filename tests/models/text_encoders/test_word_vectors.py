"""Word vectors from hand-written files."""

import numpy as np
import pytest
import torch

from mmscpnet.models.text_encoders import WordVectors
from mmscpnet.registry import MODELS
from tests.shared import shared_file

GLOVE = """the 0 0 0
fire 1 2 3
hydrant 3 0 -1
cat 0.5 -0.5 1e-1
cat 9 9 9
a . b 7 7 7
t-shirt 4 4 4
Cat 8 8 8
"""


@pytest.fixture
def glove(tmp_path):
    path = tmp_path / 'glove.txt'
    path.write_text(GLOVE)
    return str(path)


def test_words_and_averages(glove):
    vectors = MODELS.build(dict(type='WordVectors', file=glove))
    assert vectors.embed_dims == 3 and not vectors.supports_prompts
    texts = ['cat', 'fire hydrant', 'fire-hydrant', 'Fire_Hydrant', ' CAT ', 't-shirt']
    out = vectors.encode(texts)
    assert out.dtype == torch.float32
    both = [2, 1, 1]
    cat = [0.5, -0.5, 0.1]
    expected = torch.tensor([cat, both, both, both, cat, [4, 4, 4]])
    torch.testing.assert_close(out, expected)


def test_cased(glove):
    out = WordVectors(glove, lowercase=False).encode(['Cat', 'cat'])
    torch.testing.assert_close(out, torch.tensor([[8, 8, 8], [0.5, -0.5, 0.1]]))


def test_only_needed_words_are_kept(glove):
    vectors = WordVectors(glove)
    vectors.encode(['cat'])
    assert set(vectors._found) == {'cat'}
    vectors.encode(['fire', 'cat'])
    assert set(vectors._found) == {'cat', 'fire'}


def test_word2vec_header_and_trailing_spaces(tmp_path):
    (tmp_path / 'w.txt').write_text('2 2\ndog 1 2 \ncat 3 4 \n\n')
    vectors = WordVectors(str(tmp_path / 'w.txt'))
    assert vectors.embed_dims == 2
    assert vectors.encode(['cat', 'dog']).tolist() == [[3, 4], [1, 2]]


def test_missing_words_name_the_label(glove):
    with pytest.raises(ValueError, match="'fire engine'.*glove.txt lacks.*engine"):
        WordVectors(glove).encode(['cat', 'fire engine'])
    with pytest.raises(ValueError, match="the label '-' has no vector"):
        WordVectors(glove).encode(['-'])


@pytest.mark.parametrize(
    'line', ['dog 1 2', 'dog 1 x 3', 'dog 1 nan 3', 'short'], ids=str
)
def test_malformed_lines_are_numbered(line, tmp_path):
    path = tmp_path / 'bad.txt'
    path.write_text(f'cat 1 2 3\n{line}\nend 1 2 3\n')
    with pytest.raises(ValueError, match='bad.txt, line 2: expected a word and 3'):
        WordVectors(str(path)).encode(['dog', 'end'])


def test_empty_or_wrong_file(tmp_path):
    (tmp_path / 'e.txt').write_text('')
    with pytest.raises(ValueError, match='e.txt, line 1'):
        WordVectors(str(tmp_path / 'e.txt'))
    with pytest.raises(FileNotFoundError, match='gone.txt'):
        WordVectors(str(tmp_path / 'gone.txt'))


@pytest.mark.parametrize('as_file', [True, False])
def test_array_with_names(as_file, tmp_path):
    np.save(tmp_path / 'v.npy', np.arange(6, dtype=np.float16).reshape(3, 2))
    names = ['traffic light', 'Light', 'traffic']
    if as_file:
        (tmp_path / 'n.txt').write_text('\n'.join(names) + '\n')
        names = str(tmp_path / 'n.txt')
    vectors = WordVectors(str(tmp_path / 'v.npy'), names=names)
    # The whole name comes before the average of its words.
    out = vectors.encode(['traffic light', 'light traffic'])
    assert out.tolist() == [[0, 1], [3, 4]]


def test_array_errors(tmp_path, glove):
    np.save(tmp_path / 'v.npy', np.zeros((3, 2)))
    path = str(tmp_path / 'v.npy')
    with pytest.raises(ValueError, match='names is for .npy'):
        WordVectors(path)
    with pytest.raises(ValueError, match='names is for .npy'):
        WordVectors(glove, names=['a'])
    with pytest.raises(ValueError, match=r'\(2, D\) array.*\(3, 2\)'):
        WordVectors(path, names=['a', 'b'])
    with pytest.raises(FileNotFoundError, match='names.*gone'):
        WordVectors(path, names=str(tmp_path / 'gone.txt'))


def test_glove_of_the_coco_classes():
    """Each name of COCO finds the row that was averaged for it."""
    path = shared_file('data/label_features/glove300_coco.npy')
    rows = torch.from_numpy(np.load(path)).float()
    names = [f'name {i}' for i in range(80)]
    out = WordVectors(str(path), names=names).encode(names[::-1])
    assert torch.equal(out, rows.flip(0))
