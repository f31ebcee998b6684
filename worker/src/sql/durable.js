// SQL statements as one call from the module, instead of one for each parameter.

const [NULL, NUMBER, TEXT, BLOB] = [0, 1, 2, 3];

/**
 * Parameters of statements, as lists. `shape` has two numbers for each parameter: its kind, and its
 * value or its length; any other kind ends the parameters of one statement. Texts and blobs come
 * joined; a text's length is in UTF-16 code units. The arrays are views of the module's memory,
 * which changes after the call.
 */
function unpack(shape, texts, blobs) {
  const lists = [[]];
  let text = 0;
  let blob = 0;
  for (let n = 1; n < shape.length; n += 2) {
    const [kind, number] = [shape[n - 1], shape[n]];
    const bindings = lists[lists.length - 1];
    if (kind === NULL) bindings.push(null);
    else if (kind === NUMBER) bindings.push(number);
    else if (kind === TEXT) bindings.push(texts.slice(text, (text += number)));
    else if (kind === BLOB) bindings.push(blobs.slice(blob, (blob += number)));
    else lists.push([]);
  }
  return lists;
}

/** Runs statements without results, in order, with a NUL between them; the rows that they touched. */
export function run(sql, statements, shape, texts, blobs) {
  const lists = unpack(shape, texts, blobs);
  let sum = 0;
  statements.split("\0").forEach((statement, n) => (sum += touched(sql.exec(statement, ...lists[n]))));
  return sum;
}

/** The rows that a statement touched, the number of its columns, and all cells of its result. */
export function query(sql, statement, shape, texts, blobs) {
  const [bindings] = unpack(shape, texts, blobs);
  const cursor = sql.exec(statement, ...bindings);
  const rows = cursor.raw().toArray();
  return [touched(cursor), rows[0]?.length ?? 0, ...rows.flat()];
}

/** Rows read plus 2^32 times rows written, which a double holds exactly. */
function touched({ rowsRead, rowsWritten }) {
  return rowsRead + rowsWritten * 2 ** 32;
}
