// The ten scores as bars of their softmax, and the verdict in words.

/**
 * @param {HTMLElement} container
 * @param {Float32Array | undefined} scores none where nothing is drawn
 */
export function tellScores(container, scores) {
  const shares = softmax(scores ?? new Float32Array(10));
  const best = shares.indexOf(Math.max(...shares));
  const rows = shares.map((share, digit) => {
    const percent = scores ? Math.round(100 * share) : 0;
    const row = document.createElement("li");
    const name = document.createElement("b");
    name.textContent = String(digit);
    const bar = document.createElement("i");
    bar.style.setProperty("--share", scores ? String(share) : "0");
    const number = document.createElement("span");
    number.textContent = `${percent} %`;
    row.append(name, bar, number);
    row.classList.toggle("best", scores !== undefined && digit === best);
    row.dataset["score"] = String(scores?.[digit] ?? "");
    return row;
  });
  container.querySelector("#digit-scores")?.replaceChildren(...rows);
  const verdict = container.querySelector("#digit-verdict");
  const words = scores ? `Read as ${best}.` : "Nothing is drawn yet.";
  // A text that is set again is read out again.
  if (verdict && verdict.textContent !== words) {
    verdict.textContent = words;
  }
}

/** @param {Float32Array} scores */
function softmax(scores) {
  const most = Math.max(...scores);
  const powers = [...scores].map((score) => Math.exp(score - most));
  const sum = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / sum);
}
