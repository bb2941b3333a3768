// Points in square cells, so that a search looks at those near alone.

const CELL = 8; // pixels of the whole map

export class Grid {
  // `places` are [x, y] of each point, from 0 to width and height.
  constructor(places, width, height) {
    this.places = places;
    [this.columns, this.rows] = [Math.ceil(width / CELL) + 1, Math.ceil(height / CELL) + 1];
    this.cells = new Map();
    places.forEach(([x, y], place) => {
      const cell = this.row(y) * this.columns + this.column(x);
      if (this.cells.has(cell)) this.cells.get(cell).push(place);
      else this.cells.set(cell, [place]);
    });
  }

  column(x) {
    return Math.min(Math.max(Math.floor(x / CELL), 0), this.columns - 1);
  }

  row(y) {
    return Math.min(Math.max(Math.floor(y / CELL), 0), this.rows - 1);
  }

  // The points of the cells that a rectangle touches.
  within(left, top, right, bottom) {
    const found = [];
    for (let row = this.row(top); row <= this.row(bottom); row += 1) {
      for (let column = this.column(left); column <= this.column(right); column += 1) {
        for (const place of this.cells.get(row * this.columns + column) ?? []) found.push(place);
      }
    }
    return found;
  }

  // The nearest point within a reach, or null.
  nearest(x, y, reach) {
    let [best, least] = [null, reach ** 2];
    for (const place of this.within(x - reach, y - reach, x + reach, y + reach)) {
      const [a, b] = this.places[place];
      const distance = (a - x) ** 2 + (b - y) ** 2;
      if (distance < least) [best, least] = [place, distance];
    }
    return best;
  }

  // The points inside a closed line of [x, y], by the rule of even and odd crossings.
  inside(line) {
    const range = (at) => line.reduce(([low, high], one) => [Math.min(low, one[at]), Math.max(high, one[at])], [Infinity, -Infinity]);
    const [[left, right], [top, bottom]] = [range(0), range(1)];
    return this.within(left, top, right, bottom).filter((place) => {
      const [x, y] = this.places[place];
      let crossings = 0;
      line.forEach(([x1, y1], at) => {
        const [x2, y2] = line[(at + 1) % line.length];
        if (y1 > y !== y2 > y && x < x1 + ((y - y1) / (y2 - y1)) * (x2 - x1)) crossings += 1;
      });
      return crossings % 2 === 1;
    });
  }
}
