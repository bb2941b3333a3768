// A canvas of points that is wheeled, pinched, dragged and steered by keys.

import { el } from "./dom.js";

// The colours of charts.css, c0 to c7, light and dark.
const LIGHT = ["#0072b2", "#d55e00", "#008a63", "#b5528f", "#b57f00", "#2b8fce", "#7a5cc7", "#7d7d7d"];
const DARK = ["#56b4e9", "#f0813a", "#1fbf92", "#e08dbf", "#e6b13d", "#8cc8f2", "#b39df0", "#a8a8a8"];
const night = matchMedia("(prefers-color-scheme: dark)");
let latest = null; // the map on the page: one listener redraws it, however many were drawn before
night.addEventListener("change", () => latest?.draw());
const HEIGHT = 0.62; // of the width, at most MOST_HEIGHT
const MOST_HEIGHT = 560;
const REACH = 14; // pixels from a point that still mean it
const LABELS = 40; // names shown at once, at most
const MARGIN = 24;

export const colors = () => (night.matches ? DARK : LIGHT);

// Whether words of a width have room beside those that are written.
function isFree(taken, x, y, width) {
  return !taken.some(([a, b, w]) => x < a + w && a < x + width && Math.abs(b - y) < 16);
}

// `points` are {id, name, x, y, color, n_ratings}, `regions` {name, x, y, color}; `onpick(point)`.
export class Atlas {
  constructor(points, regions, { title, onpick }) {
    Object.assign(this, { points, regions, onpick, marked: null, lines: [], here: null });
    this.byCount = [...points].sort((a, b) => b.n_ratings - a.n_ratings);
    this.canvas = el("canvas", { tabIndex: 0, role: "img", "aria-label": `${title}. Move with the arrow keys, zoom with + and −. The same stands in a list below.` });
    this.view = { scale: 1, x: 0, y: 0 }; // x and y in pixels of the whole map at scale 1
    this.pointers = new Map();
    this.listen();
    this.resized = new ResizeObserver(() => this.resize());
    this.resized.observe(this.canvas);
    latest = this;
  }

  resize() {
    const width = this.canvas.clientWidth;
    if (!width) return;
    [this.width, this.height] = [width, Math.round(Math.min(width * HEIGHT + 120, MOST_HEIGHT))];
    const ratio = devicePixelRatio || 1;
    this.canvas.style.height = `${this.height}px`;
    [this.canvas.width, this.canvas.height] = [this.width * ratio, this.height * ratio];
    const [xs, ys] = [this.points.map((one) => one.x), this.points.map((one) => one.y)];
    const range = (values) => values.reduce(([low, high], one) => [Math.min(low, one), Math.max(high, one)], [Infinity, -Infinity]);
    const [[x0, x1], [y0, y1]] = [range(xs), range(ys)];
    const fit = Math.min((this.width - 2 * MARGIN) / (x1 - x0 || 1), (this.height - 2 * MARGIN) / (y1 - y0 || 1));
    this.base = (x, y) => [this.width / 2 + (x - (x0 + x1) / 2) * fit, this.height / 2 - (y - (y0 + y1) / 2) * fit];
    this.draw();
  }

  // Where a place of the map is on the canvas.
  at(x, y) {
    const [a, b] = this.base(x, y);
    return [(a - this.view.x) * this.view.scale, (b - this.view.y) * this.view.scale];
  }

  zoom(by, x = this.width / 2, y = this.height / 2) {
    const scale = Math.min(Math.max(this.view.scale * by, 1), 60);
    this.move(this.view.x + x / this.view.scale - x / scale, this.view.y + y / this.view.scale - y / scale, scale);
  }

  pan(dx, dy) {
    this.move(this.view.x - dx / this.view.scale, this.view.y - dy / this.view.scale, this.view.scale);
  }

  move(x, y, scale) {
    const [roomX, roomY] = [this.width - this.width / scale, this.height - this.height / scale];
    this.view = { scale, x: Math.min(Math.max(x, 0), roomX), y: Math.min(Math.max(y, 0), roomY) };
    this.canvas.dataset.scale = scale.toFixed(2);
    this.draw();
  }

  show(point) {
    const scale = Math.max(this.view.scale, 4);
    const [a, b] = this.base(point.x, point.y);
    this.move(a - this.width / scale / 2, b - this.height / scale / 2, scale);
  }

  // Mark some points; the others fade. `lines` are {from, to, weight} between points, weight 0 to 1.
  mark(ids, lines = [], here = null) {
    this.marked = ids.length ? new Set(ids) : null;
    Object.assign(this, { lines, here });
    this.canvas.dataset.marked = this.points.reduce((n, one) => n + (this.marked?.has(one.id) ? 1 : 0), 0);
    this.draw();
  }

  nearest(x, y) {
    let [best, least] = [null, REACH ** 2];
    for (const point of this.points) {
      const [a, b] = this.at(point.x, point.y);
      const distance = (a - x) ** 2 + (b - y) ** 2;
      if (distance < least) [best, least] = [point, distance];
    }
    return best;
  }

  draw() {
    if (this.waiting || !this.base) return;
    this.waiting = requestAnimationFrame(() => { this.waiting = 0; this.paint(); });
  }

