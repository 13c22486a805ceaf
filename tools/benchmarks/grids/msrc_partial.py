_base_ = './corel5k74_partial.py'
title = 'Methods on MSRC, partial labels'
note = (
    'As msrc_methods.py, but each label of a training photo, positive or negative, is '
    "known with the probability in the heading (SARB's draw). Settings are those of "
    'one positive label an image on Corel5k-74; nothing was tuned anew.'
)
_fold = 'dataset.dataset'
_classes = 'data/msrc/classes.txt'
options = {
    'train_dataloader.batch_size': 16,
    'model.head.classes': _classes,
    **{
        f'{place}.{key}': value
        for place, file in [
            (f'train_dataloader.{_fold}', 'train.txt'),
            (f'val_dataloader.{_fold}', 'train.txt'),
            ('test_dataloader.dataset', 'test.txt'),
        ]
        for key, value in [
            ('data_root', 'data/msrc/'),
            ('ann_file', file),
            ('classes', _classes),
        ]
    },
}
