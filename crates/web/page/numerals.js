// Ten digits to take instead of drawing one: strokes of points, x and y from 0 to 1 of the pad.

/** From point to point of a curve. */
const DEGREES = 5;

/** @typedef {[number, number][]} Stroke */

/** @param {number} digit @returns {Stroke[]} */
export function numeral(digit) {
  const strokes = NUMERALS[digit] ?? [];
  return strokes.map((stroke) => stroke.map(([x, y]) => [x, y]));
}

/**
 * A part of an ellipse; degrees go clockwise from the right.
 * @param {[number, number]} middle
 * @param {[number, number]} radii
 * @param {number} from
 * @param {number} to
 * @returns {Stroke}
 */
function arc([x, y], [across, down], from, to) {
  const steps = Math.ceil(Math.abs(to - from) / DEGREES);
  return Array.from({ length: steps + 1 }, (_, i) => {
    const angle = ((from + ((to - from) * i) / steps) * Math.PI) / 180;
    return [x + across * Math.cos(angle), y + down * Math.sin(angle)];
  });
}

/** @type {Stroke[][]} */
const NUMERALS = [
  [arc([0.5, 0.5], [0.22, 0.35], -90, 270)],
  [[[0.38, 0.28], [0.53, 0.15], [0.53, 0.85]]],
  [[...arc([0.5, 0.34], [0.2, 0.19], -170, 30), [0.3, 0.84], [0.74, 0.84]]],
  [[...arc([0.48, 0.32], [0.19, 0.17], -160, 90), ...arc([0.48, 0.67], [0.22, 0.18], -90, 155)]],
  [
    [[0.5, 0.14], [0.26, 0.58], [0.74, 0.58]],
    [[0.62, 0.38], [0.58, 0.86]],
  ],
  [[[0.68, 0.16], [0.36, 0.16], [0.33, 0.46], ...arc([0.48, 0.63], [0.21, 0.21], -130, 150)]],
  [arc([0.62, 0.5], [0.3, 0.36], -100, -180), arc([0.5, 0.67], [0.18, 0.18], 180, -180)],
  [
    [[0.28, 0.17], [0.72, 0.17], [0.46, 0.85]],
    [[0.38, 0.5], [0.7, 0.5]],
  ],
  [arc([0.5, 0.32], [0.16, 0.16], 90, -270), arc([0.5, 0.67], [0.2, 0.19], -90, 270)],
  [arc([0.49, 0.34], [0.18, 0.18], 0, -360), [[0.67, 0.34], [0.62, 0.6], [0.5, 0.86]]],
];
