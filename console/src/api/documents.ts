import { call } from "./http";

const SERVICE = "bankai.doc_extract.v1.DocExtractService";

// Fields that have their default are left out of the JSON, so all of them may be missing.
export interface Summary {
  resultId: string;
  requestId?: string;
  fileName?: string;
  createTime?: string;
  documentKind?: string;
  valuesToReview?: number;
  findings?: number;
  revision?: number;
}
export interface Box {
  left?: number;
  top?: number;
  right?: number;
  bottom?: number;
}
export interface Value {
  valueId: number;
  fieldId: string;
  text?: string;
  norm?: string;
  confidence?: number;
  needsReview?: boolean;
  origin?: string;
  evidence?: { page?: number; boxes?: Box[] }[];
}
export interface Finding {
  check: string;
  message?: string;
  valueIds?: number[];
  fieldId?: string;
}
export interface Page {
  number?: number;
  width?: number;
  height?: number;
}
export interface Result extends Summary {
  schemaId?: string;
  modelVersion?: string;
  values?: Value[];
  pages?: Page[];
}
export interface FullResult extends Omit<Result, "findings"> {
  findings?: Finding[];
}
export interface Field {
  fieldId: string;
  nameZh?: string;
  nameEn?: string;
}
export type Correction =
  | { confirm: { valueId: number } }
  | { remove: { valueId: number } }
  | { replace: { valueId: number; text: string; norm: string } };

export const documents = {
  list: (pageToken: string, needsReview: boolean, text: string) =>
    call<{ results?: Summary[]; nextPageToken?: string }>(`${SERVICE}/ListResults`, {
      pageSize: 100,
      pageToken,
      needsReview,
      text,
    }),
  get: async (resultId: string) =>
    (await call<{ result: FullResult }>(`${SERVICE}/GetResult`, { resultId })).result,
  fields: async (schemaId: string) => {
    const answer = await call<{ schemas?: { fields?: Field[] }[] }>(`${SERVICE}/ListSchemas`, { schemaId });
    return new Map((answer.schemas?.[0]?.fields ?? []).map((field) => [field.fieldId, field]));
  },
  review: async (result: FullResult, reviewer: string, corrections: Correction[]) =>
    (
      await call<{ result: FullResult }>(`${SERVICE}/ReviewResult`, {
        resultId: result.resultId,
        revision: result.revision ?? 0,
        reviewer,
        corrections,
      })
    ).result,
};
