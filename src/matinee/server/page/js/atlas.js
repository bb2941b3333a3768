// A canvas of points that is wheeled, pinched, dragged and steered by keys.

import { el } from "./dom.js";
import { Grid } from "./grid.js";
import { paintSquares, pixelOf } from "./pixels.js";

const night = matchMedia("(prefers-color-scheme: dark)");
let latest = null; // the map on the page: one listener redraws it, however many were drawn before
night.addEventListener("change", () => latest?.draw());
const HEIGHT = 0.62; // of the width
const MOST_HEIGHT = 560; // or what a tall screen has below the ABOVE pixels over the map
const ABOVE = 440;
const REACH = 14; // pixels from a point that still mean it
const LABELS = 40; // names shown at once, at most
const MARGIN = 24;
const MOST_CIRCLES = 20000; // seen at once
const TRIED = 2000; // names for which room is looked for
const [SOLID, FADED] = [0.8, 0.15]; // how much of a colour is seen, where others are marked

export const N_COLORS = 8; // --c0 to --c7 of charts.css

function colors() {
  const style = getComputedStyle(document.documentElement);
  return Array.from({ length: N_COLORS }, (_, place) => style.getPropertyValue(`--c${place}`).trim());
}

// Whether words of a width have room beside those that are written.
function isFree(taken, x, y, width) {
  return !taken.some(([a, b, w]) => x < a + w && a < x + width && Math.abs(b - y) < 16);
}

