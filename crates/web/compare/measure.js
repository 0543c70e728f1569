// Side by side in one page: TensorFlow.js's maxPoolWithArgmax and this library's, on the same
// adapter and the same input. Runs in the browser.

const SHAPE = [8, 112, 112, 64];
const KERNEL = 2;
const WARM = 3;
const ROUNDS = 15;

/**
 * @param {string} build the address of the page's pkg/unpool.js
 */
export async function measure(build) {
  const library = await import(build);
  await library.default();
  const device = await library.Device.request();
  const tf = /** @type {any} */ (globalThis).tf;
  await tf.setBackend("webgpu");
  await tf.ready();
  const [batch = 0, height = 0, width = 0, channels = 0] = SHAPE;

  // Few different values, so that many windows have two maxima.
  const input = Float32Array.from({ length: batch * height * width * channels }, (_, i) => {
    const mixed = Math.imul(i + 1, 0x9e3779b1);
    return (Math.imul(mixed ^ (mixed >>> 15), 0x85ebca6b) >>> 25) / 4;
  });
  const two = new Uint32Array([KERNEL, KERNEL]);
  const one = new Uint32Array([1, 1]);
  const shape = new Uint32Array(SHAPE);
  const none = new Uint32Array();
  const geometry = new library.Geometry("NHWC", shape, two, two, one, "valid", none, false);
  const ours = new library.PreparedMaxPool(device, geometry, input);
  const x = tf.tensor4d(input, SHAPE);
  const theirs = () => tf.maxPoolWithArgmax(x, KERNEL, KERNEL, "valid");

  /** @type {Record<"ours" | "theirs", number[]>} */
  const times = { ours: [], theirs: [] };
  for (let round = 0; round < WARM + ROUNDS; round++) {
    const start = performance.now();
    await ours.run();
    const between = performance.now();
    const { result, indexes } = theirs();
    await finish(tf.backend());
    const end = performance.now();
    result.dispose();
    indexes.dispose();
    if (round >= WARM) {
      times.ours.push(between - start);
      times.theirs.push(end - between);
    }
  }

  const found = await ours.read();
  const { result, indexes } = theirs();
  const compared = compare(input, {
    values: [found.values, await result.data()],
    indices: [library.tapsToIndices(geometry, found.taps, "image"), await indexes.data()],
  });
  const info = (await navigator.gpu.requestAdapter())?.info;
  const theirInfo = tf.backend().adapterInfo;
  return {
    adapters: [info, theirInfo].map((i) => `${i?.vendor} ${i?.architecture}`),
    ours: median(times.ours),
    theirs: median(times.theirs),
    complaint: device.complaint,
    ...compared,
  };
}

/** Waits until TensorFlow.js's device is done; nothing is read back.
 * @param {any} backend */
async function finish(backend) {
  backend.endComputePassEncoder();
  backend.submitQueue();
  await backend.queue.onSubmittedWorkDone();
}

/**
 * Counts what differs, and among the indices those that are ties of which we keep the first in
 * raster order and TensorFlow.js the last.
 * @param {Float32Array} input
 * @param {{ values: [Float32Array, Float32Array], indices: [Uint32Array, Int32Array] }} found
 */
function compare(input, { values: [ours, theirs], indices: [first, last] }) {
  const [, height = 0, width = 0, channels = 0] = SHAPE;
  const image = height * width * channels;
  const pooled = ours.length / (SHAPE[0] ?? 1);
  const counts = { elements: ours.length, values: 0, indices: 0, ties: 0 };
  for (let i = 0; i < ours.length; i++) {
    counts.values += Object.is(ours[i], theirs[i]) ? 0 : 1;
    const [a = 0, b = 0] = [first[i], last[i]];
    if (a === b) {
      continue;
    }
    counts.indices++;
    const cells = window(i % pooled, width, channels);
    const start = Math.floor(i / pooled) * image;
    const holding = cells.filter((cell) => input[start + cell] === ours[i]);
    counts.ties += holding[0] === a && holding.at(-1) === b ? 1 : 0;
  }
  return counts;
}

/** The cells of a pooled element's window, flattened as TensorFlow does, in raster order.
 * @param {number} element @param {number} width @param {number} channels */
function window(element, width, channels) {
  const c = element % channels;
  const pixel = (element - c) / channels;
  const pooledWidth = width / KERNEL;
  const [y, x] = [Math.floor(pixel / pooledWidth) * KERNEL, (pixel % pooledWidth) * KERNEL];
  const at = (/** @type {number} */ dy, /** @type {number} */ dx) =>
    ((y + dy) * width + x + dx) * channels + c;
  return [at(0, 0), at(0, 1), at(1, 0), at(1, 1)];
}

/** @param {number[]} numbers */
function median(numbers) {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN;
}
