"""``tools/misc/print_config.py``."""

import pytest
from mmengine.config import Config


def test_prints_and_saves_the_merged_config(tool, config, tmp_path, capsys):
    path = tmp_path / 'new' / 'merged.py'
    arguments = [
        str(config),
        '--cfg-options',
        'train_cfg.max_epochs=7',
        'log_level=[1,2]',
    ]
    main = tool('misc/print_config.py').main
    main([*arguments, '--save-path', str(path)])
    assert 'max_epochs=7' in capsys.readouterr().out
    saved, original = Config.fromfile(path), Config.fromfile(config)
    assert saved.train_cfg.max_epochs == 7 and saved.log_level == [1, 2]
    assert saved.model == original.model

    path.write_text('mine')
    with pytest.raises(ValueError, match='--overwrite'):
        main([*arguments, '--save-path', str(path)])
    assert path.read_text() == 'mine'
    main([*arguments, '--save-path', str(path), '--overwrite'])
    assert 'max_epochs=7' in path.read_text()


def test_missing_config(tool):
    with pytest.raises(FileNotFoundError, match='none.py'):
        tool('misc/print_config.py').main(['none.py'])
