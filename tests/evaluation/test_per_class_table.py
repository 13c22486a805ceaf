import pytest

from mmscpnet.evaluation import format_per_class_table


def rows(count, name='label {}'):
    return [
        dict(
            name=name.format(i),
            AP=None if i == 1 else 100.0 if i == 0 else i / 10,
            num_positive=i,
            num_known=100000 + i,
            precision=12.34,
            recall=100.0,
            f1=0.0,
        )
        for i in range(count)
    ]


@pytest.mark.parametrize('width', [80, 120, 200])
@pytest.mark.parametrize('count', [1, 2, 20, 81, 312])
def test_every_class_is_whole_and_within_the_width(count, width):
    lines = format_per_class_table(rows(count), 'Title', width).splitlines()
    assert lines[0] == 'Title'
    assert max(len(line) for line in lines) <= width
    text = '\n'.join(lines) + '\n'
    for row in rows(count):
        assert text.count(f'{row["name"]} ') == 1
        assert text.count(f'{row["num_known"]} ') == 1
    assert text.count('12.3 ') >= count
    if count == 312:
        # side by side where there is room
        assert len(lines) < (330 if width < 130 else 170)


def test_values_in_the_row_of_their_class():
    lines = format_per_class_table(rows(3), width=80).splitlines()
    cells = [line.split() for line in lines]
    assert cells[0] == ['class', 'AP', 'pos', 'known', 'P', 'R', 'F1']
    first = next(line for line in cells if line[:2] == ['label', '0'])
    assert first == ['label', '0', '100.0', '0', '100000', '12.3', '100.0', '0.0']
    second = next(line for line in cells if line[:2] == ['label', '1'])
    assert second[2] == '-'


def test_order_runs_down_the_first_block():
    text = format_per_class_table(rows(60), width=200)
    line = next(line for line in text.splitlines() if 'label 0 ' in line)
    assert 'label 1 ' not in line and 'label 20 ' in line or 'label 30 ' in line


def test_names_are_not_markup_and_long_ones_are_cut():
    text = format_per_class_table(rows(1, '[red]{}[/red] \\['), width=80)
    assert '[red]0[/red] \\[' in text
    long = format_per_class_table(rows(1, 'x' * 90), width=80)
    assert 'x' * 25 not in long and 'x' * 20 in long
