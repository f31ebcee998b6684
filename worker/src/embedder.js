// The call of Workers AI, raced against a time.

/**
 * Asks a model for the vectors of texts: a list of them, empty if the answer has none. What is no
 * number in them becomes NaN. Throws what the binding throws, or that it took too long.
 */
export async function run(ai, model, texts, millis) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("took too long")), millis);
  });
  try {
    const { data } = (await Promise.race([ai.run(model, { text: texts }), late])) ?? {};
    const number = (item) => (typeof item === "number" ? item : Number.NaN);
    const vector = (item) => Float32Array.from(Array.isArray(item) ? item : [], number);
    return Array.isArray(data) ? data.map(vector) : [];
  } finally {
    clearTimeout(timer);
  }
}
