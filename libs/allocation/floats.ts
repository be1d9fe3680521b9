/** So many numbers, each by its place: a plain loop, where `Float64Array.from` would ask an iterator for every one. */
export const floats = (length: number, of: (place: number) => number): Float64Array => {
  const found = new Float64Array(length);
  for (let place = 0; place < length; place += 1) found[place] = of(place);
  return found;
};
