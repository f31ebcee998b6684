// SQL statements as one call from the module, instead of one for each parameter.

const [NULL, NUMBER, TEXT] = [0, 1, 2];

/**
 * The cursor of a statement. `shape` has two numbers for each parameter: its kind, and its value or
 * its length. Texts and blobs come joined; a text's length is in UTF-16 code units. The arrays are
 * views of the module's memory, which changes after the call.
 */
function exec(sql, statement, shape, texts, blobs) {
  const bindings = [];
  let text = 0;
  let blob = 0;
  for (let n = 1; n < shape.length; n += 2) {
    const [kind, number] = [shape[n - 1], shape[n]];
    if (kind === NULL) bindings.push(null);
    else if (kind === NUMBER) bindings.push(number);
    else if (kind === TEXT) bindings.push(texts.slice(text, (text += number)));
    else bindings.push(blobs.slice(blob, (blob += number)));
  }
  return sql.exec(statement, ...bindings);
}

/** Runs a statement without a result; the rows that it touched. */
export function run(sql, statement, shape, texts, blobs) {
  return touched(exec(sql, statement, shape, texts, blobs));
}

/** The rows that a statement touched, the number of its columns, and all cells of its result. */
export function query(sql, statement, shape, texts, blobs) {
  const cursor = exec(sql, statement, shape, texts, blobs);
  const rows = cursor.raw().toArray();
  return [touched(cursor), rows[0]?.length ?? 0, ...rows.flat()];
}

/** Rows read plus 2^32 times rows written, which a double holds exactly. */
function touched({ rowsRead, rowsWritten }) {
  return rowsRead + rowsWritten * 2 ** 32;
}
