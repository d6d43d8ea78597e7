import type { Field, FullResult } from "../../api/documents";

/** A cell that no spreadsheet takes for a formula. */
export function cell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return `"${safe.replaceAll('"', '""')}"`;
}

/** A result as CSV, a value a line. */
export function asCsv(result: FullResult, fields: Map<string, Field>): string {
  const rows = (result.values ?? []).map((value) => [
    value.fieldId,
    fields.get(value.fieldId)?.nameZh ?? "",
    value.norm ?? "",
    value.text ?? "",
    (value.confidence ?? 0).toFixed(3),
    value.needsReview ? "1" : "0",
    String(value.evidence?.[0]?.page ?? ""),
  ]);
  const head = ["field", "name", "norm", "text", "confidence", "needs_review", "page"];
  return "\ufeff" + [head, ...rows].map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
}

/** Hands a text to the browser as a file. */
export function save(text: string, name: string, type: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