  paint() {
    const pen = this.canvas.getContext("2d");
    const ratio = devicePixelRatio || 1;
    const style = getComputedStyle(this.canvas);
    const [ink, paper] = [style.color, style.backgroundColor];
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, this.width, this.height);
    this.paintPoints(pen, ink);
    this.paintLines(pen, ink);
    pen.lineJoin = "round";
    const taken = []; // [left, middle, width] of what is written
    pen.font = `700 15px ${style.fontFamily}`;
    if (!this.marked) this.paintRegions(pen, taken, paper);
    pen.font = `12px ${style.fontFamily}`;
    this.paintNames(pen, taken, ink, paper);
    if (this.here) {
      const [x, y] = this.at(this.here.x, this.here.y);
      pen.font = `700 14px ${style.fontFamily}`;
      pen.strokeStyle = pen.fillStyle = ink;
      pen.lineWidth = 2;
      pen.beginPath();
      pen.arc(x, y, 9, 0, 7);
      pen.stroke();
      this.write(pen, this.here.name, [x + 14, y + 5], { ink, paper });
    }
  }

  paintPoints(pen, ink) {
    const palette = colors();
    const size = Math.min(2.2 + Math.sqrt(this.view.scale), 6);
    for (const point of this.points) {
      const [x, y] = this.at(point.x, point.y);
      if (x < -9 || y < -9 || x > this.width + 9 || y > this.height + 9) continue;
      const marked = this.marked?.has(point.id);
      pen.globalAlpha = this.marked && !marked ? 0.15 : 0.8;
      pen.fillStyle = palette[point.color];
      pen.beginPath();
      pen.arc(x, y, marked ? size + 2 : size, 0, 7);
      pen.fill();
      if (marked) { pen.strokeStyle = ink; pen.lineWidth = 1.5; pen.stroke(); }
    }
    pen.globalAlpha = 1;
  }

  paintLines(pen, ink) {
    pen.strokeStyle = ink;
    pen.globalAlpha = 0.45;
    for (const { from, to, weight } of this.lines) {
      pen.lineWidth = 0.6 + 5 * weight;
      pen.beginPath();
      pen.moveTo(...this.at(from.x, from.y));
      pen.lineTo(...this.at(to.x, to.y));
      pen.stroke();
    }
    pen.globalAlpha = 1;
  }

  // The names of the classes, in their colours, the commonest first.
  paintRegions(pen, taken, paper) {
    const palette = colors();
    for (const region of this.regions) {
      const [x, y] = this.at(region.x, region.y);
      const width = pen.measureText(region.name).width + 12;
      if (!isFree(taken, x - width / 2, y, width)) continue;
      taken.push([x - width / 2, y, width]);
      this.write(pen, region.name, [x, y + 5], { align: "center", ink: palette[region.color], paper });
    }
  }

  // Names of what is marked, or of the landmarks, kept apart from one another.
  paintNames(pen, taken, ink, paper) {
    const order = this.marked ? this.byCount.filter((one) => this.marked.has(one.id)) : this.byCount;
    for (const point of order) {
      if (taken.length >= LABELS) break;
      const [x, y] = this.at(point.x, point.y);
      const width = pen.measureText(point.name).width + 12;
      const inside = x >= 0 && y >= 8 && x + width <= this.width && y <= this.height - 4;
      if (!inside || !isFree(taken, x, y, width)) continue;
      taken.push([x, y, width]);
      this.write(pen, point.name, [x + 8, y + 4], { ink, paper });
    }
  }

  write(pen, words, [x, y], { align = "left", ink, paper }) {
    pen.textAlign = align;
    pen.strokeStyle = paper;
    pen.lineWidth = 4;
    pen.strokeText(words, x, y);
    pen.fillStyle = ink;
    pen.fillText(words, x, y);
  }

  listen() {
    const { canvas } = this;
    const place = (event) => [event.offsetX, event.offsetY];
    canvas.addEventListener("wheel", (event) => { event.preventDefault(); this.zoom(Math.exp(-event.deltaY / 400), ...place(event)); }, { passive: false });
    canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); this.pointers.set(event.pointerId, place(event)); this.moved = 0; });
    canvas.addEventListener("pointermove", (event) => this.drag(event.pointerId, place(event)));
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (event) => this.pointers.delete(event.pointerId));
    canvas.addEventListener("click", (event) => {
      const point = this.moved > 5 ? null : this.nearest(...place(event));
      if (point) this.onpick(point);
    });
    canvas.addEventListener("keydown", (event) => {
      const keys = { "+": () => this.zoom(1.4), "-": () => this.zoom(1 / 1.4), ArrowLeft: () => this.pan(60, 0), ArrowRight: () => this.pan(-60, 0), ArrowUp: () => this.pan(0, 60), ArrowDown: () => this.pan(0, -60) };
      if (!keys[event.key]) return;
      event.preventDefault();
      keys[event.key]();
    });
  }

  // One pointer drags; two pinch.
  drag(id, now) {
    const before = this.pointers.get(id);
    if (!before) return;
    const other = [...this.pointers].find(([one]) => one !== id)?.[1];
    this.pointers.set(id, now);
    this.moved += Math.hypot(now[0] - before[0], now[1] - before[1]);
    if (!other) return this.pan(now[0] - before[0], now[1] - before[1]);
    const distance = ([x, y]) => Math.hypot(x - other[0], y - other[1]) || 1;
    return this.zoom(distance(now) / distance(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
  }
}
