"""The page for the review: what is written, and what it does in a real browser."""

import base64
import io
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from mmscpnet.datasets.formats.provenance import read_traced_labels
from mmscpnet.datasets.formats.review import read_decisions
from mmscpnet.visualization.review_page import write_review_page
from tests.browser import press, saved, start_chromium

from .findings import CLASSES, make_completion

TITLE = '</title><script>bad()</script>{{data}}'


class Page(HTMLParser):
    """Texts of the elements that have an id, and all tags."""

    def __init__(self, text):
        super().__init__()
        self.texts, self.tags, self.open = {}, [], None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.open = dict(attrs).get('id')

    def handle_data(self, data):
        if self.open:
            self.texts[self.open] = data
        self.open = None


def write(folder, count=3, max_photos=1000, title=TITLE, **options):
    labels, completion, photos = make_completion(folder, count, **options)
    path = folder / 'page.html'
    left = write_review_page(labels, completion, photos, path, title, max_photos)
    return path, completion, left


def test_everything_is_in_it_and_nothing_breaks_out(tmp_path):
    path, completion, left = write(tmp_path)
    assert left == dict(photos=0, items=0)
    text = path.read_text(encoding='utf-8')
    page = Page(text)
    scripts = [a for tag, a in page.tags if tag == 'script']
    # The data, the photos, their three pictures, and the program.
    assert len(scripts) == 6 and text.count('bad()') == 4
    assert not any('src' in a or 'href' in a for _, a in page.tags)
    assert 'http' not in re.sub('http-equiv', '', text)
    assert page.texts['title'] == TITLE
    data, photos = (json.loads(page.texts[name]) for name in ('data', 'photos'))
    assert data['classes'] == CLASSES and data['title'] == TITLE and data['calibrated']
    assert sum(len(photo['items']) for photo in photos) == 7
    first = photos[0]
    # The surest first: the dispute of image 0.
    assert first['name'] == 'p<i>&"0.png' and first['known'] == [0]
    assert first['items'][0]['state'] == 1 and first['items'][0]['confidence'] == 0.005
    item = first['items'][1]
    finding = next(f for f in completion.proposals if f.image == 0)
    assert item['alone'] == pytest.approx(1 / (1 + np.exp(0.5)), abs=1e-4)
    assert item['neighbors'] == [[0, 0.125, 0.375]] and item['cosine'] == 0.25
    assert {i['label'] for i in first['items']} == {0, finding.label, 2}
    for position, photo in enumerate(photos):
        source = json.loads(page.texts[f'photo-{position}'])
        if photo['name'] == 'broken\\photo.png':
            assert source == ''
            continue
        content = base64.b64decode(source.removeprefix('data:image/jpeg;base64,'))
        with Image.open(io.BytesIO(content)) as picture:
            assert picture.format == 'JPEG' and picture.size == (90, 60)


def test_limit_of_photos_and_same_names(tmp_path):
    path, completion, left = write(tmp_path, 5, max_photos=2, calibrated=False)
    assert left == dict(photos=3, items=6)
    page = Page(path.read_text(encoding='utf-8'))
    data, photos = (json.loads(page.texts[name]) for name in ('data', 'photos'))
    assert data['leftOut'] == left and len(photos) == 2 and not data['calibrated']
    best = max(completion.proposals, key=lambda f: f.score)
    assert {photo['name'] for photo in photos} >= {
        'p<i>&"0.png',
        f'p<i>&"{best.image}.png',
    }
    labels, completion, paths = make_completion(tmp_path)
    twice = labels._replace(images=['a.png', 'b.png', 'a.png'])
    with pytest.raises(ValueError, match="'a.png' is listed twice"):
        write_review_page(twice, completion, paths, path, 'x')


@pytest.fixture(scope='module')
def downloads(tmp_path_factory):
    return tmp_path_factory.mktemp('downloads')


