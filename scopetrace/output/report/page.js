
"use strict";

// Every text that was recorded goes into the page through `textContent`: it stays text.

const DATA = JSON.parse(document.getElementById("data").textContent);
const STEP = 300; // rows that are shown at once; a button shows as many more
const SVG = "http://www.w3.org/2000/svg";

/** Return the rows of a part as objects. */
function rowsOf(part) {
  const { columns, rows } = DATA.parts[part];
  return rows.map((row) => Object.fromEntries(columns.map((name, at) => [name, row[at]])));
}

// -- elements ---------------------------------------------------------------------------------

/** Make an element with properties and children; a child that is no element becomes text. */
function make(name, properties = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children.filter((child) => child !== null && child !== ""));
  return element;
}

function draw(name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

/** Add `title` to a shape: what it stands for, shown when the mouse rests on it. */
function titled(shape, text) {
  shape.append(draw("title", {}, text));
  return shape;
}

// -- units ------------------------------------------------------------------------------------

function size(bytes) {
  if (bytes === null || bytes === undefined) return "";
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let at = 0;
  while (bytes >= 1024 && at < units.length - 1) {
    bytes /= 1024;
    at += 1;
  }
  return `${at && bytes < 9.95 ? bytes.toFixed(1) : Math.round(bytes)} ${units[at]}`;
}

function duration(us) {
  if (us === null || us === undefined) return "";
  if (us < 1000) return `${Math.round(us)} µs`;
  if (us < 1e6) return `${(us / 1000).toFixed(1)} ms`;
  if (us < 120e6) return `${(us / 1e6).toFixed(1)} s`;
  const minutes = Math.floor(us / 60e6);
  return minutes < 120 ? `${minutes}m${Math.floor((us / 1e6) % 60)}s` : `${Math.floor(minutes / 60)}h${minutes % 60}m`;
}

/** Return the time since the session began, in seconds. */
function at(us) {
  return us === null ? "" : (us / 1e6).toFixed(3);
}

// -- sections ---------------------------------------------------------------------------------

const sections = [];

/**
 * Add a section. `show(body, words)` fills it with what contains all `words` and returns how many
 * rows that are.
 */
function section(id, heading, part, show) {
  const body = make("div");
  const left = part ? DATA.parts[part].left : 0;
  const command = make("code", {}, DATA.commands[id]);
  const count = make("span", { className: "note" });
  const link = make("a", { href: `#${id}` }, heading);
  document.getElementById("links").append(link);
  document.getElementById("main").append(
    make("section", { id },
      make("div", { className: "head" }, make("h2", {}, heading), count, command),
      left ? make("p", { className: "note" }, `${left} more are not in this page; the command has them.`) : null,
      body));
  sections.push({ body, count, show });
}

function render(words) {
  for (const { body, count, show } of sections) {
    body.replaceChildren();
    const found = show(body, words);
    if (!body.childNodes.length) body.append(make("p", { className: "note" }, words.length ? "Nothing found." : "None."));
    count.textContent = words.length ? `${found} found` : `${found}`;
  }
}

function matches(text, words) {
  return words.every((word) => text.includes(word));
}

/** Remember the searchable text of each row, in lower case. */
function searchable(rows) {
  for (const row of rows) row.search = Object.values(row).join("\n").toLowerCase();
  return rows;
}

/** Append what `item` makes of each of `rows`, STEP at a time. */
function paged(holder, rows, item) {
  const more = make("button", { type: "button" });
  let shown = 0;
  const next = () => {
    const items = rows.slice(shown, shown + STEP).map(item);
    if (more.parentNode === holder) more.before(...items);
    else holder.append(...items);
    shown = Math.min(shown + STEP, rows.length);
    more.textContent = `Show more (${rows.length - shown} left)`;
    more.hidden = shown >= rows.length;
  };
  more.addEventListener("click", next);
  next();
  return more;
}

/**
 * Append a table. A column is {name, heading, number, wide, extra, text}: `text` makes the cell's
 * text of a row; a narrow window has no room for what is extra. A click on a heading sorts by it.
 */
function table(body, columns, rows, className = () => "") {
  if (!rows.length) return;
  const holder = make("div");
  const fill = (sorted, order) => {
    const heads = columns.map((column) => {
      const button = make("button", { type: "button" }, column.heading);
      button.addEventListener("click", () => fill(column, sorted === column ? -order : column.number ? -1 : 1));
      return make("th", { className: `${kindOf(column)} ${sorted === column ? "sorted" : ""}` }, button);
    });
    const ordered = sorted ? [...rows].sort((one, other) => order * compare(one[sorted.name], other[sorted.name])) : rows;
    const lines = make("tbody");
    const more = paged(lines, ordered, (row) => make("tr", { className: className(row) },
      ...columns.map((column) => make("td", { className: kindOf(column) },
        String((column.text ? column.text(row) : row[column.name]) ?? "")))));
    holder.replaceChildren(
      make("div", { className: "scroll" }, make("table", {}, make("thead", {}, make("tr", {}, ...heads)), lines)), more);
  };
  fill(null, 1);
  body.append(holder);
}

function kindOf(column) {
  return ["number", "wide", "extra"].filter((kind) => column[kind]).join(" ");
}

function compare(one, other) {
  if (one === other) return 0;
  if (one === null) return -1;
  return other === null || one > other ? 1 : -1;
}

// -- the verdict ------------------------------------------------------------------------------

const STRIP = ["command", "ended", "why", "stderr", "lost"]; // the rest is folded away

function verdict() {
  const { title, facts, outcome } = DATA.session;
  document.getElementById("title").textContent = title;
  document.querySelector("header").className = outcome;
  let first = "";
  for (const [label, text] of facts) {
    first = label || first;
    const list = document.getElementById(STRIP.includes(first) ? "verdict" : "summary");
    list.append(make("dt", {}, label), make("dd", { className: first === "stderr" ? "mono" : "" }, text));
  }
  document.querySelector("header details").hidden = !document.getElementById("summary").children.length;
  document.getElementById("footer").textContent = DATA.session.made;
}

// -- the timeline -----------------------------------------------------------------------------

const ROW = 20;
const MOST_BARS = 50; // processes that are drawn at first
const processes = searchable(rowsOf("processes"));
const lines = searchable(rowsOf("lines"));
const requests = searchable(rowsOf("requests"));
const whole = { from: 0, to: DATA.session.duration_us };
let view = whole; // the part of the time that is drawn

/** Draw the processes as bars, and above them what was written and asked, on one axis of time. */
function timeline(body, words) {
  const matching = processes.filter((row) => matches(row.search, words));
  const found = narrowed(body, matching, words, "timeline", (row) => row.is_startup, "of start-up");
  if (!found.length) return 0;
  const holder = make("div", { className: "scroll" });
  const more = make("button", { type: "button" }, `Show all ${found.length}`);
  const reset = make("button", { type: "button" }, "Show the whole time");
  let count = MOST_BARS;
  const fill = () => {
    const overlapping = found.filter((row) => row.at_us <= view.to && endOf(row) >= view.from);
    const drawn = overlapping.slice(0, count);
    holder.replaceChildren(chart(drawn, words, Math.max(holder.clientWidth, 560), (part) => {
      view = part;
      fill();
    }));
    more.hidden = drawn.length === overlapping.length;
    reset.hidden = view === whole;
  };
  more.addEventListener("click", () => {
    count = found.length;
    fill();
  });
  reset.addEventListener("click", () => {
    view = whole;
    fill();
  });
  body.append(make("p", { className: "note" }, "Drag over a part of the time to enlarge it. ", reset), holder, more);
  fill();
  return found.length;
}

function endOf(row) {
  return row.duration_us === null ? whole.to : row.at_us + row.duration_us;
}

/** Return the drawing; `choose` is called with the part of the time that is dragged over. */
function chart(rows, words, width, choose) {
  const left = Math.min(260, width * 0.3);
  const scale = (us) => left + ((us - view.from) / (view.to - view.from)) * (width - left - 12);
  const marks = markRows(words);
  const height = 22 + (marks.length + rows.length) * ROW + 6;
  const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": "Processes on a line of time" });
  axis(svg, scale, width, height, left);
  marks.forEach(({ name, items }, row) => {
    const y = 22 + row * ROW;
    svg.append(draw("text", { x: 4, y: y + 14 }, name));
    for (const { us, title, kind } of items) {
      svg.append(titled(draw("rect", { x: scale(us) - 1.5, y: y + 4, width: 3, height: 12, class: kind }), title));
    }
  });
  rows.forEach((row, number) => bar(svg, row, 22 + (marks.length + number) * ROW, scale, left));
  draggable(svg, (x) => view.from + ((x * width - left) / (width - left - 12)) * (view.to - view.from), scale, height, choose);
  return svg;
}

/** Let a part of the time be chosen; `timeAt` returns the time at a share of the width. */
function draggable(svg, timeAt, scale, height, choose) {
  const band = draw("rect", { y: 0, height, width: 0, class: "band" });
  let from = null;
  const time = (event) => {
    const { x, width } = svg.getBoundingClientRect();
    return Math.min(Math.max(timeAt((event.clientX - x) / width), view.from), view.to);
  };
  svg.append(band);
  svg.addEventListener("pointerdown", (event) => {
    from = time(event);
    svg.setPointerCapture(event.pointerId);
  });
  svg.addEventListener("pointermove", (event) => {
    if (from === null) return;
    const [first, last] = [from, time(event)].sort((one, other) => one - other);
    band.setAttribute("x", scale(first));
    band.setAttribute("width", scale(last) - scale(first));
  });
  svg.addEventListener("pointerup", (event) => {
    const [first, last] = [from, time(event)].sort((one, other) => one - other);
    from = null;
    band.setAttribute("width", 0);
    if (scale(last) - scale(first) > 4) choose({ from: first, to: last });
  });
}

function axis(svg, scale, width, height, left) {
  const span = view.to - view.from;
  const step = roundStep(span / Math.max(2, Math.floor((width - left) / 110)));
  for (let us = Math.ceil(view.from / step) * step; us <= view.to; us += step) {
    svg.append(draw("line", { x1: scale(us), x2: scale(us), y1: 18, y2: height, class: "axis" }));
    const anchor = us === view.from ? "start" : us + step / 2 > view.to ? "end" : "middle";
    svg.append(draw("text", { x: scale(us), y: 13, class: "tick", "text-anchor": anchor }, us ? tick(us, step) : "0"));
  }
}

/** Return a time with as many digits as tell it from the next one. */
function tick(us, step) {
  if (whole.to < 1e6) return duration(us);
  return `${(us / 1e6).toFixed(Math.max(0, Math.min(6, 6 - Math.floor(Math.log10(step)))))} s`;
}

/** Return the next of 1, 2, 5, 10, 20, 50… */
function roundStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((times) => times * power).find((step) => step >= least);
}

