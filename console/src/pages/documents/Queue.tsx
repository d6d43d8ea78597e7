import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useDeferredValue, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useSearchParams } from "react-router";
import { documents } from "../../api/documents";
import { Failed } from "../../components/Failed";
import { Loading } from "../../components/Loading";
import { moment, short } from "../../i18n";

const ROW_PX = 44;

/** The documents, the newest first; more are fetched as the list is scrolled. */
export function Queue() {
  const { t } = useTranslation();
  const [asked, setAsked] = useSearchParams();
  const toReview = asked.has("review");
  const [typed, setTyped] = useState(asked.get("text") ?? "");
  const text = useDeferredValue(typed);
  const list = useInfiniteQuery({
    queryKey: ["documents", toReview, text],
    queryFn: ({ pageParam }) => documents.list(pageParam, toReview, text),
    initialPageParam: "",
    getNextPageParam: (page) => page.nextPageToken || undefined,
    placeholderData: keepPreviousData,
    refetchInterval: 15_000,
  });
  const rows = list.data?.pages.flatMap((page) => page.results ?? []) ?? [];
  const frame = useRef<HTMLDivElement>(null);
  const shown = useVirtualizer({
    count: rows.length,
    getScrollElement: () => frame.current,
    estimateSize: () => ROW_PX,
    overscan: 12,
  });
  const last = shown.getVirtualItems().at(-1)?.index ?? 0;
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = list;
  useEffect(() => {
    if (last >= rows.length - 1 && hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [last, rows.length, hasNextPage, isFetchingNextPage, fetchNextPage]);

  const ask = (name: string, value: string) =>
    setAsked(
      (before) => {
        if (value) before.set(name, value);
        else before.delete(name);
        return before;
      },
      { replace: true },
    );

  return (
    <section className="page">
      <div className="tools">
        <h1>{t("documents.title")}</h1>
        <input
          type="search"
          aria-label={t("documents.search")}
          placeholder={t("documents.search")}
          maxLength={200}
          value={typed}
          onChange={(event) => {
            setTyped(event.target.value);
            ask("text", event.target.value);
          }}
        />
        <label className="check">
          <input type="checkbox" checked={toReview} onChange={(event) => ask("review", event.target.checked ? "1" : "")} />
          {t("documents.toReview")}
        </label>
      </div>
      {list.isPending ? (
        <Loading />
      ) : list.isError ? (
        <Failed error={list.error} again={() => void list.refetch()} />
      ) : rows.length === 0 ? (
        <p className="quiet padded">{t("documents.empty")}</p>
      ) : (
        <div className="list" role="table" aria-label={t("documents.title")} aria-rowcount={hasNextPage ? -1 : rows.length + 1}>
          <div className="row head" role="row">
            {(["file", "kind", "time", "review", "findings"] as const).map((name) => (
              <span key={name} role="columnheader">
                {t(`documents.${name}`)}
              </span>
            ))}
          </div>
          <div ref={frame} className="scroll" role="rowgroup" tabIndex={0} aria-label={t("documents.title")}>
            <div role="presentation" className="tall" style={{ height: shown.getTotalSize() }}>
              {shown.getVirtualItems().map(({ index, start }) => {
                const row = rows[index]!;
                return (
                  <div
                    key={row.resultId}
                    role="row"
                    aria-rowindex={index + 2}
                    className="row"
                    style={{ transform: `translateY(${start}px)`, height: ROW_PX }}
                  >
                    <span role="cell">
                      <Link to={row.resultId}>{row.fileName || row.requestId || row.resultId}</Link>
                    </span>
                    <span role="cell">{t(`kinds.${short(row.documentKind, "DOCUMENT_KIND")}`)}</span>
                    <span role="cell">{moment(row.createTime)}</span>
                    <span role="cell">{row.valuesToReview ? <b className="warn">{row.valuesToReview}</b> : "—"}</span>
                    <span role="cell">{row.findings ? <b className="bad">{row.findings}</b> : "—"}</span>
                  </div>
                );
              })}
            </div>
          </div>
        </div>
      )}
    </section>
  );
}
