"""Open Images' verified labels, and the sorting of long files."""

import numpy as np
import pytest

from mmscpnet.datasets.formats.external_sort import sorted_lines
from mmscpnet.datasets.formats.open_images_csv import (
    OpenImagesLabels,
    read_class_descriptions,
    read_label_choice,
)

HEADER = 'ImageID,Source,LabelName,Confidence\n'
INDEX = {'/m/a': 0, '/m/b': 1, '/m/c': 2}


def read(*rows, conflicts='unknown', header=HEADER):
    lines = [header] + [f'{row}\n' for row in rows]
    labels = OpenImagesLabels(lines, INDEX, 'rows.csv', conflicts)
    return list(labels), labels.rows


def test_images_of_a_file():
    records, rows = read(
        '01,verification,/m/b,1',
        '01,verification,/m/a,0',
        '02,verification,/m/x,1',
        '03,crowdsource-verification,/m/c,0',
        '03,verification,/m/c,0.0',
        '03,verification,/m/x,1.0',
    )
    assert records == [('01.jpg', [1], [0]), ('03.jpg', [], [2])]
    assert rows == dict(
        positive_rows=3,
        negative_rows=3,
        rows_of_other_labels=2,
        images_of_other_labels=1,
        contradictions=0,
    )


def test_no_row_and_a_last_image_of_other_labels():
    assert read()[0] == []
    records, rows = read('01,verification,/m/x,0')
    assert records == [] and rows['images_of_other_labels'] == 1


def test_contradictions():
    rows = ['01,v,/m/a,1', '01,w,/m/a,0', '01,w,/m/a,1', '01,v,/m/b,1']
    records, counts = read(*rows)
    assert records == [('01.jpg', [1], [])]
    assert counts['contradictions'] == 1
    with pytest.raises(ValueError, match=r'rows\.csv:3: image 01 has label /m/a both'):
        read(*rows, conflicts='error')
    with pytest.raises(ValueError, match='conflicts must be one of'):
        read(conflicts='positive')


def test_images_out_of_order_are_fine_but_not_torn_apart():
    records, _ = read('02,v,/m/a,1', '01,v,/m/a,1')
    assert [record.img_path for record in records] == ['02.jpg', '01.jpg']
    with pytest.raises(ValueError, match='do not stand together.*--sort'):
        read('02,v,/m/a,1', '01,v,/m/a,1', '02,v,/m/b,1')


@pytest.mark.parametrize(
    ('row', 'message'),
    [
        ('01,v,/m/a', r'rows\.csv:2: expected ImageID'),
        ('01,v,/m/a,0.8', r"rows\.csv:2: Confidence must be 1 .*found '0\.8'"),
    ],
)
def test_malformed(row, message):
    with pytest.raises(ValueError, match=message):
        read(row)


def test_wrong_header():
    with pytest.raises(ValueError, match=r'rows\.csv:1: expected the header'):
        read(header='ImageID,LabelName\n')
    with pytest.raises(ValueError, match='expected the header'):
        list(OpenImagesLabels([], INDEX, 'rows.csv'))


def test_class_descriptions(tmp_path):
    path = tmp_path / 'class-descriptions.csv'
    path.write_text(
        'LabelName,DisplayName\n/m/1,"Bat, animal"\n/m/2,Jaguar\n/g/3,Jaguar\n'
    )
    assert read_class_descriptions(path) == {
        '/m/1': 'Bat, animal',
        '/m/2': 'Jaguar (/m/2)',
        '/g/3': 'Jaguar (/g/3)',
    }
    assert read_label_choice(path) == ['/m/1', '/m/2', '/g/3']
    # Earlier versions have no header.
    path.write_text('/m/1,Bat\n')
    assert read_class_descriptions(path) == {'/m/1': 'Bat'}


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('/m/1\n', r'c\.csv:1: expected "label,name"'),
        ('/m/1,Bat\n/m/1,Cat\n', r'label /m/1 occurs twice'),
        ('/m/1,Bat\nBat,/m/1\n', r"c\.csv:2: 'Bat' is not a label"),
        ('id,name\n', 'describes no label'),
    ],
)
def test_malformed_descriptions(tmp_path, text, message):
    path = tmp_path / 'c.csv'
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_class_descriptions(path)
    with pytest.raises(FileNotFoundError):
        read_label_choice(tmp_path / 'none.csv')


@pytest.mark.parametrize('lines_in_memory', [1, 7, 1000])
def test_sorting_in_portions(lines_in_memory):
    numbers = np.random.default_rng(0).integers(0, 50, 100)
    lines = [f'{number:03d}\n' for number in numbers]
    found = sorted_lines(lines[:-1] + [lines[-1].rstrip()], lines_in_memory)
    assert list(found) == sorted(lines)
    assert list(sorted_lines([])) == []
