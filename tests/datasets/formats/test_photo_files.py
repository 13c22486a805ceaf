"""Finding and opening photos."""

import pytest
from PIL import Image

from mmscpnet.datasets.formats.photo_files import photos_in, verify_photos


@pytest.fixture
def folder(tmp_path):
    (tmp_path / 'sub').mkdir()
    for name in ('b.jpg', 'sub/a.PNG'):
        Image.new('RGB', (64, 64), 'red').save(tmp_path / name)
    (tmp_path / 'notes.txt').touch()
    return tmp_path


def test_found_photos_open(folder):
    photos = photos_in(folder)
    assert photos == ['b.jpg', 'sub/a.PNG']
    verify_photos([('x:1', folder / photo) for photo in photos])
    with pytest.raises(FileNotFoundError, match='no folder of photos at'):
        photos_in(folder / 'none')


def test_all_complaints_come_at_once(folder):
    whole = (folder / 'b.jpg').read_bytes()
    (folder / 'cut.jpg').write_bytes(whole[: len(whole) - 40])
    (folder / 'text.jpg').write_text('hello')
    names = ['b.jpg', 'cut.jpg', 'text.jpg', 'none.jpg']
    with pytest.raises(ValueError, match='3 of 4 photos') as error:
        verify_photos([(f'x:{i}', folder / n) for i, n in enumerate(names)], threads=2)
    message = str(error.value)
    for part in (
        'x:1: ',
        'cut.jpg does not open',
        'x:2: ',
        'x:3: there is no photo at',
    ):
        assert part in message
    assert 'x:0' not in message


def test_many_complaints_are_counted(folder):
    missing = [(f'x:{i}', folder / f'{i}.jpg') for i in range(25)]
    with pytest.raises(ValueError, match=r'25 of 25 photos(.|\n)*and 15 more'):
        verify_photos(missing)
