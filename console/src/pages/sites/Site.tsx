import { useQueries, useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router";
import { sites } from "../../api/sites";
import { Failed } from "../../components/Failed";
import { Loading } from "../../components/Loading";
import { day, percent, short } from "../../i18n";
import { Compare } from "./Compare";
import { Curve } from "./Curve";

/** One project: its decisions, its alerts, its curve, and the pictures that prove it. Prints as a report. */
export function Site() {
  const { t } = useTranslation();
  const { projectId = "" } = useParams();
  const project = useQuery({ queryKey: ["site", projectId], queryFn: () => sites.get(projectId) });
  const timeline = useQuery({ queryKey: ["timeline", projectId], queryFn: () => sites.timeline(projectId) });
  const drawdowns = useQueries({
    queries: (project.data?.drawdowns ?? []).map((drawdown) => ({
      queryKey: ["drawdown", projectId, drawdown.drawdownId],
      queryFn: () => sites.drawdown(projectId, drawdown.drawdownId),
    })),
  });
  if (project.isPending || timeline.isPending) return <Loading />;
  if (project.isError) return <Failed error={project.error} again={() => void project.refetch()} />;
  if (timeline.isError) return <Failed error={timeline.error} again={() => void timeline.refetch()} />;
  const { points = [], plan = [], latest = {} } = timeline.data;
  const facts: [string, string][] = [
    [t("sites.stage"), t(`stages.${short(latest.stage, "STAGE")}`)],
    [t("sites.progress"), `${percent(latest.progress)} (${percent(latest.progressLow)}–${percent(latest.progressHigh)})`],
    [t("sites.planned"), latest.plannedProgress === undefined ? "—" : percent(latest.plannedProgress)],
    [t("sites.variance"), latest.varianceDays === undefined ? "—" : t("sites.days", { value: Math.round(latest.varianceDays) })],
    [t("sites.finish"), day(latest.finishEstimate)],
    [t("sites.pictures"), t("sites.used", { used: latest.observationsUsed ?? 0, all: latest.observations ?? 0 })],
  ];
  return (
    <article className="page site">
      <div className="tools">
        <h1>
          <Link to=".." relative="path">
            {t("sites.title")}
          </Link>{" "}
          / <bdi>{project.data.name || projectId}</bdi>
        </h1>
        <span className="quiet">{t("sites.area", { value: ((project.data.areaM2 ?? 0) / 10_000).toFixed(1) })}</span>
        <button className="no-print" onClick={() => print()}>
          {t("sites.print")}
        </button>
      </div>
      <dl className="facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {latest.alerts?.length ? (
        <ul className="findings" aria-label={t("sites.alerts")}>
          {latest.alerts.map((alert, index) => (
            <li key={index}>
              <b>{t(`alerts.${short(alert.kind, "ALERT_KIND")}`)}</b> {day(alert.since)} {alert.message}
            </li>
          ))}
        </ul>
      ) : (
        <p className="quiet">{t("sites.noAlerts")}</p>
      )}
      {!!project.data.drawdowns?.length && (
        <section aria-label={t("sites.drawdowns")}>
          <h2>{t("sites.drawdowns")}</h2>
          <ul className="drawdowns">
            {project.data.drawdowns.map((drawdown, index) => {
              const decision = drawdowns[index]?.data;
              const said = short(decision?.decision, "DRAWDOWN_DECISION");
              return (
                <li key={drawdown.drawdownId}>
                  <b className={said === "PASS" ? "good" : said === "HOLD" ? "bad" : "warn"}>{decision ? t(`decisions.${said}`) : "…"}</b>{" "}
                  <bdi>{drawdown.drawdownId}</bdi> {day(drawdown.time)}, {t("sites.required", { value: percent(drawdown.requiredProgress) })}
                  <ul>{decision?.reasons?.map((reason) => <li key={reason}>{reason}</li>)}</ul>
                </li>
              );
            })}
          </ul>
        </section>
      )}
      <Curve points={points} plan={plan} />
      {points.length ? <Compare projectId={projectId} /> : <p className="quiet">{t("sites.noPictures")}</p>}
      <section aria-label={t("sites.pictures")}>
        <h2>{t("sites.pictures")}</h2>
        <table>
          <thead>
            <tr>
              <th>{t("sites.date")}</th>
              <th>{t("sites.status")}</th>
              <th>{t("sites.stage")}</th>
              <th>{t("sites.progress")}</th>
            </tr>
          </thead>
          <tbody>
            {points.map(({ observation, stage, progress, progressLow, progressHigh }) => {
              const status = short(observation.status, "OBSERVATION_STATUS");
              const used = status === "USED";
              return (
                <tr key={observation.observationId}>
                  <td>{day(observation.acquireTime)}</td>
                  <td title={observation.reason}>{t(`statuses.${status}`)}</td>
                  <td>{used ? t(`stages.${short(stage, "STAGE")}`) : "—"}</td>
                  <td>{used ? `${percent(progress)} (${percent(progressLow)}–${percent(progressHigh)})` : "—"}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </section>
    </article>
  );
}