/** Return a row of marks for each kind of output, and one for requests. */
function markRows(words) {
  const kinds = { stderr: [], stdout: [], log: [], request: [] };
  for (const line of lines) {
    if (!matches(line.search, words)) continue;
    const kind = kinds[line.source] ? line.source : "log";
    kinds[kind].push({ us: line.at_us, title: `${at(line.at_us)} s ${line.source}: ${line.text}`, kind });
  }
  for (const one of requests) {
    if (!matches(one.search, words)) continue;
    kinds.request.push({ us: one.at_us, title: `${at(one.at_us)} s ${one.method} ${one.url} ${one.status ?? ""}`, kind: "request" });
  }
  const names = { stderr: "stderr", stdout: "stdout", log: "logs", request: "requests" };
  return Object.entries(kinds)
    .filter(([, items]) => items.length)
    .map(([kind, items]) => ({ name: names[kind], items: thinned(items) }));
}

/** Return at most one mark for each thousandth of the time that is drawn. */
function thinned(items) {
  const seen = new Map();
  for (const item of items) {
    if (item.us < view.from || item.us > view.to) continue;
    const place = Math.floor(((item.us - view.from) / (view.to - view.from)) * 1000);
    const before = seen.get(place);
    if (before) before.more += 1;
    else seen.set(place, { ...item, more: 0 });
  }
  return [...seen.values()].map((item) => ({ ...item, title: item.more ? `${item.title} (and ${item.more} more)` : item.title }));
}

