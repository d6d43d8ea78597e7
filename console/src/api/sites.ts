import { call, stream } from "./http";

const SERVICE = "bankai.progress.v1.ProgressService";

export interface CurvePoint {
  time: string;
  progress?: number;
}
export interface Drawdown {
  drawdownId: string;
  time?: string;
  requiredProgress?: number;
  claimedProgress?: number;
}
export interface Project {
  projectId: string;
  name?: string;
  areaM2?: number;
  drawdowns?: Drawdown[];
}
export interface Alert {
  kind: string;
  message?: string;
  since?: string;
}
export interface Assessment {
  asOf?: string;
  stage?: string;
  progress?: number;
  progressLow?: number;
  progressHigh?: number;
  plannedProgress?: number;
  variancePoints?: number;
  varianceDays?: number;
  finishEstimate?: string;
  observations?: number;
  observationsUsed?: number;
  alerts?: Alert[];
}
export interface Point {
  observation: { observationId: string; acquireTime?: string; sensor?: string; status?: string; reason?: string; usableShare?: number };
  stage?: string;
  progress?: number;
  progressLow?: number;
  progressHigh?: number;
}
export interface Timeline {
  points?: Point[];
  plan?: CurvePoint[];
  latest?: Assessment;
}
export interface Decision {
  decision?: string;
  reasons?: string[];
}
export type Picture = "BEFORE" | "AFTER" | "OVERLAY";

export const sites = {
  list: async () => (await call<{ projects?: Project[] }>(`${SERVICE}/ListProjects`, { pageSize: 1000 })).projects ?? [],
  get: async (projectId: string) =>
    (await call<{ project: Project }>(`${SERVICE}/GetProject`, { projectId })).project,
  timeline: (projectId: string) => call<Timeline>(`${SERVICE}/GetTimeline`, { projectId }),
  drawdown: (projectId: string, drawdownId: string) =>
    call<Decision>(`${SERVICE}/CheckDrawdown`, { projectId, drawdownId }),
  picture: async (projectId: string, kind: Picture, signal?: AbortSignal) => {
    const parts: Uint8Array<ArrayBuffer>[] = [];
    const request = { projectId, kind: `EVIDENCE_KIND_${kind}_PNG` };
    for await (const { chunk } of stream<{ chunk: string }>(`${SERVICE}/GetEvidence`, request, signal)) {
      parts.push(Uint8Array.from(atob(chunk), (letter) => letter.charCodeAt(0)));
    }
    return new Blob(parts, { type: "image/png" });
  },
};
