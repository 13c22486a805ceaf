from mmscpnet.visualization.markdown import markdown_table


def test_table():
    text = markdown_table(['name', 'n'], [['a|b', 1], ['c\nd', '22']])
    assert text.splitlines() == [
        '| name | n |',
        '| --- | ---: |',
        '| a\\|b | 1 |',
        '| c d | 22 |',
    ]
    assert '| ---: | --- |' in markdown_table(['n', 'name'], [], 'rl')
