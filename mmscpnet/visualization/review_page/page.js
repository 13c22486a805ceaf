'use strict';
// Names of labels and files are only ever set as text, never as HTML.
(function () {
  const PER_PAGE = 24;
  const get = (id) => document.getElementById(id);
  const parse = (id) => JSON.parse(get(id).textContent);
  const data = parse('data');
  const photos = parse('photos');
  const number = new Intl.NumberFormat('en');
  const WORDS = { accepted: '\u2713', rejected: '\u2717' };

  // All labels in question, each with its place.
  const items = [];
  photos.forEach((photo, index) => photo.items.forEach((item) => {
    Object.assign(item, { id: items.length, photo: index });
    items.push(item);
  }));
  const chance = (item) => (item.confidence === null ? item.score : item.confidence);
  // How surely the model says something else than the annotation.
  const certainty = (item) => Math.abs(Math.max(item.state, 0) - chance(item));
  const percent = (value) => {
    const whole = Math.round(100 * value);
    if (whole >= 100 && value < 1) return '>99%';
    return whole < 1 && value > 0 ? '<1%' : whole + '%';
  };

  // ----- decisions, kept in the browser where it allows that
  const KEY = 'mmscpnet.review.' + data.id;
  let decisions = {};
  let history = [];
  let kept = true;
  let saved = true;
  try {
    const found = JSON.parse(localStorage.getItem(KEY) || '{}');
    for (const [id, value] of Object.entries(found)) {
      if (items[id] && value in WORDS) decisions[id] = value;
    }
    localStorage.setItem(KEY, JSON.stringify(decisions));
  } catch (error) {
    kept = false;
  }
  function keep() {
    saved = false;
    if (!kept) return;
    try {
      localStorage.setItem(KEY, JSON.stringify(decisions));
    } catch (error) {
      kept = false;
      showNote();
    }
  }
  window.addEventListener('beforeunload', (event) => {
    if (!kept && !saved) event.preventDefault();
  });

  // ----- what is shown
  let view = [];      // photos of the filter: {index, items}
  let order = [];     // ids of all labels in question of the view, in order
  let place = {};     // id -> place in order
  let pageOf = {};    // id -> page
  let page = 0;
  let current = null; // id
  let whyOpen = window.matchMedia('(min-width: 60rem)').matches;

  function h(tag, properties, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(properties || {})) {
      if (name.includes('-') || name === 'role') node.setAttribute(name, value);
      else node[name] = value;
    }
    node.append(...children.filter((child) => child !== null));
    return node;
  }

  function picture(index, alt) {
    const source = parse('photo-' + index);
    if (!source) return h('div', { className: 'photo missing' }, 'photo not readable');
    return h('div', { className: 'photo' }, h('img', { src: source, alt }));
  }

  function rebuild(wanted) {
    const label = get('label').value;
    const kind = get('kind').value;
    const state = get('state').value;
    const fits = (item) => (label === '' || item.label === Number(label))
      && (kind === '' || (kind === 'disputed') === (item.state !== -1))
      && (state === '' || (decisions[item.id] || 'undecided') === state);
    view = photos
      .map((photo, index) => ({ index, items: photo.items.filter(fits) }))
      .filter((entry) => entry.items.length);
    const surest = (entry) => Math.max(...entry.items.map(certainty));
    const compare = {
      sure: (a, b) => surest(b) - surest(a),
      unsure: (a, b) => surest(a) - surest(b),
      name: (a, b) => photos[a.index].name.localeCompare(
        photos[b.index].name, 'en', { numeric: true }),
    }[get('order').value];
    view.sort(compare);
    order = [];
    place = {};
    pageOf = {};
    view.forEach((entry, position) => entry.items.forEach((item) => {
      place[item.id] = order.length;
      pageOf[item.id] = Math.floor(position / PER_PAGE);
      order.push(item.id);
    }));
    const first = wanted in place ? wanted : order.find((id) => !decisions[id]);
    current = first === undefined ? (order.length ? order[0] : null) : first;
    page = current === null ? 0 : pageOf[current];
    get('count').textContent = number.format(order.length) + ' labels on '
      + number.format(view.length) + ' photos';
    drawPage();
  }

  function drawPage() {
    const cards = get('cards');
    const part = view.slice(page * PER_PAGE, (page + 1) * PER_PAGE);
    cards.replaceChildren(...part.map(card));
    if (!part.length) {
      cards.append(h('p', { className: 'empty' },
        items.length ? 'No label fits this filter.' : 'There is nothing to review.'));
    }
    const pages = Math.max(1, Math.ceil(view.length / PER_PAGE));
    get('pages').hidden = pages === 1;
    get('page').textContent = 'page ' + (page + 1) + ' of ' + pages;
    get('page-before').disabled = page === 0;
    get('page-after').disabled = page === pages - 1;
    drawProgress();
    drawCurrent(false);
  }

  function card(entry) {
    const photo = photos[entry.index];
    const known = photo.known.map((label) => data.classes[label]);
    const node = h('article', { className: 'card' },
      picture(entry.index, 'photo ' + photo.name),
      h('div', { className: 'caption' },
        h('span', { className: 'name', title: photo.name }, photo.name),
        h('span', { className: 'known' },
          known.length ? 'known: ' + known.join(', ') : 'no label is known')),
      h('ul', { className: 'items' }, ...entry.items.map(row)));
    node.dataset.photo = entry.index;
    return node;
  }

  function row(item) {
    const name = data.classes[item.label];
    const act = (decision, words) => {
      const button = h('button', {
        type: 'button',
        className: decision === 'accepted' ? 'accept' : 'reject',
        title: words,
        'aria-label': words + ': ' + name,
      }, WORDS[decision]);
      button.addEventListener('click', (event) => {
        event.stopPropagation();
        // A second click takes the decision back.
        decide(item.id, decisions[item.id] === decision ? null : decision, false);
      });
      return button;
    };
    const doubt = item.state === -1 ? null
      : h('small', {}, item.state === 1 ? 'known, but doubted' : 'known to be absent');
    const node = h('li', { className: 'item' },
      h('span', { className: 'sign', 'aria-hidden': 'true' }),
      h('span', { className: 'label' }, h('span', {}, name), doubt),
      h('span', { className: 'chance' }, percent(chance(item))),
      act('rejected', 'reject'), act('accepted', 'accept'));
    node.dataset.id = item.id;
    node.addEventListener('click', () => select(item.id));
    paint(node);
    return node;
  }

  const rowOf = (id) => document.querySelector('.item[data-id="' + id + '"]');

  function paint(node) {
    if (!node) return;
    const decision = decisions[node.dataset.id];
    for (const name of ['accepted', 'rejected']) {
      node.classList.toggle(name, decision === name);
      const button = node.querySelector(name === 'accepted' ? '.accept' : '.reject');
      button.setAttribute('aria-pressed', String(decision === name));
    }
    node.querySelector('.sign').textContent = WORDS[decision] || '';
  }

  function drawProgress() {
    const made = Object.values(decisions);
    const accepted = made.filter((value) => value === 'accepted').length;
    const rejected = made.length - accepted;
    const total = Math.max(1, items.length);
    get('progress').replaceChildren(
      h('b', {}, number.format(made.length) + ' of ' + number.format(items.length)),
      ' decided: ' + WORDS.accepted + ' ' + number.format(accepted) + ' accepted, '
        + WORDS.rejected + ' ' + number.format(rejected) + ' rejected');
    document.querySelector('#bar .accepted').style.width = 100 * accepted / total + '%';
    document.querySelector('#bar .rejected').style.width = 100 * rejected / total + '%';
    get('undo').disabled = !history.length;
    get('save').disabled = get('save-csv').disabled = !made.length;
  }

  function measure(text, value, main) {
    const fill = h('i');
    fill.style.width = 100 * value + '%';
    return h('div', { className: main ? 'measure main' : 'measure' },
      h('span', {}, text), h('b', {}, percent(value)),
      h('div', { className: 'track' }, fill));
  }

  function why(item) {
    const parts = [h('summary', {}, 'Why')];
    if (item.alone !== null) {
      parts.push(measure('photo and prompt alone', item.alone, false));
      parts.push(measure('with the label graph', item.score, item.confidence === null));
    } else {
      parts.push(measure('score of the model', item.score, item.confidence === null));
    }
    if (item.confidence !== null) {
      parts.push(measure('calibrated', item.confidence, true));
    }
    if (item.cosine !== null) {
      parts.push(h('p', { className: 'quiet' },
        'cosine of photo and label: ' + item.cosine.toFixed(3)));
    }
    if (item.neighbors.length) {
      parts.push(h('h3', {}, 'Known in this photo, and related'));
      parts.push(h('ul', {}, ...item.neighbors.map(([label, weight, effect]) => {
        let text = ' \u2013 weight ' + weight.toFixed(3);
        if (effect !== null) {
          text += ', ' + (effect >= 0 ? '\u25b2 raises' : '\u25bc lowers')
            + ' the logit by ' + Math.abs(effect).toPrecision(2);
        }
        return h('li', {}, h('b', {}, data.classes[label]),
          h('span', { className: 'quiet' }, text));
      })));
    }
    const node = h('details', { className: 'why', open: whyOpen }, ...parts);
    node.addEventListener('toggle', () => { whyOpen = node.open; });
    return node;
  }

  function drawStage() {
    const stage = get('stage');
    stage.hidden = current === null;
    if (current === null) return;
    const item = items[current];
    const photo = photos[item.photo];
    const says = percent(chance(item))
      + (item.confidence === null ? '' : ' by its calibrated probability');
    const sentence = {
      '-1': 'Not known. The model says ' + says + '.',
      '1': 'The annotation says yes, the model says ' + says + '.',
      '0': 'The annotation says no, the model says ' + says + '.',
    }[item.state];
    const act = (decision, text, key) => {
      const button = h('button', {
        type: 'button',
        className: decision === 'accepted' ? 'accept' : 'reject',
        'aria-pressed': String(decisions[item.id] === decision),
      }, WORDS[decision] + ' ' + text + ' ', h('kbd', {}, key));
      button.addEventListener('click', () => decide(item.id, decision, true));
      return button;
    };
    stage.replaceChildren(
      picture(item.photo, 'photo ' + photo.name),
      h('div', { className: 'body' },
        h('h2', {}, data.classes[item.label] + '?'),
        h('p', { className: item.state === -1 ? 'says' : 'says disputed' }, sentence),
        h('div', { className: 'verdict' },
          act('rejected', 'Reject', 'R'), act('accepted', 'Accept', 'A')),
        why(item),
        h('p', { className: 'file' }, photo.name)));
    stage.scrollTop = 0;
  }

  function drawCurrent(scroll) {
    document.querySelectorAll('.current').forEach((n) => n.classList.remove('current'));
    drawStage();
    const node = current === null ? null : rowOf(current);
    if (!node) return;
    node.classList.add('current');
    const box = node.closest('.card');
    box.classList.add('current');
    if (scroll) {
      const low = node.getBoundingClientRect();
      const top = document.querySelector('header').offsetHeight + 8;
      const fixed = getComputedStyle(get('stage')).position === 'fixed';
      const end = window.innerHeight - (fixed ? get('stage').offsetHeight : 0) - 8;
      if (low.bottom > end) window.scrollBy(0, low.bottom - end + 8);
      const high = box.getBoundingClientRect();
      if (high.top < top) window.scrollBy(0, high.top - top);
    }
  }

  function select(id) {
    current = id;
    if (pageOf[id] !== page) {
      page = pageOf[id];
      window.scrollTo(0, 0);
      drawPage();
    }
    drawCurrent(true);
  }

  // ----- deciding
  function put(id, decision) {
    if (decision === null) delete decisions[id];
    else decisions[id] = decision;
    keep();
    paint(rowOf(id));
    drawProgress();
  }

  function decide(id, decision, advance) {
    const before = decisions[id] || null;
    if (before !== decision) {
      history.push([id, before]);
      put(id, decision);
    }
    const start = place[id];
    const rest = [...order.slice(start + 1), ...order.slice(0, start)];
    const next = advance ? rest.find((other) => !decisions[other]) : id;
    select(next === undefined ? id : next);
  }

  function undo() {
    if (!history.length) return;
    const [id, before] = history.pop();
    put(id, before);
    if (id in place) select(id);
    else rebuild(current);
  }

  function step(by) {
    if (current === null) return;
    const id = order[place[current] + by];
    if (id !== undefined) select(id);
  }

  function stepPhoto(by) {
    if (current === null) return;
    const position = view.findIndex((entry) => entry.index === items[current].photo);
    const entry = view[position + by];
    if (entry) select(entry.items[0].id);
  }

  // ----- saving
  function chosen() {
    return items.filter((item) => decisions[item.id]).map((item) => ({
      image: photos[item.photo].name,
      label: data.classes[item.label],
      decision: decisions[item.id],
    }));
  }

  function download(name, type, text) {
    const link = h('a', {
      href: URL.createObjectURL(new Blob([text], { type })),
      download: name,
    });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    saved = true;
  }

  const stem = data.title.replace(/\.[^.]*$/, '').replace(/[^\w.-]+/g, '_') || 'labels';

  function saveJSON() {
    const content = {
      format: 'mmscpnet-review', version: 1, source: data.title, decisions: chosen(),
    };
    download(stem + '_decisions.json', 'application/json',
      JSON.stringify(content, null, 1) + '\n');
  }

  function saveCSV() {
    const quote = (text) => '"' + text.replaceAll('"', '""') + '"';
    const rows = chosen().map((d) => [d.image, d.label, d.decision].map(quote).join(','));
    download(stem + '_decisions.csv', 'text/csv',
      ['image,label,decision', ...rows].join('\n') + '\n');
  }

  function showNote() {
    const notes = [];
    const out = data.leftOut;
    if (out.photos) {
      notes.push('This page has the ' + number.format(photos.length) + ' photos of the '
        + 'surest findings. ' + number.format(out.photos) + ' more photos with '
        + number.format(out.items) + ' labels are not on it, but in the review list; '
        + '--max-photos makes room for them.');
    }
    if (!kept) {
      notes.push('This browser keeps nothing for this page: save the decisions before '
        + 'you close it.');
    }
    get('note').hidden = !notes.length;
    get('note').textContent = notes.join('\n');
  }

  // ----- wiring
  const counts = new Map();
  items.forEach((item) => counts.set(item.label, (counts.get(item.label) || 0) + 1));
  const labels = [...counts.keys()].sort(
    (a, b) => data.classes[a].localeCompare(data.classes[b], 'en'));
  get('label').append(
    h('option', { value: '' }, 'all (' + number.format(items.length) + ')'),
    ...labels.map((label) => h('option', { value: String(label) },
      data.classes[label] + ' (' + number.format(counts.get(label)) + ')')));
  for (const id of ['label', 'kind', 'state', 'order']) {
    get(id).addEventListener('change', (event) => {
      // So that the keys decide again, and do not change the filter.
      event.target.blur();
      window.scrollTo(0, 0);
      rebuild(null);
    });
  }
  const turn = (by) => {
    const entry = view[(page + by) * PER_PAGE];
    if (entry) select(entry.items[0].id);
  };
  get('page-before').addEventListener('click', () => turn(-1));
  get('page-after').addEventListener('click', () => turn(1));
  get('undo').addEventListener('click', undo);
  get('save').addEventListener('click', saveJSON);
  get('save-csv').addEventListener('click', saveCSV);
  get('help').addEventListener('click', () => get('keys').showModal());

  const KEYS = {
    a: () => current !== null && decide(current, 'accepted', true),
    r: () => current !== null && decide(current, 'rejected', true),
    u: undo,
    j: () => step(1),
    ArrowDown: () => step(1),
    k: () => step(-1),
    ArrowUp: () => step(-1),
    ArrowRight: () => stepPhoto(1),
    ArrowLeft: () => stepPhoto(-1),
    s: () => Object.keys(decisions).length && saveJSON(),
    '?': () => get('keys').showModal(),
  };
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || get('keys').open) return;
    if (event.target instanceof HTMLSelectElement) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (!Object.hasOwn(KEYS, key)) return;
    event.preventDefault();
    KEYS[key]();
  });

  showNote();
  rebuild(null);
}());
