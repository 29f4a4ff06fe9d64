/** Results as tables for people. */

/** Headings and what stands below them. */
export type Row = Readonly<Record<string, string>>;

export function formatTable(rows: readonly Row[]): string {
  const headings = Object.keys(rows[0] ?? {});
  const lines = [headings, ...rows.map((row) => headings.map((heading) => row[heading] ?? ''))];
  const widths = headings.map((_, column) =>
    Math.max(...lines.map((line) => line[column]!.length)),
  );
  const format = (line: string[]) => {
    const cells = line.map((cell, column) => {
      return column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!);
    });
    return `| ${cells.join(' | ')} |`;
  };
  const rule = widths.map((width, column) => {
    return column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`;
  });
  return [format(lines[0]!), `| ${rule.join(' | ')} |`, ...lines.slice(1).map(format)].join('\n');
}

/** Three significant digits below a hundred, whole numbers with separators above. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US');
  if (Math.abs(value) >= 10) return value.toFixed(1);
  return value.toFixed(2);
}

export function kilobytes(bytes: number): string {
  return number(bytes / 1024);
}

export function percent(value: number): string {
  return `${Math.round(value)} %`;
}

/** How much `value` is of what it is compared with. */
export function ratio(value: number, reference: number): string {
  return `${number(value / reference)} x`;
}
