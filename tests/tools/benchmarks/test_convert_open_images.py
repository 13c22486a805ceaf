"""``tools/benchmarks/convert_open_images.py``."""

import pytest


def test_generated_rows_can_be_converted(tool, tmp_path):
    module = tool('benchmarks/convert_open_images.py')
    rows = module.generate(tmp_path, 40, 10, seed=0, shuffle=False)
    path = tmp_path / 'train-annotations-human-imagelabels.csv'
    lines = path.read_text().splitlines()[1:]
    # One to nine rows an image, of different classes.
    assert len(lines) == len({tuple(line.split(',')[::2]) for line in lines}) == rows
    assert len({line[:16] for line in lines}) == 40
    convert = tool('dataset_converters/open_images.py').main
    convert([str(tmp_path), '--version', 'v5', '--splits', 'train'])
    assert (tmp_path / 'multilabel' / 'train.json').is_file()


def test_reports_time_and_memory(tool, monkeypatch, capsys):
    module = tool('benchmarks/convert_open_images.py')
    calls = []

    def measure(command):
        calls.append(command)
        if '--help' in command:
            return module.Usage(1.0, 1.0, 100.0)
        convert = tool('dataset_converters/open_images.py').main
        convert(command[2:])
        return module.Usage(4.0, 3.0, 120.0)

    monkeypatch.setattr(module, 'measure', measure)
    module.main(['--images', '20', '--classes', '12', '--sort'])
    shown = capsys.readouterr().out
    assert '20 images' in shown and '120 MB' in shown and '3.0 s' in shown
    assert '--sort' in calls[1]


def test_a_failing_process_is_an_error(tool):
    module = tool('benchmarks/convert_open_images.py')
    assert module.measure(['true']).memory > 0
    with pytest.raises(RuntimeError, match='failed with status 1'):
        module.measure(['false'])
