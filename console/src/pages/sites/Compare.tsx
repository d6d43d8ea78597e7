import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { type Picture, sites } from "../../api/sites";

function usePicture(projectId: string, kind: Picture): string | undefined {
  const { data } = useQuery({
    queryKey: ["picture", projectId, kind],
    queryFn: ({ signal }) => sites.picture(projectId, kind, signal),
    staleTime: 60_000,
  });
  const [address, setAddress] = useState<string>();
  useEffect(() => {
    if (!data) return;
    const made = URL.createObjectURL(data);
    setAddress(made);
    return () => URL.revokeObjectURL(made);
  }, [data]);
  return address;
}

/** Before and after over one another, parted by a slider, and what has changed. */
export function Compare({ projectId }: { projectId: string }) {
  const { t } = useTranslation();
  const [share, setShare] = useState(50);
  const before = usePicture(projectId, "BEFORE");
  const after = usePicture(projectId, "AFTER");
  const overlay = usePicture(projectId, "OVERLAY");
  return (
    <section aria-label={t("sites.compare")}>
      <h2>{t("sites.compare")}</h2>
      <div className="pictures">
        <figure>
          <div className="over">
            {after && <img src={after} alt={t("sites.after")} />}
            {before && <img src={before} alt={t("sites.before")} style={{ clipPath: `inset(0 ${100 - share}% 0 0)` }} />}
          </div>
          <input
            type="range"
            className="no-print"
            aria-label={t("sites.slider")}
            min={0}
            max={100}
            value={share}
            onChange={(event) => setShare(Number(event.target.value))}
          />
          <figcaption className="quiet">
            {t("sites.before")} / {t("sites.after")}
          </figcaption>
        </figure>
        <figure>
          <div className="over">{overlay && <img src={overlay} alt={t("sites.overlay")} />}</div>
          <figcaption className="quiet">{t("sites.overlay")}</figcaption>
        </figure>
      </div>
    </section>
  );
}
