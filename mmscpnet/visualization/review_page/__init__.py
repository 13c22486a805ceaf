"""One self-contained page to review proposals in a browser: no server, no network."""

import base64
import hashlib
import html
import io
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.special import expit

from mmscpnet.apis.completion import Completion, Finding
from mmscpnet.datasets.formats.provenance import TracedLabels
from mmscpnet.datasets.photos import decode_photo

FOLDER = Path(__file__).parent
SIDE, QUALITY = 400, 78


def write_review_page(
    labels: TracedLabels,
    completion: Completion,
    photos: Sequence[str],
    path: Path,
    title: str,
    max_photos: int = 1000,
) -> dict:
    """Write the page.

    Photos are embedded as small JPEGs, those of the most probable findings, one after
    the other: no more than one is in memory.

    Args:
        labels: of the annotation file.
        completion: of these.
        photos: paths of the N photos.
        path: HTML file to write.
        title: of the page.
        max_photos: photos on it.

    Returns:
        dict: How many ``photos`` and ``items`` are not on the page.

    Raises:
        ValueError: an image is listed twice, so that decisions would not be clear.
    """
    if len(set(labels.images)) < len(labels.images):
        seen: set[str] = set()
        twice = next(i for i in labels.images if i in seen or seen.add(i))
        raise ValueError(
            f'a page for the review names photos by their file, and {twice!r} is '
            'listed twice in the annotation file'
        )
    of_photo = _by_photo(completion)
    shown = list(of_photo)[:max_photos]
    left_out = dict(
        photos=len(of_photo) - len(shown),
        items=sum(len(of_photo[i]) for i in list(of_photo)[max_photos:]),
    )
    head = dict(
        title=title,
        classes=list(labels.classes),
        calibrated=completion.confidence is not None,
        leftOut=left_out,
    )
    entries = [
        dict(
            name=labels.images[i],
            known=np.flatnonzero(labels.states[i] == 1).tolist(),
            items=[_item(finding) for finding in of_photo[i]],
        )
        for i in shown
    ]
    # Decisions that a browser has kept belong to these very proposals.
    content = json.dumps([head, entries], sort_keys=True).encode()
    head['id'] = hashlib.sha256(content).hexdigest()[:16]
    template = (FOLDER / 'page.html').read_text(encoding='utf-8')
    parts = {
        '{{style}}': (FOLDER / 'page.css').read_text(encoding='utf-8'),
        '{{script}}': (FOLDER / 'page.js').read_text(encoding='utf-8'),
        # Last: it may hold anything.
        '{{title}}': html.escape(title),
    }
    before, after = template.split('{{data}}')
    for mark, text in parts.items():
        before, after = before.replace(mark, text), after.replace(mark, text)
    with open(path, 'w', encoding='utf-8', newline='\n') as file:
        file.write(before)
        file.write(
            f'<script type="application/json" id="data">{_json(head)}</script>\n'
        )
        # An element a photo, so that a browser parses those only that are looked at.
        for position, index in enumerate(shown):
            file.write(
                f'<script type="application/json" id="photo-{position}">'
                f'{_json(embedded_photo(photos[index]))}</script>\n'
            )
        file.write(
            f'<script type="application/json" id="photos">{_json(entries)}</script>\n'
        )
        file.write(after)
    return left_out


def _by_photo(completion: Completion) -> dict[int, list[Finding]]:
    """Findings by photo; the most certain first, photos too."""
    found = [*completion.proposals, *completion.disputed]
    found.sort(key=lambda f: -abs(max(f.state, 0) - f.probability))
    photos: dict[int, list[Finding]] = {}
    for finding in found:
        photos.setdefault(finding.image, []).append(finding)
    return photos


def _item(finding: Finding) -> dict:
    """What the page shows of a finding: probabilities in [0, 1], not logits."""
    evidence = finding.evidence
    alone = evidence.prompt_logit
    return dict(
        label=finding.label,
        state=finding.state,
        score=round(finding.score, 4),
        confidence=_rounded(finding.confidence),
        alone=None if alone is None else round(float(expit(alone)), 4),
        cosine=_rounded(evidence.cosine),
        neighbors=[
            [n.label, _rounded(n.weight), _rounded(n.effect)]
            for n in evidence.neighbors
        ],
    )


def _rounded(value):
    return None if value is None else round(value, 4)


def embedded_photo(path: str) -> str:
    """A photo as the address of a small JPEG, empty if it cannot be read."""
    try:
        # As the model saw it: upright, transparent parts on white.
        pixels = decode_photo(Path(path).read_bytes())
    except (OSError, ValueError):
        return ''
    photo = Image.fromarray(np.ascontiguousarray(pixels[..., ::-1]))
    photo.thumbnail((SIDE, SIDE))
    buffer = io.BytesIO()
    photo.save(buffer, 'JPEG', quality=QUALITY, optimize=True)
    return 'data:image/jpeg;base64,' + base64.b64encode(buffer.getvalue()).decode()


def _json(value) -> str:
    """JSON that no label or file name can end early."""
    text = json.dumps(value, separators=(',', ':'), allow_nan=False)
    return text.replace('<', '\\u003c').replace('>', '\\u003e').replace('&', '\\u0026')
