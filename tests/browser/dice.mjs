// Random numbers that are the same for one seed. Plain JavaScript that Node and a page can load.

/** Numbers below `most` that are the same for one seed (mulberry32: integers only, nothing rounds). */
export function diced(seed) {
  let state = seed;
  return (most) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % most;
  };
}
