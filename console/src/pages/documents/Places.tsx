import { useTranslation } from "react-i18next";
import type { Box, Page, Value } from "../../api/documents";

interface Props {
  pages: Page[];
  values: Value[];
  chosen: number;
  choose: (value: Value) => void;
  label: (fieldId: string) => string;
}

const width = (box: Box) => (box.right ?? 0) - (box.left ?? 0);
const height = (box: Box) => (box.bottom ?? 0) - (box.top ?? 0);

/** The pages in their proportions, with the place of every value on them; points are those of the page. */
export function Places({ pages, values, chosen, choose, label }: Props) {
  const { t } = useTranslation();
  const marks = values.flatMap((value) =>
    (value.evidence ?? []).flatMap(({ page = 1, boxes = [] }) => boxes.map((box) => ({ value, page, box }))),
  );
  return pages
    .filter((page, index) => marks.some((mark) => mark.page === (page.number ?? index + 1)))
    .map((page, index) => {
      const number = page.number ?? index + 1;
      return (
        <figure key={number} className="sheet">
          <svg viewBox={`0 0 ${page.width ?? 595} ${page.height ?? 842}`} role="group" aria-label={t("documents.page", { page: number })}>
            {marks
              .filter((mark) => mark.page === number)
              .map(({ value, box }, at) => (
                <g
                  key={at}
                  role="button"
                  aria-label={`${label(value.fieldId)}: ${value.text ?? ""}`}
                  className={`mark${value.valueId === chosen ? " chosen" : ""}${value.needsReview ? " unsure" : ""}`}
                  onClick={() => choose(value)}
                >
                  <rect x={box.left ?? 0} y={box.top ?? 0} width={width(box)} height={height(box)} />
                  <text x={box.left ?? 0} y={(box.bottom ?? 0) - height(box) * 0.2} fontSize={height(box) * 0.8} textLength={width(box)} lengthAdjust="spacingAndGlyphs">
                    {at === 0 || marks[at - 1]?.value !== value ? value.text : ""}
                  </text>
                </g>
              ))}
          </svg>
          <figcaption className="quiet">{t("documents.page", { page: number })}</figcaption>
        </figure>
      );
    });
}
