// Every vector of the other frameworks, through the WebAssembly build: the four operations on
// WebGPU and on the CPU, and both conversions of the argmax, compared bit for bit.
//
// Runs in the browser; `import.meta.url` says where the build lies.

const AT_A_TIME = 8;

/**
 * @param {string} build the address of the page's pkg/unpool.js
 * @param {string} text lines of JSON, one case each
 * @returns {Promise<{ device: string, passed: number, failures: string[] }>}
 */
export async function check(build, text) {
  const library = await import(build);
  await library.default();
  const device = await library.Device.request();
  const failures = [];
  let passed = 0;
  /** @param {string} line */
  const one = async (line) => {
    const vector = JSON.parse(line);
    try {
      const differences = [
        ...(await run(library, onDevice(device), vector)),
        ...(await run(library, onCpu(library), vector)),
      ];
      failures.push(...differences.map((difference) => `${vector.name}: ${difference}`));
      passed += differences.length === 0 ? 1 : 0;
    } catch (error) {
      failures.push(`${vector.name}: ${error}`);
    }
  };
  // Some at a time: most of the time is the browser's, for each new shader.
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const workers = Array.from({ length: AT_A_TIME }, async () => {
    for (let line = lines.pop(); line !== undefined; line = lines.pop()) {
      await one(line);
    }
  });
  await Promise.all(workers);
  if (device.complaint) {
    failures.push(`the device complained: ${device.complaint}`);
  }
  return { device: device.description, passed, failures };
}

/** @param {any} device */
function onDevice(device) {
  return {
    where: "WebGPU",
    maxPool: device.maxPool.bind(device),
    maxUnpool: device.maxUnpool.bind(device),
    maxUnpoolBackward: device.maxUnpoolBackward.bind(device),
  };
}

/** @param {any} library */
function onCpu(library) {
  return {
    where: "CPU",
    maxPool: library.cpuMaxPool,
    maxUnpool: library.cpuMaxUnpool,
    maxUnpoolBackward: library.cpuMaxUnpoolBackward,
  };
}

/**
 * @param {any} library
 * @param {any} engine
 * @param {any} vector
 * @returns {Promise<string[]>} what differs
 */
async function run(library, engine, vector) {
  const named = typeof vector.padding === "string";
  const geometry = new library.Geometry(
    vector.layout,
    new Uint32Array(vector.input_shape),
    new Uint32Array(vector.kernel),
    new Uint32Array(vector.stride),
    new Uint32Array(vector.dilation),
    named ? vector.padding : "explicit",
    new Uint32Array(named ? [] : vector.padding.flat()),
    vector.ceil,
  );
  /** @type {string[]} */
  const differences = [];
  /** @param {string} what @param {any} found @param {any} expected */
  const same = (what, found, expected) => {
    const at = firstDifference(found, expected);
    if (at !== undefined) {
      const values = `found ${found[at]}, expected ${expected[at]}`;
      differences.push(`${engine.where}, ${what}: element ${at}: ${values}`);
    }
  };
  same("pooled shape", geometry.pooledShape, new Uint32Array(vector.pooled_shape));
  const pooled = await engine.maxPool(geometry, floats(vector.input));
  same("values", pooled.values, floats(vector.values));
  const space = vector.index_space;
  const indices = new Uint32Array(vector.indices);
  same("indices", library.tapsToIndices(geometry, pooled.taps, space), indices);
  const taps = library.tapsFromIndices(geometry, indices, space);
  same("taps", taps, pooled.taps);
  if (vector.pool_grad) {
    const { grad_output, grad_input } = vector.pool_grad;
    const found = await engine.maxUnpool(geometry, floats(grad_output), taps, true);
    same("gradient of the pooling", found, floats(grad_input));
  }
  if (vector.unpool) {
    const { updates, output, rule } = vector.unpool;
    const found = await engine.maxUnpool(geometry, floats(updates), taps, rule === "sum");
    same("unpooling", found, floats(output));
  }
  if (vector.unpool_grad) {
    const { grad_output, grad_updates } = vector.unpool_grad;
    const found = await engine.maxUnpoolBackward(geometry, floats(grad_output), taps);
    same("gradient of the unpooling", found, floats(grad_updates));
  }
  pooled.free();
  geometry.free();
  return differences;
}

/** Numbers, and the names of those that JSON does not have.
 * @param {(number | string)[]} written */
function floats(written) {
  return Float32Array.from(written, Number);
}

/**
 * The first element whose bits differ; a NaN is like any NaN, for frameworks do not agree on its
 * payload.
 * @param {any} found
 * @param {any} expected
 */
function firstDifference(found, expected) {
  if (found.length !== expected.length) {
    return Math.min(found.length, expected.length);
  }
  const at = found.findIndex(
    (/** @type {number} */ value, /** @type {number} */ i) => !Object.is(value, expected[i]),
  );
  return at < 0 ? undefined : at;
}
