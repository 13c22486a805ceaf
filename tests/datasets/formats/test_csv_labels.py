"""CSV files of users."""

import pytest

from mmscpnet.datasets.formats.csv_labels import read_csv


def write(tmp_path, text, encoding='utf-8'):
    path = tmp_path / 'a.csv'
    path.write_bytes(text.encode(encoding))
    return path


def test_a_column_a_class(tmp_path):
    text = 'cat,file,"big, dog"\n1, a.jpg ,0\n\n,b.jpg,1.0\r\n-1,"c,d.jpg",\n'
    path = write(tmp_path, text, 'utf-8-sig')
    table = read_csv(path, image_column='file')
    assert table.classes == ['cat', 'big, dog']
    assert table.rows == [
        (f'{path}:2', 'a.jpg', ['cat'], ['big, dog']),
        (f'{path}:4', 'b.jpg', ['big, dog'], []),
        (f'{path}:5', 'c,d.jpg', [], []),
    ]


def test_a_column_with_names(tmp_path):
    path = write(tmp_path, 'id\tfile\ttags\n1\ta.jpg\tcat; big dog;\n2\tb.jpg\t\n')
    table = read_csv(
        path, delimiter='\t', image_column='file', labels_column='tags', separator=';'
    )
    assert table.classes is None
    assert table.rows == [
        (f'{path}:2', 'a.jpg', ['cat', 'big dog'], ()),
        (f'{path}:3', 'b.jpg', [], ()),
    ]


@pytest.mark.parametrize(
    ('text', 'options', 'message'),
    [
        ('', {}, r'a\.csv: the file is empty'),
        ('file\na.jpg\n', {}, 'beside the image there is no column'),
        ('file,x,x\n', {}, r"a\.csv:1: column 'x' occurs twice"),
        ('file,x,\na.jpg,1,\n', {}, r'a\.csv: column 3 has no name'),
        ('file,x\na.jpg,2\n', {}, r"a\.csv:2: column 'x' must be 1, 0 .*found '2'"),
        (
            'file,x\na.jpg,1\nb.jpg,1,0\n',
            {},
            r'a\.csv:3: 3 fields, but the header has 2',
        ),
        ('file,x\n', dict(labels_column='y'), r"a\.csv:1: there is no column 'y'"),
        ('file,x\n', dict(image_column='y'), r"a\.csv:1: there is no column 'y'"),
    ],
)
def test_malformed(tmp_path, text, options, message):
    with pytest.raises(ValueError, match=message):
        read_csv(write(tmp_path, text), **options)


def test_other_encodings_and_missing_files(tmp_path):
    path = write(tmp_path, 'file,größe\na.jpg,1\n', 'latin-1')
    with pytest.raises(ValueError, match=r'a\.csv, after line .*not UTF-8'):
        read_csv(path)
    with pytest.raises(FileNotFoundError, match='there is no file at'):
        read_csv(tmp_path / 'none.csv')