function bar(svg, row, y, scale, left) {
  const from = Math.max(row.at_us, view.from);
  const end = Math.min(endOf(row), view.to);
  const facts = [`${row.cmd} [${row.pid}]`, row.status, duration(row.duration_us)];
  if (row.cpu_us !== null) facts.push(`cpu ${duration(row.cpu_us)}`);
  if (row.rss_kib !== null) facts.push(size(row.rss_kib * 1024));
  const label = `${row.proc} [${row.pid}]`;
  const indent = 4 + Math.min(row.depth, 12) * 10;
  const room = Math.max(4, Math.floor((left - indent - 8) / 7));
  const group = draw("g", {});
  group.append(draw("text", { x: indent, y: y + 14 }, label.length > room ? `${label.slice(0, room - 1)}…` : label));
  group.append(draw("rect", {
    x: scale(from), y: y + 3, width: Math.max(2, scale(end) - scale(from)), height: ROW - 6, rx: 2, class: row.failed ? "bad" : "ok",
  }));
  for (const us of row.execs.filter((time) => time >= from && time <= end)) group.append(draw("line", { x1: scale(us), x2: scale(us), y1: y + 3, y2: y + ROW - 3, class: "exec" }));
  svg.append(titled(group, facts.filter(Boolean).join(", ")));
}