@pytest.fixture(scope='module')
def driver(tmp_path_factory, downloads):
    driver = start_chromium(tmp_path_factory.mktemp('profile'), downloads)
    yield driver
    driver.quit()


@pytest.fixture
def opened(driver, tmp_path):
    """Open a page; afterwards nothing may have gone wrong in it."""

    def go(width=1300, height=900, **options):
        path, completion, _ = write(tmp_path, **options)
        size = dict(width=width, height=height, deviceScaleFactor=1, mobile=False)
        driver.execute_cdp_cmd('Emulation.setDeviceMetricsOverride', size)
        driver.get(path.as_uri())
        return completion

    driver.get_log('browser')
    yield go
    assert driver.get_log('browser') == []


def texts(driver, selector):
    return [e.text for e in driver.find_elements('css selector', selector)]


def test_review_by_keyboard(driver, opened, downloads, tmp_path):
    from selenium.webdriver.common.keys import Keys

    completion = opened()
    # The dispute stands first; names are shown as they are.
    assert texts(driver, '#stage h2') == [CLASSES[0] + '?']
    assert driver.title == f'Review: {TITLE}'
    assert 'The annotation says yes, the model says 1%' in texts(driver, '.says')[0]
    assert texts(driver, '.photo.missing') == ['photo not readable']
    assert driver.find_element('id', 'progress').text.startswith('0 of 7 decided')
    assert not driver.find_element('id', 'save').is_enabled()
    press(driver, 'r')
    why = texts(driver, '#stage .why')[0]
    assert 'photo and prompt alone\n38%' in why and 'calibrated' in why
    assert f'{CLASSES[0]} \u2013 weight 0.125, \u25b2 raises the logit by 0.38' in why
    press(driver, 'ara')
    assert '4 of 7 decided: \u2713 2 accepted, \u2717 2 rejected' in texts(
        driver, '#progress'
    )
    press(driver, 'uj')
    assert texts(driver, '#progress')[0].startswith('3 of 7')
    press(driver, [Keys.ARROW_UP, 'r'])
    assert '\u2713 1 accepted, \u2717 3 rejected' in texts(driver, '#progress')[0]
    path = saved(driver, downloads, '#save')
    found = read_decisions(path)
    order = [completion.disputed[0]]
    per_image = {}
    for finding in sorted(completion.proposals, key=lambda f: -f.probability):
        per_image.setdefault(finding.image, []).append(finding)
    order += per_image.pop(0)
    for image in sorted(per_image, key=lambda i: -per_image[i][0].probability):
        order += per_image[image]
    images = read_traced_labels(tmp_path / 'ann.json').images
    words = ['rejected', 'accepted', 'rejected', 'rejected']
    assert [entry[1:] for entry in found] == [
        (images[f.image], CLASSES[f.label], word) for f, word in zip(order, words)
    ]
    # The same as a table.
    table = read_decisions(saved(driver, downloads, '#save-csv'))
    assert [entry[1:] for entry in table] == [entry[1:] for entry in found]
    # What was decided is still there after the page is opened again.
    driver.refresh()
    assert texts(driver, '#progress')[0].startswith('4 of 7')
    assert len(texts(driver, '.item.rejected')) == 3
    press(driver, 'aaa')
    assert texts(driver, '#progress')[0].startswith('7 of 7')


