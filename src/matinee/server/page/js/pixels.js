// Very many points, as squares that are written into the pixels of a canvas.

// Paint `places` of a grid, as a view shows them, in place of what stands on the canvas. A frame of
// 100,000 circles or rectangles takes a tenth of a second; of pixels, a hundredth.
export function paintSquares(pen, { places, grid, view, shadeOf, side }) {
  const { width, height } = pen.canvas;
  const ratio = devicePixelRatio || 1;
  const image = pen.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  const edge = Math.max(Math.round(side * ratio), 1);
  for (const place of places) {
    const [a, b] = grid.places[place];
    const left = Math.round((a - view.x) * view.scale * ratio - edge / 2);
    const top = Math.round((b - view.y) * view.scale * ratio - edge / 2);
    const [right, bottom] = [Math.min(left + edge, width), Math.min(top + edge, height)];
    const shade = shadeOf(place);
    for (let y = Math.max(top, 0); y < bottom; y += 1) {
      for (let x = Math.max(left, 0); x < right; x += 1) pixels[y * width + x] = shade;
    }
  }
  pen.putImageData(image, 0, 0);
}

// A colour as a pixel: red is the lowest byte, on every machine that browsers run on.
export function pixelOf(pen, color, alpha) {
  pen.fillStyle = color;
  const code = parseInt(pen.fillStyle.slice(1), 16); // a canvas says #rrggbb for any opaque colour
  return ((Math.round(255 * alpha) << 24) | ((code & 255) << 16) | (code & 0xff00) | (code >> 16)) >>> 0;
}
