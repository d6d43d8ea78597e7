import { useTranslation } from "react-i18next";
import type { CurvePoint, Point } from "../../api/sites";
import { day, percent } from "../../i18n";

const [WIDTH, HEIGHT, LEFT, BOTTOM] = [720, 260, 44, 28];

/** Planned and observed progress over time, with the interval of each observation. */
export function Curve({ points, plan }: { points: Point[]; plan: CurvePoint[] }) {
  const { t } = useTranslation();
  const seen = points.filter((point) => point.observation.status === "OBSERVATION_STATUS_USED");
  const times = [...plan.map((each) => each.time), ...seen.map((each) => each.observation.acquireTime!)].map(Date.parse);
  if (times.length === 0) return null;
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const x = (time: string) => LEFT + ((Date.parse(time) - first) / Math.max(last - first, 1)) * (WIDTH - LEFT - 8);
  const y = (progress = 0) => 8 + (1 - progress) * (HEIGHT - BOTTOM - 8);
  const line = (dots: [string, number | undefined][]) => dots.map(([time, value]) => `${x(time)},${y(value)}`).join(" ");
  const at = (point: Point) => point.observation.acquireTime!;
  const band = [
    ...seen.map((each): [string, number | undefined] => [at(each), each.progressHigh]),
    ...seen.toReversed().map((each): [string, number | undefined] => [at(each), each.progressLow]),
  ];
  return (
    <section aria-label={t("sites.curve")}>
      <h2>{t("sites.curve")}</h2>
      <svg className="curve" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={t("sites.curve")}>
        {[0, 0.25, 0.5, 0.75, 1].map((share) => (
          <g key={share}>
            <line className="grid" x1={LEFT} x2={WIDTH - 8} y1={y(share)} y2={y(share)} />
            <text x={LEFT - 6} y={y(share) + 4} textAnchor="end">
              {percent(share)}
            </text>
          </g>
        ))}
        {[first, (first + last) / 2, last].map((time, index) => (
          <text key={index} x={x(new Date(time).toISOString())} y={HEIGHT - 8} textAnchor={["start", "middle", "end"][index] as "start"}>
            {day(new Date(time).toISOString())}
          </text>
        ))}
        <polygon className="band" points={line(band)} />
        <polyline className="plan" points={line(plan.map((each) => [each.time, each.progress]))} />
        <polyline className="seen" points={line(seen.map((each) => [at(each), each.progress]))} />
        {seen.map((each) => (
          <circle key={each.observation.observationId} className="seen" cx={x(at(each))} cy={y(each.progress)} r={3} />
        ))}
      </svg>
      <p className="legend">
        <span className="plan">{t("sites.planned")}</span> <span className="seen">{t("sites.observed")}</span>
      </p>
    </section>
  );
}
