import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate, useParams } from "react-router";
import { CallError } from "../../api/http";
import { type Correction, type Value, documents } from "../../api/documents";
import { Failed } from "../../components/Failed";
import { Loading } from "../../components/Loading";
import { short } from "../../i18n";
import { Places } from "./Places";
import { ValueRow } from "./ValueRow";
import { asCsv, save } from "./export";

const REVIEWER = "bankai-reviewer";

/** One document: its contradictions, its fields, their places, and what a person says of them. */
export function Document() {
  const { t, i18n } = useTranslation();
  const { resultId = "" } = useParams();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const key = ["document", resultId];
  const result = useQuery({ queryKey: key, queryFn: () => documents.get(resultId) });
  const schemaId = result.data?.schemaId ?? "";
  const fields = useQuery({ queryKey: ["fields", schemaId], queryFn: () => documents.fields(schemaId), enabled: schemaId !== "" });
  const [chosen, setChosen] = useState(0);
  const [editing, setEditing] = useState<number>();
  const [reviewer, setReviewer] = useState(localStorage.getItem(REVIEWER) ?? "");
  const rows = useRef<HTMLUListElement>(null);

  const review = useMutation({
    mutationFn: (correction: Correction) => documents.review(result.data!, reviewer, [correction]),
    onSuccess: (changed) => {
      queries.setQueryData(key, changed);
      setEditing(undefined);
      void queries.invalidateQueries({ queryKey: ["documents"] });
    },
  });

  // What must be looked at comes first.
  const values = [...(result.data?.values ?? [])].sort(
    (one, other) => Number(other.needsReview ?? false) - Number(one.needsReview ?? false) || one.valueId - other.valueId,
  );
  const act = useCallback(
    (correction: Correction) => {
      if (reviewer.trim()) review.mutate(correction);
      else document.getElementById("reviewer")?.focus();
    },
    [reviewer, review],
  );
  const choose = useCallback((value: Value) => setChosen(value.valueId), []);

  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      if (editing !== undefined || event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|BUTTON|A)$/.test(target.tagName)) return;
      const at = values.findIndex((value) => value.valueId === chosen);
      const value = values[at];
      if (event.key === "j") setChosen(values[Math.min(at + 1, values.length - 1)]?.valueId ?? 0);
      else if (event.key === "k") setChosen(values[Math.max(at - 1, 0)]?.valueId ?? 0);
      else if (event.key === "n") void navigate("../?review=1", { relative: "path" });
      else if (value && event.key === "Enter") act({ confirm: { valueId: value.valueId } });
      else if (value && event.key === "e") setEditing(value.valueId);
      else if (value && event.key === "Delete") act({ remove: { valueId: value.valueId } });
      else return;
      event.preventDefault();
    };
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  });
  useEffect(() => {
    rows.current?.querySelector(`[data-value="${chosen}"]`)?.scrollIntoView({ block: "nearest" });
  }, [chosen]);

  if (result.isPending) return <Loading />;
  if (result.isError) return <Failed error={result.error} again={() => void result.refetch()} />;
  const found = result.data;
  const name = found.fileName || found.requestId || found.resultId;
  const label = (fieldId: string) => {
    const field = fields.data?.get(fieldId);
    return (i18n.language === "zh" ? field?.nameZh : field?.nameEn) || fieldId;
  };
  const conflict = review.error instanceof CallError && review.error.reason === "REVISION_CONFLICT";
  return (
    <article className="page">
      <div className="tools">
        <h1>
          <Link to=".." relative="path">
            {t("documents.title")}
          </Link>{" "}
          / <bdi>{name}</bdi>
        </h1>
        <span className="quiet">{t(`kinds.${short(found.documentKind, "DOCUMENT_KIND")}`)}</span>
        {!!found.revision && <span className="quiet">{t("documents.revision", { count: found.revision })}</span>}
        <label>
          {t("documents.reviewer")}{" "}
          <input
            id="reviewer"
            value={reviewer}
            placeholder={t("documents.reviewerNeeded")}
            maxLength={128}
            onChange={(event) => {
              setReviewer(event.target.value);
              localStorage.setItem(REVIEWER, event.target.value);
            }}
          />
        </label>
        <button onClick={() => save(JSON.stringify(found, null, 2), `${found.resultId}.json`, "application/json")}>
          {t("documents.json")}
        </button>
        <button onClick={() => save(asCsv(found, fields.data ?? new Map()), `${found.resultId}.csv`, "text/csv")}>
          {t("documents.csv")}
        </button>
      </div>
      {found.findings?.length ? (
        <ul className="findings" aria-label={t("documents.findings")}>
          {found.findings.map((finding, index) => (
            <li key={index}>
              {finding.message || finding.check}{" "}
              {finding.valueIds?.map((valueId) => (
                <button key={valueId} onClick={() => setChosen(valueId)}>
                  {label(found.values?.find((value) => value.valueId === valueId)?.fieldId ?? "")}
                </button>
              ))}
            </li>
          ))}
        </ul>
      ) : (
        <p className="quiet">{t("documents.noFindings")}</p>
      )}
      {review.isError && (
        <p role="alert">
          {conflict ? t("documents.conflict") : review.error.message}{" "}
          <button onClick={() => void result.refetch().then(() => review.reset())}>{t("again")}</button>
        </p>
      )}
      <div className="split">
        <section aria-label={t("documents.places")}>
          <Places pages={found.pages ?? []} values={values} chosen={chosen} choose={choose} label={label} />
        </section>
        <section aria-label={t("documents.fields")}>
          <ul ref={rows} className="values">
            {values.map((value) => (
              <ValueRow
                key={value.valueId}
                value={value}
                label={label(value.fieldId)}
                chosen={value.valueId === chosen}
                editing={value.valueId === editing}
                busy={review.isPending}
                choose={choose}
                edit={setEditing}
                act={act}
              />
            ))}
          </ul>
          <p className="quiet">{t("documents.keys")}</p>
        </section>
      </div>
    </article>
  );
}
