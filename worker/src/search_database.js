// One call for all statements of a transaction: each call crosses into JavaScript and back.

/**
 * Runs statements as one transaction. They come as JSON, `[[sql, [parameters]], …]`, and so does
 * the result: the rows of each, as lists of cells. Throws what D1 throws, or that it took too long.
 */
export async function batch(database, statements, millis) {
  const bound = JSON.parse(statements).map(([sql, values]) => database.prepare(sql).bind(...values));
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("took too long")), millis);
  });
  try {
    const results = await Promise.race([database.batch(bound), late]);
    return JSON.stringify(results.map(({ results }) => results.map(Object.values)));
  } finally {
    clearTimeout(timer);
  }
}
