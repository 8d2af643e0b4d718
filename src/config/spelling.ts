const longestWord = 40;

/** Slips between two words: letters added, left out, exchanged, or swapped with their neighbour (Damerau-Levenshtein). */
function distance(left: string, right: string): number {
  let before: number[] = [];
  let above = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const isSame = left[row - 1] === right[column - 1];
      const swapped = left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      current[column] = Math.min(
        (above[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (above[column - 1] ?? 0) + (isSame ? 0 : 1),
        swapped ? (before[column - 2] ?? 0) + 1 : Infinity,
      );
    }
    before = above;
    above = current;
  }
  return above[right.length] ?? Infinity;
}

/** The word that was probably meant; undefined if none is within a slip for every three letters. */
export function closestWord(word: string, words: readonly string[]): string | undefined {
  if (word.length > longestWord) return undefined;
  const plain = word.toLowerCase().replaceAll('-', '_');
  const [best] = words
    .map((candidate) => ({ candidate, slips: distance(plain, candidate) }))
    .sort((a, b) => a.slips - b.slips);
  return best !== undefined && best.slips <= Math.max(1, plain.length / 3) ? best.candidate : undefined;
}
