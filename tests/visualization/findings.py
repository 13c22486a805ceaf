"""A small completion that is made up, for tests of what shows it."""

import numpy as np
from PIL import Image

from mmscpnet.apis.completion import Completion, Finding
from mmscpnet.apis.evidence import Evidence, Neighbor
from mmscpnet.datasets.formats.provenance import read_traced_labels

# Names that break pages and tables that are careless.
CLASSES = ['</script><script>bad()</script>', 'b, "c"', '猫 & <b>', "it's | {{style}}"]


def make_completion(folder, count=3, calibrated=True):
    """Labels, completion and photos: each image has a known label and two proposals.

    The last photo cannot be read. Label 0 of image 0 is disputed.
    """
    import json

    rows = []
    for i in range(count):
        name = f'p<i>&"{i}.png' if i < count - 1 else 'broken\\photo.png'
        Image.new('RGB', (90, 60), (40 * i % 256, 90, 160)).save(folder / f'{i}.png')
        rows.append(dict(img_path=name, gt_label=[i % 4]))
    (folder / f'{count - 1}.png').write_bytes(b'no photo')
    content = dict(metainfo=dict(classes=CLASSES, unlisted='unknown'), data_list=rows)
    path = folder / 'ann.json'
    path.write_text(json.dumps(content), encoding='utf-8')
    labels = read_traced_labels(path)
    rng = np.random.default_rng(0)
    scores = rng.uniform(0.5, 0.99, (count, 4)).astype(np.float32)
    confidence = scores.astype(np.float64) * 0.9 if calibrated else None
    positives = np.zeros((count, 4), dtype=bool)
    for i in range(count):
        positives[i, [(i + 1) % 4, (i + 2) % 4]] = True
    proposals = [
        Finding(
            i,
            c,
            -1,
            float(scores[i, c]),
            float(confidence[i, c]) if calibrated else None,
            Evidence(0.25, -0.5, (Neighbor(i % 4, 0.125, 0.375),)),
        )
        for i, c in np.argwhere(positives).tolist()
    ]
    doubted = Finding(0, 0, 1, 0.01, 0.005 if calibrated else None, Evidence())
    scores[0, 0] = 0.01
    if calibrated:
        confidence[0, 0] = 0.005
    completion = Completion(
        scores,
        confidence,
        positives,
        np.zeros_like(positives),
        proposals,
        [doubted],
        {},
    )
    return labels, completion, [str(folder / f'{i}.png') for i in range(count)]
