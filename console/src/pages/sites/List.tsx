import { useQuery } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { type Project, sites } from "../../api/sites";
import { Failed } from "../../components/Failed";
import { Loading } from "../../components/Loading";
import { percent, short } from "../../i18n";

const ROW_PX = 44;

/** The projects; how far each is, is asked for once it is seen. */
export function List() {
  const { t } = useTranslation();
  const list = useQuery({ queryKey: ["sites"], queryFn: sites.list });
  const frame = useRef<HTMLDivElement>(null);
  const rows = list.data ?? [];
  const shown = useVirtualizer({ count: rows.length, getScrollElement: () => frame.current, estimateSize: () => ROW_PX, overscan: 4 });
  return (
    <section className="page">
      <div className="tools">
        <h1>{t("sites.title")}</h1>
      </div>
      {list.isPending ? (
        <Loading />
      ) : list.isError ? (
        <Failed error={list.error} again={() => void list.refetch()} />
      ) : rows.length === 0 ? (
        <p className="quiet padded">{t("sites.empty")}</p>
      ) : (
        <div className="list" role="table" aria-label={t("sites.title")} aria-rowcount={rows.length + 1}>
          <div className="row head" role="row">
            {(["title", "stage", "progress", "variance", "alerts"] as const).map((name) => (
              <span key={name} role="columnheader">
                {t(`sites.${name}`)}
              </span>
            ))}
          </div>
          <div ref={frame} className="scroll" role="rowgroup" tabIndex={0} aria-label={t("sites.title")}>
            <div role="presentation" className="tall" style={{ height: shown.getTotalSize() }}>
              {shown.getVirtualItems().map(({ index, start }) => (
                <Row key={rows[index]!.projectId} project={rows[index]!} index={index} start={start} />
              ))}
            </div>
          </div>
        </div>
      )}
    </section>
  );
}

function Row({ project, index, start }: { project: Project; index: number; start: number }) {
  const { t } = useTranslation();
  const timeline = useQuery({
    queryKey: ["timeline", project.projectId],
    queryFn: () => sites.timeline(project.projectId),
    staleTime: 60_000,
  });
  const latest = timeline.data?.latest;
  return (
    <div role="row" aria-rowindex={index + 2} className="row" style={{ transform: `translateY(${start}px)`, height: ROW_PX }}>
      <span role="cell">
        <Link to={encodeURIComponent(project.projectId)}>{project.name || project.projectId}</Link>
      </span>
      <span role="cell">{latest ? t(`stages.${short(latest.stage, "STAGE")}`) : "…"}</span>
      <span role="cell">{latest ? percent(latest.progress) : "…"}</span>
      <span role="cell">
        {latest?.variancePoints === undefined ? "—" : t("sites.points", { value: Math.round(latest.variancePoints * 100) })}
      </span>
      <span role="cell">
        {latest?.alerts?.length ? (
          <b className="bad">{t(`alerts.${short(latest.alerts[0]!.kind, "ALERT_KIND")}`)}</b>
        ) : (
          "—"
        )}
      </span>
    </div>
  );
}
