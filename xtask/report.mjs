// A reporter for `node --test` that `cargo xtask test` reads: one line for the whole run, written
// when it is over, with the number of tests that passed, failed and were cancelled, the name of each
// that failed with what it said, and the files that ran no test. Node itself counts such a file as a
// test that passed.

import { resolve } from "node:path";

export default async function* report(events) {
  const empty = [];
  const failures = [];
  for await (const { type, data } of events) {
    if (type === "test:pass" && data.nesting === 0 && resolve(data.name) === data.file) {
      empty.push(data.name);
    }
    if (type === "test:fail") {
      const { error } = data.details;
      failures.push(`${data.name}: ${error.cause?.message ?? error.message}`);
    }
    // Files are summed up, too, each with its name; the whole run has none.
    if (type === "test:summary" && data.file === undefined) {
      const { passed, failed, cancelled } = data.counts;
      yield `${JSON.stringify({ passed: passed - empty.length, failed, cancelled, failures, empty })}\n`;
    }
  }
}