// `points` are {id, name, x, y, color, n_ratings}, `regions` {name, x, y} with a color where they have
// one; `onpick(point)`.
export class Atlas {
  constructor(points, regions, { title, onpick }) {
    Object.assign(this, { points, regions, onpick, marked: null, lines: [], here: null });
    this.byCount = points.map((_, place) => place).sort((a, b) => points[b].n_ratings - points[a].n_ratings);
    this.markedPlaces = [];
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
    [this.width, this.height] = [width, Math.round(Math.min(width * HEIGHT + 120, Math.max(MOST_HEIGHT, innerHeight - ABOVE)))];
    const ratio = devicePixelRatio || 1;
    this.canvas.style.height = `${this.height}px`;
    [this.canvas.width, this.canvas.height] = [this.width * ratio, this.height * ratio];
    const range = (of) => this.points.reduce(([low, high], one) => [Math.min(low, of(one)), Math.max(high, of(one))], [Infinity, -Infinity]);
    const [[x0, x1], [y0, y1]] = [range((one) => one.x), range((one) => one.y)];
    const fit = Math.min((this.width - 2 * MARGIN) / (x1 - x0 || 1), (this.height - 2 * MARGIN) / (y1 - y0 || 1));
    this.base = (x, y) => [this.width / 2 + (x - (x0 + x1) / 2) * fit, this.height / 2 - (y - (y0 + y1) / 2) * fit];
    this.grid = new Grid(this.points.map((one) => this.base(one.x, one.y)), this.width, this.height);
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
  mark(ids, lines = []) {
    this.marked = ids.length ? new Set(ids) : null;
    this.lines = lines;
    this.markedPlaces = this.marked ? this.byCount.filter((place) => this.marked.has(this.points[place].id)) : [];
    this.canvas.dataset.marked = this.markedPlaces.length;
    this.draw();
  }

  // Say where somebody is: {name, x, y}.
  locate(here) {
    this.here = here;
    this.canvas.dataset.here = here.name;
    this.draw();
  }

  // A place of the canvas in pixels of the whole map at scale 1, which the grid has.
  whole(x, y) {
    return [x / this.view.scale + this.view.x, y / this.view.scale + this.view.y];
  }

  nearest(x, y) {
    const place = this.grid.nearest(...this.whole(x, y), REACH / this.view.scale);
    return place === null ? null : this.points[place];
  }

  // Where a point is on the canvas.
  onCanvas(place) {
    const [a, b] = this.grid.places[place];
    return [(a - this.view.x) * this.view.scale, (b - this.view.y) * this.view.scale];
  }

  // The points in the part of the map that is seen, and a few pixels around it, by their places.
  placesInView(margin) {
    const [left, top] = this.whole(-margin, -margin);
    const [right, bottom] = this.whole(this.width + margin, this.height + margin);
    return this.grid.within(left, top, right, bottom);
  }

  inView() {
    return this.placesInView(0).map((place) => this.points[place]);
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
    this.paintLasso(pen, ink);
    pen.lineJoin = "round";
    const taken = []; // [left, middle, width] of what is written
    const written = (font, paint) => { pen.font = `${font} ${style.fontFamily}`; paint.call(this, pen, taken, ink, paper); };
    const names = [["700 15px", this.paintRegions], ["12px", this.paintNames]];
    if (this.here) written("700 14px", this.paintHere);
    for (const [font, paint] of this.marked ? names.reverse() : names) written(font, paint); // what is marked comes first
  }

  paintHere(pen, taken, ink, paper) {
    const { name } = this.here;
    const [x, y] = this.at(this.here.x, this.here.y);
    if (x < 0 || x > this.width || y < 0 || y > this.height) return;
    pen.strokeStyle = ink;
    pen.lineWidth = 2;
    pen.beginPath();
    pen.arc(x, y, 9, 0, 7);
    pen.stroke();
    const width = pen.measureText(name).width;
    const left = x + 14 + width < this.width ? x + 14 : Math.max(x - 14 - width, 4);
    taken.push([left, y, width + 8]);
    this.write(pen, name, [left, y + 5], { ink, paper });
  }

  // Circles; where there are very many, squares that are written into the pixels.
  paintPoints(pen, ink) {
    const palette = colors();
    const size = Math.min(2.2 + Math.sqrt(this.view.scale), 6);
    const places = this.placesInView(9);
    const many = places.length > MOST_CIRCLES;
    if (many) {
      const shades = palette.map((one) => pixelOf(pen, one, this.marked ? FADED : SOLID));
      paintSquares(pen, { places, grid: this.grid, view: this.view, side: size, shadeOf: (place) => shades[this.points[place].color] });
    }
    for (const place of many ? this.markedPlaces : places) {
      const point = this.points[place];
      const [x, y] = this.onCanvas(place);
      const marked = this.marked?.has(point.id);
      pen.globalAlpha = this.marked && !marked ? FADED : SOLID;
      pen.fillStyle = palette[point.color];
      pen.beginPath();
      pen.arc(x, y, marked ? size + 2 : size, 0, 7);
      pen.fill();
      if (marked) { pen.strokeStyle = ink; pen.lineWidth = 1.5; pen.stroke(); }
    }
    pen.globalAlpha = 1;
  }

  // The line that is being drawn around points.
  paintLasso(pen, ink) {
    if (!this.lasso?.length) return;
    pen.strokeStyle = ink;
    pen.lineWidth = 2;
    pen.setLineDash([6, 4]);
    pen.beginPath();
    this.lasso.forEach(([x, y], place) => (place ? pen.lineTo(x, y) : pen.moveTo(x, y)));
    pen.stroke();
    pen.setLineDash([]);
  }

  // From now on one stroke goes around points: `done(points)` gets those inside.
  startLasso(done) {
    Object.assign(this, { lasso: [], onlasso: done });
    this.canvas.style.cursor = "crosshair";
  }

  endLasso() {
    const line = this.lasso.map(([x, y]) => this.whole(x, y));
    const done = this.onlasso;
    Object.assign(this, { lasso: null, onlasso: null });
    this.canvas.style.cursor = "";
    done(this.grid.inside(line).map((place) => this.points[place]));
    this.draw();
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

  // The names of the regions, the commonest first, where they have room and lie on the canvas.
  paintRegions(pen, taken, ink, paper) {
    const palette = colors();
    const before = taken.length;
    for (const region of this.regions) {
      const [x, y] = this.at(region.x, region.y);
      const width = pen.measureText(region.name).width + 12;
      const isInside = x > width / 2 && x + width / 2 < this.width && y > 8 && y < this.height - 8;
      if (!isInside || !isFree(taken, x - width / 2, y, width)) continue;
      taken.push([x - width / 2, y, width]);
      this.write(pen, region.name, [x, y + 5], { align: "center", ink: palette[region.color] ?? ink, paper });
    }
    this.canvas.dataset.regions = taken.length - before;
  }

  // Names of what is marked, or of the landmarks, kept apart from one another.
  paintNames(pen, taken, ink, paper) {
    let tried = 0;
    for (const place of this.byCount) {
      if (taken.length >= LABELS || tried >= TRIED) break;
      const point = this.points[place];
      if (this.marked && !this.marked.has(point.id)) continue;
      const [x, y] = this.onCanvas(place);
      if (x < 0 || y < 8 || x > this.width || y > this.height - 4) continue;
      tried += 1;
      const width = pen.measureText(point.name).width + 12;
      if (x + width > this.width || !isFree(taken, x, y, width)) continue;
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
    canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); this.pointers.set(event.pointerId, place(event)); this.moved = 0; if (this.lasso) this.lasso = [place(event)]; });
    canvas.addEventListener("pointermove", (event) => this.drag(event.pointerId, place(event)));
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (event) => { this.pointers.delete(event.pointerId); if (this.lasso?.length > 2) this.endLasso(); });
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
    if (this.lasso) { this.lasso.push(now); return this.draw(); }
    if (!other) return this.pan(now[0] - before[0], now[1] - before[1]);
    const distance = ([x, y]) => Math.hypot(x - other[0], y - other[1]) || 1;
    return this.zoom(distance(now) / distance(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
  }
}
