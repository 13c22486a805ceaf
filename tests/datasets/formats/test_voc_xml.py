"""VOC's XML files."""

import pytest

from mmscpnet.datasets.formats import read_voc_folder, voc_class_names

CLASSES = ['bird', 'cat', 'person']


def write(folder, stem, *objects):
    """Objects are (name, difficult); None leaves the flag out."""
    text = ''.join(
        f'<object><name>{name}</name>'
        + ('' if flag is None else f'<difficult>{flag}</difficult>')
        + '<bndbox><xmin>1</xmin></bndbox>'
        # A part has a name that is no label.
        + '<part><name>head</name></part></object>'
        for name, flag in objects
    )
    (folder / f'{stem}.xml').write_text(
        f'<annotation>\n<filename>{stem}.jpg</filename>\n{text}\n</annotation>\n'
    )


@pytest.fixture
def folder(tmp_path):
    write(tmp_path, '000012', ('cat', 1), ('cat', 0), ('person', 1))
    write(tmp_path, '000007', ('bird', None))
    write(tmp_path, '000009')
    return tmp_path


@pytest.mark.parametrize(
    ('difficult', 'expected'),
    [
        ('negative', ('000012.jpg', [1], [])),
        ('positive', ('000012.jpg', [1, 2], [])),
        ('ignore', ('000012.jpg', [1], [0])),
    ],
)
def test_difficult(folder, difficult, expected):
    records = list(read_voc_folder(folder, CLASSES, difficult))
    assert [record.img_path for record in records] == [
        '000007.jpg',
        '000009.jpg',
        '000012.jpg',
    ]
    assert records[2] == expected
    if difficult == 'ignore':
        assert records[0] == ('000007.jpg', [0], [1, 2])
        assert records[1] == ('000009.jpg', [], [0, 1, 2])


def test_given_order_and_names_of_the_data(folder):
    records = read_voc_folder(folder, CLASSES, stems=['000012', '000007'])
    assert [record.img_path for record in records] == ['000012.jpg', '000007.jpg']
    assert voc_class_names(folder) == CLASSES


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('<annotation>\n<object>', r'a\.xml:2: not XML'),
        ('<annotation/>', r'a\.xml: there is no <filename>'),
        (
            '<annotation><filename>a.jpg</filename><object/></annotation>',
            'object 1 has no <name>',
        ),
        (
            '<annotation><filename>a.jpg</filename><object><name>cat</name>'
            '<difficult>x</difficult></object></annotation>',
            r"object 1 \(cat\): <difficult> must be 0 or 1, found 'x'",
        ),
        (
            '<annotation><filename>a.jpg</filename><object><name>cow</name>'
            '</object></annotation>',
            "a.xml: object 1 is 'cow', which is not among the 3 classes",
        ),
    ],
)
def test_malformed(tmp_path, text, message):
    (tmp_path / 'a.xml').write_text(text)
    with pytest.raises(ValueError, match=message):
        list(read_voc_folder(tmp_path, CLASSES))


def test_missing(folder, tmp_path):
    with pytest.raises(FileNotFoundError, match=r'absent\.xml'):
        list(read_voc_folder(folder, CLASSES, stems=['absent']))
    with pytest.raises(FileNotFoundError, match='no folder'):
        list(read_voc_folder(tmp_path / 'none', CLASSES))
    (tmp_path / 'empty').mkdir()
    with pytest.raises(FileNotFoundError, match='no XML file'):
        list(read_voc_folder(tmp_path / 'empty', CLASSES))
    with pytest.raises(ValueError, match='difficult must be one of'):
        list(read_voc_folder(folder, CLASSES, 'maybe'))
