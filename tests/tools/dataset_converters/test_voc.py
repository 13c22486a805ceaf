"""``tools/dataset_converters/voc.py``."""

import pytest

from mmscpnet.datasets import VOC2007, read_label_list
from tests.shared import shared_file
from tests.tools.dataset_converters.runs import converted, labels

OBJECT = """
	<object>
		<name>{}</name>
		<pose>Unspecified</pose>
		<truncated>0</truncated>
		<difficult>{}</difficult>
		<bndbox>
			<xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax>
		</bndbox>
	</object>"""


def layout(root, splits):
    """The official folders; ``splits``: objects by image by split."""
    (root / 'Annotations').mkdir(parents=True)
    (root / 'ImageSets' / 'Main').mkdir(parents=True)
    for split, images in splits.items():
        listing = root / 'ImageSets' / 'Main' / f'{split}.txt'
        listing.write_text(''.join(f'{stem}\n' for stem in images))
        for stem, objects in images.items():
            (root / 'Annotations' / f'{stem}.xml').write_text(
                f'<annotation>\n\t<folder>{root.name}</folder>\n'
                f'\t<filename>{stem}.jpg</filename>'
                + ''.join(OBJECT.format(*item) for item in objects)
                + '\n</annotation>\n'
            )
    return root


VOC07 = {
    'trainval': {
        '000005': [('chair', 0), ('chair', 1)],
        '000007': [('car', 0), ('person', 1)],
    },
    'test': {'000001': [('dog', 0), ('person', 0)]},
}


@pytest.mark.parametrize(
    ('options', 'expected'),
    [
        ((), [6]),
        (('--difficult', 'positive'), [6, 14]),
        (
            ('--difficult', 'ignore'),
            ([6], [i for i in range(20) if i not in (6, 14)]),
        ),
    ],
)
def test_voc2007(tool, tmp_path, options, expected):
    root = layout(tmp_path / 'VOC2007', VOC07)
    main = tool('dataset_converters/voc.py').main
    files, manifest = converted(
        main, root, tmp_path / 'out', '--year', '2007', *options
    )
    assert labels(files['trainval'])['000007.jpg'] == expected
    unknown = manifest['splits']['trainval']['unknowns']
    assert unknown == (1 if 'ignore' in options else 0)
    assert manifest['difficult'] == (options[1] if options else 'negative')
    assert len(manifest['inputs']) == 5


def test_voc2012_and_the_dataset(tool, tmp_path):
    main = tool('dataset_converters/voc.py').main
    splits = {
        'train': {'2008_000008': [('horse', 0)]},
        'val': {'2008_000002': [('tvmonitor', 0)]},
    }
    root = layout(tmp_path / 'VOC2012', splits)
    files, _ = converted(main, root, tmp_path / 'out', '--year', '2012')
    assert labels(files['train']) == {'2008_000008.jpg': [12]}
    assert labels(files['val']) == {'2008_000002.jpg': [19]}

    root = layout(tmp_path / 'VOC2007', VOC07)
    main([str(root), '--year', '2007', '--difficult', 'ignore', '--allow-mismatch'])
    dataset = VOC2007(data_root=str(root), split='trainval', pipeline=[])
    assert dataset.get_data_info(1)['img_path'] == f'{root}/JPEGImages/000007.jpg'
    score = dataset.get_data_info(1)['gt_score']
    assert (score[6], score[14], score.sum()) == (1, -1, 0)


def test_missing_annotation(tool, tmp_path):
    root = layout(tmp_path / 'VOC2007', VOC07)
    (root / 'Annotations' / '000007.xml').unlink()
    with pytest.raises(FileNotFoundError, match=r'000007\.xml'):
        tool('dataset_converters/voc.py').main(
            [str(root), '--year', '2007', '--allow-mismatch']
        )
    assert not (root / 'multilabel').exists()


def test_published_counts_are_those_of_the_lists(tool):
    published = tool('dataset_converters/voc.py').PUBLISHED['2012']
    for split, number in published.items():
        path = shared_file(f'data/scpnet_lists/voc_{split}.txt')
        assert len(read_label_list(path)) == number
