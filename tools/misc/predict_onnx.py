"""Label photos by an exported file, without mmscpnet: predict_onnx.py FILE PHOTO ..."""

import json
import sys

import numpy as np
import onnxruntime
from PIL import Image, ImageOps

session = onnxruntime.InferenceSession(sys.argv[1])
about = json.loads(session.get_modelmeta().custom_metadata_map['mmscpnet'])
for path in sys.argv[2:]:
    photo = ImageOps.exif_transpose(Image.open(path)).convert('RGB')
    for step in about['preprocessing']:
        if len(step) > 1:
            sys.exit(f'{step} is not what this example does: it resizes by Pillow')
        if 'resize' in step:
            photo = photo.resize(step['resize'][::-1], Image.BILINEAR)
        elif 'resize_short' in step:
            side, (width, height) = step['resize_short'], photo.size
            short = min(width, height)
            size = side * width // short, side * height // short
            photo = photo.resize(size, Image.BILINEAR)
        else:
            height, width = step['center_crop']
            left = round((photo.width - width) / 2)
            top = round((photo.height - height) / 2)
            photo = photo.crop((left, top, left + width, top + height))
    image = np.asarray(photo, np.float32).transpose(2, 0, 1)[None]
    scores = session.run(None, {'images': image})[0][0]
    for index in scores.argsort()[::-1][:5]:
        print(f'{path}\t{about["classes"][index]}\t{scores[index]:.6f}')
