// Calls of the gateway's JSON over HTTP, in the name of whoever is signed in.

const OWN_HEADERS = { "content-type": "application/json", "x-bankai-console": "1" };

/** What the gateway answered in place of what was asked for. */
export class CallError extends Error {
  constructor(
    readonly status: number,
    readonly reason: string,
    message: string,
  ) {
    super(message);
  }
}

async function failure(response: Response): Promise<CallError> {
  const body: unknown = await response.json().catch(() => null);
  const error = (body as { error?: { message?: string; details?: { reason?: string }[] } } | null)?.error ?? {};
  const reason = error.details?.find((detail) => detail.reason)?.reason ?? "UNKNOWN";
  return new CallError(response.status, reason, error.message ?? response.statusText);
}

async function sent(path: string, method: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
  const response = await fetch(path, {
    method,
    headers: OWN_HEADERS,
    credentials: "same-origin",
    body: body === undefined ? undefined : JSON.stringify(body),
    signal,
  });
  if (!response.ok) throw await failure(response);
  return response;
}

/** Asks a unary method, by its full name. */
export async function call<Answer>(method: string, request: object, signal?: AbortSignal): Promise<Answer> {
  return (await sent(`/v1/${method}`, "POST", request, signal)).json() as Promise<Answer>;
}

/** The messages of a method that answers a stream, as they come. */
export async function* stream<Answer>(method: string, request: object, signal?: AbortSignal): AsyncGenerator<Answer> {
  const response = await sent(`/v1/${method}`, "POST", request, signal);
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let held = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      held += value;
      const events = held.split("\n\n");
      held = events.pop()!;
      for (const event of events) {
        const lines = event.split("\n");
        const kind = lines.find((line) => line.startsWith("event:"))?.slice(6).trim() ?? "message";
        const data = lines.filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trim());
        if (kind === "end") return;
        if (kind === "error") throw new CallError(0, "STREAM_ENDED", data.join(""));
        if (data.length > 0) yield JSON.parse(data.join("\n")) as Answer;
      }
    }
  } finally {
    await reader.cancel();
  }
}

export interface SignedIn {
  channel: string;
  credential: string;
}

export const session = {
  who: async (): Promise<SignedIn> => (await sent("/console/session", "GET")).json(),
  begin: async (said: { login: string } | { credential: string }): Promise<SignedIn> =>
    (await sent("/console/session", "POST", said)).json(),
  end: async (): Promise<void> => void (await sent("/console/session", "DELETE")),
};
