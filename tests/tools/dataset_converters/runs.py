"""What every converter must do, whatever it reads."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest


def converted(main, root: Path, out: Path, *args: str) -> tuple[dict, dict]:
    """Run a converter in the ways that all share; its files and its manifest.

    The miniature is not the whole dataset, so without ``--allow-mismatch`` nothing is
    written. With it, two runs give the same bytes, and a third is refused.
    """
    command = [str(root), '--out', str(out), *args]
    with pytest.raises(ValueError, match='counts differ from the published ones'):
        main(command)
    assert not out.exists()
    runs = []
    for _ in range(2):
        main([*command, '--allow-mismatch', '--check'])
        runs.append({path.name: path.read_bytes() for path in out.iterdir()})
        with pytest.raises(ValueError, match='not empty'):
            main([*command, '--allow-mismatch'])
        shutil.rmtree(out)
    assert runs[0] == runs[1]
    files = {
        Path(name).stem: json.loads(content)
        for name, content in runs[0].items()
        if name.endswith('.json')
    }
    manifest = files.pop('manifest')
    assert set(manifest['splits']) == set(files)
    assert manifest['command'][0].startswith('tools/dataset_converters/')
    assert manifest['command'][1:] == [*command, '--allow-mismatch', '--check']
    for name, digest in manifest['inputs'].items():
        assert digest == hashlib.sha256(Path(name).read_bytes()).hexdigest()
    assert manifest['inputs']
    for split, content in files.items():
        assert manifest['splits'][split]['images'] == len(content['data_list'])
    return files, manifest


def labels(content: dict) -> dict:
    """Positives, or positives and negatives where there are any, by image."""
    return {
        row['img_path']: (row['gt_label'], row['negative_label'])
        if 'negative_label' in row
        else row['gt_label']
        for row in content['data_list']
    }
