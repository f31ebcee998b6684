// A reporter for `node --test` that `cargo xtask test` reads: one line for the whole run, written
// when it is over, with the number of tests that passed, failed and were cancelled.

export default async function* report(events) {
  for await (const { type, data } of events) {
    // Files are summed up, too, each with its name; the whole run has none.
    if (type === "test:summary" && data.file === undefined) {
      yield `${JSON.stringify({ success: data.success, counts: data.counts })}\n`;
    }
  }
}
