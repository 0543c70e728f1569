// The picture that the page starts with: text, thin lines and texture, in which a pixel out of
// place is seen at once. Its sides are odd on each of three levels, so each of them tilts.

const WIDTH = 401;
const HEIGHT = 301;

/**
 * @typedef {{ rgba: Uint8ClampedArray, width: number, height: number }} Picture
 */

/** @returns {Picture} */
export function drawn() {
  const canvas = document.createElement("canvas");
  canvas.width = WIDTH;
  canvas.height = HEIGHT;
  const context = /** @type {CanvasRenderingContext2D} */ (
    canvas.getContext("2d", { willReadFrequently: true })
  );
  ground(context);
  text(context);
  fan(context);
  rings(context);
  bars(context);
  weave(context);
  return { rgba: context.getImageData(0, 0, WIDTH, HEIGHT).data, width: WIDTH, height: HEIGHT };
}

/** Dusk, in steps of the eight cells that three levels pool together.
 * @param {CanvasRenderingContext2D} context */
function ground(context) {
  for (let y = 0; y < HEIGHT; y += 8) {
    for (let x = 0; x < WIDTH; x += 8) {
      const [across, down] = [(x * 90) / WIDTH, (y * 90) / HEIGHT];
      context.fillStyle = `rgb(${40 + across} ${60 + down / 2} ${160 - down})`;
      context.fillRect(x, y, 8, 8);
    }
  }
}

/** @param {CanvasRenderingContext2D} context */
function text(context) {
  context.textBaseline = "top";
  context.fillStyle = "#fff";
  context.font = "bold 44px system-ui, sans-serif";
  context.fillText("unpool", 22, 16);
  context.fillStyle = "#ffd678";
  context.font = "17px system-ui, sans-serif";
  context.fillText("every maximum", 24, 70);
  context.fillText("in its own place", 24, 92);
}

/** Thin lines from one point, at every angle.
 * @param {CanvasRenderingContext2D} context */
function fan(context) {
  for (let i = 0; i < 13; i++) {
    context.strokeStyle = `rgb(${120 + 10 * i} 235 ${215 - 10 * i})`;
    context.lineWidth = 1.5;
    context.beginPath();
    context.moveTo(24, 280);
    context.lineTo(24 + i * 13, 126 + i * i);
    context.stroke();
  }
}

/** @param {CanvasRenderingContext2D} context */
function rings(context) {
  for (let i = 0; i < 7; i++) {
    context.strokeStyle = `rgb(255 ${195 - 20 * i} ${90 + 22 * i})`;
    context.lineWidth = 2;
    context.beginPath();
    context.arc(308, 92, 6 + i * 11, 0, 2 * Math.PI);
    context.stroke();
  }
}

/** @param {CanvasRenderingContext2D} context */
function bars(context) {
  for (const [i, colour] of ["#ec4848", "#f2a028", "#f0dc46", "#46be6e", "#468ce6"].entries()) {
    context.fillStyle = colour;
    context.fillRect(202 + 16 * i, 190, 12, 92);
  }
}

/** @param {CanvasRenderingContext2D} context */
function weave(context) {
  for (let y = 190; y < 282; y++) {
    for (let x = 294; x < 382; x++) {
      const bright = 225 - 9 * Math.min((x + y) % 12, (x + 288 - y) % 12);
      const warm = (Math.floor(x / 6) + Math.floor(y / 6)) % 2 === 0;
      context.fillStyle = warm
        ? `rgb(${bright} ${bright - 30} 130)`
        : `rgb(110 ${bright - 60} ${bright})`;
      context.fillRect(x, y, 1, 1);
    }
  }
}
