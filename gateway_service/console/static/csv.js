// Reads CSV as the services write it: commas, quotes doubled, a header.

/** {head, rows} of a text; the last row is left out unless the text is `whole`. */
export function parseCsv(text, whole = true) {
  const lines = [];
  let row = [];
  let cell = "";
  let quoted = false;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (quoted && character === '"' && text[index + 1] === '"') {
      cell += '"';
      index += 1;
    } else if (character === '"') {
      quoted = !quoted;
    } else if (!quoted && character === ",") {
      row.push(cell);
      cell = "";
    } else if (!quoted && character === "\n") {
      row.push(cell.replace(/\r$/, ""));
      lines.push(row);
      [row, cell] = [[], ""];
    } else {
      cell += character;
    }
  }
  if (whole && (cell || row.length)) lines.push([...row, cell]);
  const [head = [], ...rows] = lines;
  return { head: head.map((name) => name.replace(/^\ufeff/, "")), rows };
}