def test_mouse_filters_and_help(driver, opened):
    from selenium.webdriver.support.select import Select

    opened(count=4)
    driver.execute_script('localStorage.clear()')
    driver.refresh()
    accept = driver.find_elements('css selector', '.item .accept')
    accept[2].click()
    assert '1 accepted' in texts(driver, '#progress')[0]
    driver.find_elements('css selector', '.item .accept')[2].click()
    assert '0 accepted' in texts(driver, '#progress')[0]
    driver.find_element('css selector', '#stage .reject').click()
    assert '1 rejected' in texts(driver, '#progress')[0]
    Select(driver.find_element('id', 'kind')).select_by_value('disputed')
    assert len(texts(driver, '.item')) == 1 and len(texts(driver, '.card')) == 1
    Select(driver.find_element('id', 'kind')).select_by_value('proposed')
    Select(driver.find_element('id', 'label')).select_by_value('2')
    names = texts(driver, '.item .label')
    assert names and set(names) == {CLASSES[2]}
    Select(driver.find_element('id', 'state')).select_by_value('accepted')
    assert texts(driver, '.empty') == ['No label fits this filter.']
    assert not driver.find_element('id', 'stage').is_displayed()
    press(driver, 'arj?')
    dialog = driver.find_element('id', 'keys')
    assert dialog.is_displayed()
    # Behind the list of keys nothing is decided.
    press(driver, 'a')
    assert texts(driver, '#progress')[0].startswith('1 of 9')
    dialog.find_element('css selector', 'button').click()
    Select(driver.find_element('id', 'state')).select_by_value('')
    Select(driver.find_element('id', 'order')).select_by_value('name')
    shown = texts(driver, '.caption .name')
    assert shown == sorted(shown)


def test_pages_hold_few_photos_and_keys_turn_them(driver, opened):
    completion = opened(count=60, max_photos=50)
    driver.execute_script('localStorage.clear()')
    driver.refresh()
    note = driver.find_element('id', 'note').text
    items = len(completion.proposals) + 1
    left = items - int(re.match(r'0 of (\d+)', texts(driver, '#progress')[0])[1])
    assert f'10 more photos with {left} labels' in note and '--max-photos' in note
    assert len(texts(driver, '.card')) == 24
    assert texts(driver, '#page') == ['page 1 of 3']
    # 24 photos with two proposals each, and the dispute.
    press(driver, 'a' * 49)
    assert texts(driver, '#page') == ['page 2 of 3']
    assert len(texts(driver, '.card.current')) == 1
    press(driver, 'u')
    assert texts(driver, '#page') == ['page 1 of 3']
    for _ in range(2):
        driver.find_element('id', 'page-after').click()
    assert (
        texts(driver, '#page') == ['page 3 of 3'] and len(texts(driver, '.card')) == 2
    )
    assert not driver.find_element('id', 'page-after').is_enabled()


@pytest.mark.parametrize('width', [320, 390, 820, 1300])
def test_nothing_sticks_out(driver, opened, width):
    opened(width=width, height=700)
    wide = driver.execute_script('return document.documentElement.scrollWidth')
    inner = driver.execute_script('return document.documentElement.clientWidth')
    assert wide <= inner
    button = driver.find_element('css selector', '#stage .accept').rect
    assert 0 <= button['x'] and button['x'] + button['width'] <= width
    assert button['height'] >= 40


def test_nothing_to_review_and_no_storage(driver, opened, downloads, tmp_path):
    opened()
    labels, completion, photos = make_completion(tmp_path)
    nothing = completion._replace(proposals=[], disputed=[])
    path = tmp_path / 'empty.html'
    write_review_page(labels, nothing, photos, path, 'x')
    # A browser that keeps nothing.
    code = "Object.defineProperty(window, 'localStorage', {get() { throw 1; }})"
    added = driver.execute_cdp_cmd(
        'Page.addScriptToEvaluateOnNewDocument', dict(source=code)
    )
    try:
        driver.get(path.as_uri())
        assert texts(driver, '.empty') == ['There is nothing to review.']
        press(driver, 'arusjk')
        assert 'save the decisions before' in driver.find_element('id', 'note').text
        driver.get((tmp_path / 'page.html').as_uri())
        press(driver, 'a')
        assert texts(driver, '#progress')[0].startswith('1 of 7')
        assert len(read_decisions(saved(driver, downloads, '#save'))) == 1
    finally:
        driver.execute_cdp_cmd('Page.removeScriptToEvaluateOnNewDocument', added)