function processTable(body, words) {
  const matching = processes.filter((row) => matches(row.search, words));
  const found = narrowed(body, matching, words, "processes", (row) => row.is_startup, "of start-up");
  table(body, [
    { name: "at_us", heading: "start, s", extra: true, number: true, text: (row) => at(row.at_us) },
    { name: "pid", heading: "pid", number: true },
    { name: "status", heading: "ended" },
    { name: "duration_us", heading: "time", number: true, text: (row) => duration(row.duration_us) },
    { name: "cpu_us", heading: "cpu", extra: true, number: true, text: (row) => duration(row.cpu_us) },
    { name: "rss_kib", heading: "memory", extra: true, number: true, text: (row) => (row.rss_kib === null ? "" : size(row.rss_kib * 1024)) },
    { name: "cmd", heading: "command", wide: true, text: (row) => "  ".repeat(row.depth) + row.cmd },
  ], found, (row) => (row.failed ? "failed" : ""));
  return found.length;
}

const shownWhole = new Set(); // sections in which nothing is hidden any more

/** Return the rows without those that few ask for, and append a button that shows them. */
function narrowed(body, rows, words, id, isHidden, what) {
  if (words.length || shownWhole.has(id)) return rows;
  const found = rows.filter((row) => !isHidden(row));
  if (found.length < rows.length) {
    const button = make("button", { type: "button" }, `Show ${rows.length - found.length} ${what}`);
    button.addEventListener("click", () => {
      shownWhole.add(id);
      render(searchWords());
    });
    body.append(make("p", { className: "note" }, button));
  }
  return found;
}

// -- errors -----------------------------------------------------------------------------------

const errors = searchable(rowsOf("errors"));

function errorTable(body, words) {
  const matching = errors.filter((row) => matches(row.search, words));
  const found = narrowed(body, matching, words, "errors", (row) => row.is_startup, "of start-up");
  table(body, [
    { name: "kind", heading: "kind" },
    { name: "error", heading: "error" },
    { name: "who", heading: "program" },
    { name: "what", heading: "what failed", wide: true },
  ], found);
  return found.length;
}

// -- files ------------------------------------------------------------------------------------

const files = searchable(rowsOf("files"));

/** Join the paths of files to a tree: {name, files, bytes, below: Map}. */
function folders(rows) {
  const root = { name: "", bytes: 0, count: 0, below: new Map() };
  for (const file of rows) {
    let node = root;
    const bytes = file.read_bytes + file.written_bytes;
    for (const name of file.path.split("/").filter(Boolean)) {
      node.bytes += bytes;
      node.count += 1;
      if (!node.below.has(name)) node.below.set(name, { name, bytes: 0, count: 0, below: new Map() });
      node = node.below.get(name);
    }
    node.bytes += bytes;
    node.count += 1;
    node.file = file;
  }
  return root;
}

let fileClass = files.some((row) => row.class === "own") ? "own" : "";

function fileTree(body, words) {
  const found = files.filter((row) => matches(row.search, words) && (words.length || fileClass === "" || row.class === fileClass));
  const classes = [...new Set(files.map((row) => row.class))].sort();
  const select = make("select", { ariaLabel: "Class of files" },
    make("option", { value: "" }, "all files"),
    ...classes.map((name) => make("option", { value: name, selected: name === fileClass }, name === "own" ? "own files" : name)));
  select.addEventListener("change", () => {
    fileClass = select.value;
    render(searchWords());
  });
  body.append(make("p", { className: "note" }, select, " by bytes read and written; R read, W written, O opened, D deleted, N renamed, ✖ failed"));
  const tree = make("div", { className: "tree scroll" });
  const root = folders(found);
  branches(tree, root, "/", Math.max(root.bytes, 1), words.length > 0);
  body.append(tree);
  return found.length;
}

/** Append what is below a folder, the largest first; a folder shows its own when it is opened. */
function branches(holder, node, path, total, open) {
  const below = [...node.below.values()].sort((one, other) => other.bytes - one.bytes || compare(one.name, other.name));
  holder.append(paged(holder, below, (child) => branch(child, path, total, open)));
}

function branch(node, path, total, open) {
  let name = node.name;
  while (!node.file && node.below.size === 1) {
    [node] = node.below.values();
    name += `/${node.name}`;
  }
  const meter = make("meter", { value: node.bytes / total, ariaLabel: "share" });
  if (!node.below.size) return leaf(name, node, meter);
  const label = make("span", { className: "row" }, make("span", { className: "name" }, `${name}/`),
    make("span", { className: "size" }, `${node.count} files`), make("span", { className: "size" }, size(node.bytes)), meter);
  const details = make("details", {}, make("summary", {}, label));
  const show = () => {
    if (details.open && details.childNodes.length === 1) branches(details, node, `${path}${name}/`, total, open && node.count < STEP);
  };
  details.addEventListener("toggle", show);
  if (open && node.count < STEP) {
    details.open = true;
    show();
  }
  return details;
}

function leaf(name, node, meter) {
  const { file } = node;
  const facts = [file.uses, file.errors].filter(Boolean).join(" ");
  const title = [file.path, file.procs, file.names && `also ${file.names}`, `${file.ops} operations`, duration(file.io_us)].filter(Boolean).join("\n");
  return make("div", { className: `leaf ${file.errors ? "failed-text" : ""}`, title },
    make("span", { className: "name" }, name), make("span", { className: "size" }, facts), make("span", { className: "size" }, size(node.bytes)), meter);
}

// -- conversations ----------------------------------------------------------------------------

const flows = searchable(rowsOf("flows"));
const byChannel = new Map();
for (const one of requests) {
  if (!byChannel.has(one.flow)) byChannel.set(one.flow, []);
  byChannel.get(one.flow).push(one);
}

function conversations(body, words) {
  const matching = flows.filter((row) => matches(row.search, words) || (byChannel.get(row.id) ?? []).some((one) => matches(one.search, words)));
  const found = narrowed(body, matching, words, "network", (row) => row.is_startup, "of start-up");
  if (!found.length) return 0;
  const holder = make("div", { className: "scroll" });
  body.append(holder, paged(holder, found, (row) => conversation(row, words)));
  return found.length;
}

function conversation(row, words) {
  const asked = byChannel.get(row.id) ?? [];
  const facts = [at(row.at_us), `${row.proc} [${row.pid}]`, row.role === "server" ? "←" : "→", row.peer || row.local, row.protocol,
    row.sent === null ? "" : `${size(row.sent)} sent, ${size(row.received)} received`, duration(row.duration_us), row.error];
  const label = make("summary", { className: `mono ${row.error ? "failed-text" : ""}` }, facts.filter(Boolean).join("  "),
    asked.length ? `  ${asked.length} ${asked.length === 1 ? "request" : "requests"}` : null);
  const details = make("details", {}, label);
  const show = () => {
    if (!details.open || details.childNodes.length > 1) return;
    const inside = make("div", {}, make("p", { className: "note" }, `local ${row.local || "not known"}, closed by ${row.reason || "none yet"}`));
    inside.append(paged(inside, asked, request));
    details.append(inside);
  };
  details.addEventListener("toggle", show);
  if (words.length && asked.some((one) => matches(one.search, words))) {
    details.open = true;
    show();
  }
  return details;
}

function request(one) {
  const head = `${at(one.at_us)}  ${one.method} ${one.url}  ${one.status ?? "no response"}  ${duration(one.duration_us)}`;
  const failed = one.status === null || one.status >= 400;
  return make("details", {},
    make("summary", { className: `mono ${failed ? "failed-text" : ""}` }, head),
    make("div", {}, ...message("Request", one.request_headers, one.request_body), ...message("Response", one.response_headers, one.response_body)));
}

function message(name, headers, body) {
  const found = [make("p", { className: "note" }, headers || body ? name : `${name}: not recorded (run -p records it)`)];
  if (headers) found.push(make("pre", {}, headers));
  if (body) found.push(make("pre", {}, body));
  return found;
}

// -- output -----------------------------------------------------------------------------------

function output(body, words) {
  const found = lines.filter((row) => matches(row.search, words));
  table(body, [
    { name: "at_us", heading: "time, s", number: true, text: (row) => at(row.at_us) },
    { name: "proc", heading: "program", text: (row) => `${row.proc} [${row.pid}]` },
    { name: "source", heading: "to" },
    { name: "text", heading: "text", wide: true },
  ], found, (row) => (row.source === "stderr" ? "stderr" : ""));
  return found.length;
}

// -- search -----------------------------------------------------------------------------------

const search = document.getElementById("search");

function searchWords() {
  return search.value.toLowerCase().split(/\s+/).filter(Boolean);
}

function start() {
  verdict();
  section("timeline", "Timeline", null, timeline);
  section("errors", "Errors", "errors", errorTable);
  section("processes", "Processes", "processes", processTable);
  section("files", "Files", "files", fileTree);
  section("network", "Network", "flows", conversations);
  section("output", "Output and logs", "lines", output);
  render([]);
  let wait = 0;
  search.addEventListener("input", () => {
    clearTimeout(wait);
    wait = setTimeout(() => render(searchWords()), 150);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== search) {
      event.preventDefault();
      search.focus();
    }
  });
}

start();
